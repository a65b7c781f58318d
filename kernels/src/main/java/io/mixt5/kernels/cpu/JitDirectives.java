package io.mixt5.kernels.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import javax.management.JMException;
import javax.management.JMRuntimeException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * Gives the JIT compiler {@code jit-directives.json}, which says why.
 *
 * <p>The JVM takes such a file by an option or by a diagnostic command. The command it is, so that the kernels run as
 * fast in a program that uses MixT5 as a library and knows nothing of options. It starts the JVM's management, which
 * takes some tenths of a second: meanwhile a program can load its model, but no kernel runs, since what the JIT has
 * compiled without the directives would stay as it is.
 */
final class JitDirectives {
    private static final String FILE = "jit-directives.json";
    private static final Thread ADDING = Thread.ofPlatform().daemon().name("mixt5-jit-directives").start(() -> {
        try {
            log(addFile());
        } catch (IOException | JMException | JMRuntimeException e) {
            log(e.toString());
        }
    });

    private JitDirectives() {
    }

    /** Starts to give them, unless that has begun. */
    static void begin() {
        // The class is initialised by now, and so the thread started.
    }

    /** Returns when the JIT has them, or will not have them. */
    static void await() {
        boolean interrupted = false;
        while (ADDING.isAlive()) {
            try {
                ADDING.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns what the JVM says. */
    static String addFile() throws IOException, JMException {
        // First what takes time, so that no program ends while the file is there.
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        Path file = Files.createTempFile("mixt5-", FILE);
        try (InputStream directives = JitDirectives.class.getResourceAsStream(FILE)) {
            Files.copy(directives, file, StandardCopyOption.REPLACE_EXISTING);
            Object[] arguments = {new String[]{file.toString()}};
            Object answer = server.invoke(new ObjectName("com.sun.management:type=DiagnosticCommand"),
                    "compilerDirectivesAdd", arguments, new String[]{String[].class.getName()});
            return answer.toString().strip();
        } finally {
            Files.delete(file);
        }
    }

    private static void log(String answer) {
        System.getLogger(JitDirectives.class.getName()).log(System.Logger.Level.DEBUG, answer);
    }
}
