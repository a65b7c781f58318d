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
 * fast in a program that uses MixT5 as a library and knows nothing of options. It starts the JVM's management, some
 * tenths of a second, for which nothing waits: what is compiled before is compiled as the JIT thinks best.
 */
final class JitDirectives {
    private static final String FILE = "jit-directives.json";

    private JitDirectives() {
    }

    /** Starts to. */
    static void add() {
        Thread.ofPlatform().daemon().name("mixt5-jit-directives").start(() -> {
            try {
                String answer = addFile();
                log(answer);
            } catch (IOException | JMException | JMRuntimeException e) {
                log(e.toString());
            }
        });
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
