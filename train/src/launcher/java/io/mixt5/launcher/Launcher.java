package io.mixt5.launcher;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.jar.Manifest;

/**
 * Starts MixT5 on a JDK that can run it, from whatever {@code java} comes first on the path.
 *
 * <p>This package is compiled for Java 8, so that any JVM in use can run it. It finds a newer JDK ({@link JdkFinder}),
 * starts it on the same class path with the modules and permissions that MixT5 needs, and then does nothing but hand on
 * signals and the exit code. A JVM that was started with all of that runs the program itself.
 *
 * <p>{@code MIXT5_JAVA_OPTS} holds further options for that JVM, separated by blanks; {@code -D} and {@code -X} options
 * given to the launching JVM are handed on too.
 */
public final class Launcher {
    /** Exit code of an error that the user can mend. */
    static final int USER_ERROR = 2;

    private static final String MAIN = "Mixt5-Main";
    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    private final String mainClass;
    private final JdkFinder jdks;
    private final Map<String, String> environment;
    private volatile Process child;

    /** A launcher of {@code mainClass}, which is on this JVM's own class path. */
    Launcher(String mainClass, JdkFinder jdks, Map<String, String> environment) {
        this.mainClass = mainClass;
        this.jdks = jdks;
        this.environment = environment;
    }

    /**
     * Runs the program that the jar's manifest names with {@code args} and ends with its exit code; 2 if no JDK can run it.
     */
    public static void main(String[] args) throws Exception {
        String mainClass = mainClass();
        if (asksForHelp(args) && printHelp(mainClass, System.out)) {
            return;
        }
        if (canRunHere()) {
            runHere(mainClass, args);
        } else {
            System.exit(new Launcher(mainClass, JdkFinder.ofThisMachine(), System.getenv()).run(args));
        }
    }

    /** The class that the manifest of the jar which holds this class names as {@value #MAIN}. */
    private static String mainClass() throws IOException {
        try (InputStream manifest = Launcher.class.getResourceAsStream("/META-INF/MANIFEST.MF")) {
            return new Manifest(manifest).getMainAttributes().getValue(MAIN);
        }
    }

    private static boolean asksForHelp(String[] args) {
        return args.length == 1 && (args[0].equals("--help") || args[0].equals("-h"));
    }

    /**
     * Prints what {@code mainClass} would print when asked for help, from the text that the build has put beside it: another
     * JVM would take longer to start than a reader waits, and there may be no JDK for it. Returns false where there is no
     * such text.
     */
    static boolean printHelp(String mainClass, PrintStream out) throws IOException {
        try (InputStream text = Launcher.class.getResourceAsStream("/" + mainClass.replace('.', '/') + ".help")) {
            if (text == null) {
                return false;
            }
            byte[] bytes = new byte[1 << 13];
            for (int n = text.read(bytes); n >= 0; n = text.read(bytes)) {
                out.write(bytes, 0, n);
            }
            out.flush();
            return true;
        }
    }

    /** Whether this JVM is new enough and was started with the Vector API. */
    static boolean canRunHere() {
        try {
            // Not initialised: a class of the module is visible exactly when the module was resolved.
            Class.forName(VECTOR_MODULE + ".Vector", false, ClassLoader.getSystemClassLoader());
        } catch (ClassNotFoundException e) {
            return false;
        }
        return Jdk.feature(System.getProperty("java.version")) >= JdkFinder.OLDEST;
    }

    private static void runHere(String mainClass, String[] args) throws Exception {
        try {
            Class.forName(mainClass).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Error) {
                throw (Error) e.getCause();
            }
            throw (Exception) e.getCause();
        }
    }

    /** Runs the program in a JVM of its own with this one's streams, waits for it, and returns its exit code. */
    int run(String[] args) throws InterruptedException {
        try {
            List<String> launcherOptions = ManagementFactory.getRuntimeMXBean().getInputArguments();
            ProcessBuilder builder = new ProcessBuilder(command(jdks.find(), launcherOptions, args)).inheritIO();
            // Registered first, so that no signal can come between the child's start and the hook.
            Runtime.getRuntime().addShutdownHook(new Thread(this::endChild, "end-child"));
            child = builder.start();
        } catch (JdkFinder.NoJdkException | IOException e) {
            System.err.println("mixt5: " + e.getMessage());
            return USER_ERROR;
        }
        return child.waitFor();
    }

    /**
     * Ends the child as this JVM is being ended, and this JVM with the child's exit code.
     *
     * <p>The child gets SIGTERM, whichever signal came here; after Ctrl-C in a terminal, which signals both, it is the
     * child's second, and its shutdown is then under way already. Further signals go on to the child.
     */
    private void endChild() {
        Process running = child;
        if (running == null) {
            return;
        }
        LaterSignals.handTo(running);
        running.destroy();
        try {
            // Only halting can replace the exit code that the JVM takes from the signal.
            Runtime.getRuntime().halt(running.waitFor());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The command line that runs the program on {@code jdk}; of two contradicting options the later one counts. */
    List<String> command(Jdk jdk, List<String> launcherOptions, String[] args) {
        List<String> command = new ArrayList<>();
        command.add(jdk.java().toString());
        command.add("--add-modules");
        command.add(VECTOR_MODULE);
        command.add("--enable-native-access=ALL-UNNAMED");
        if (File.separatorChar == '/') {
            // A bare locale, as in most containers, would turn every letter outside ASCII into a question mark.
            command.add("-Dstdout.encoding=UTF-8");
            command.add("-Dstderr.encoding=UTF-8");
        }
        List<String> given = new ArrayList<>();
        for (String option : launcherOptions) {
            if (option.startsWith("-D") || option.startsWith("-X")) {
                given.add(option);
            }
        }
        given.addAll(options("MIXT5_JAVA_OPTS"));
        if (!choosesCollector(given) && !choosesCollector(options("JDK_JAVA_OPTIONS"))
                && !choosesCollector(options("JAVA_TOOL_OPTIONS"))) {
            // The heap is small, tensors being elsewhere: the collector with the smallest one does.
            command.add("-XX:+UseSerialGC");
        }
        command.addAll(given);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(mainClass);
        for (String arg : args) {
            command.add(arg);
        }
        return command;
    }

    private List<String> options(String variable) {
        String value = environment.getOrDefault(variable, "").trim();
        return value.isEmpty() ? Collections.<String>emptyList() : Arrays.asList(value.split("\\s+"));
    }

    /** Two collectors are one too many for the JVM to start. */
    private static boolean choosesCollector(List<String> options) {
        for (String option : options) {
            if (option.startsWith("-XX:+Use") && option.endsWith("GC")) {
                return true;
            }
        }
        return false;
    }
}
