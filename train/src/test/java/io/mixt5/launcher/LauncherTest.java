package io.mixt5.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.train.run.StopSignal;
import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Launches real processes: this JVM starts a launcher, which starts a {@link Child}. */
@Timeout(60)
class LauncherTest {
    private final List<Process> started = new ArrayList<>();

    /** What the launched JVM does in these tests. */
    static final class Child {
        private Child() {
        }

        public static void main(String[] args) throws Exception {
            switch (args[0]) {
                case "exit" -> System.exit(Integer.parseInt(args[1]));
                case "arguments" -> Arrays.stream(args).forEach(arg -> System.out.println("<" + arg + ">"));
                case "echo" -> System.in.transferTo(System.out);
                case "facts" -> {
                    System.out.println(System.getProperty("probe.launcher"));
                    System.out.println(System.getProperty("probe.environment"));
                    System.out.println(Runtime.getRuntime().maxMemory() >> 20);
                    System.out.println(ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent());
                    System.out.println(Child.class.getModule().isNativeAccessEnabled());
                    System.out.println("é ▁");
                }
                case "wait" -> {
                    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                        System.out.println("stopped");
                        if (args.length > 1) {
                            Runtime.getRuntime().halt(Integer.parseInt(args[1]));
                        }
                    }));
                    System.out.println(ProcessHandle.current().pid());
                    Thread.sleep(TimeUnit.MINUTES.toMillis(1));
                }
                case "stop slowly" -> {
                    try (StopSignal stop = new StopSignal()) {
                        System.out.println(ProcessHandle.current().pid());
                        while (!stop.requested()) {
                            Thread.sleep(1);
                        }
                        System.out.println("stopping");
                        Thread.sleep(TimeUnit.MINUTES.toMillis(1));
                    }
                }
                default -> throw new IllegalArgumentException(args[0]);
            }
        }
    }

    /** The launcher's side: as {@link Launcher#main}, but for another main class. */
    static final class Start {
        private Start() {
        }

        public static void main(String[] args) throws Exception {
            System.exit(new Launcher(Child.class.getName(), JdkFinder.ofThisMachine(), System.getenv()).run(args));
        }
    }

    @AfterEach
    void end() {
        started.forEach(Process::destroyForcibly);
    }

    @Test
    void exitCodeIsTheChilds() throws Exception {
        assertEquals(0, launch("exit", "0").waitFor());
        assertEquals(7, launch("exit", "7").waitFor());
        assertEquals(1, launch("no such case").waitFor());
    }

    @Test
    void argumentsArriveAsGiven() throws Exception {
        assertEquals(List.of("<arguments>", "<a b>", "<>", "<*>", "<é>"),
                lines(launch("arguments", "a b", "", "*", "é")));
    }

    @Test
    void standardInputIsTheChilds() throws Exception {
        Process launcher = launch("echo");
        try (var in = launcher.getOutputStream()) {
            in.write("one\ntwo\n".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(List.of("one", "two"), lines(launcher));
    }

    @Test
    void optionsReachTheChild() throws Exception {
        ProcessBuilder builder = builder(List.of("-Dprobe.launcher=a b", "-Xmx300m"), "facts");
        builder.environment().put("MIXT5_JAVA_OPTS", "  -Dprobe.environment=c  -Xmx64m -XX:+UseG1GC ");
        builder.environment().put("LC_ALL", "C");
        assertEquals(List.of("a b", "c", "64", "true", "true", "é ▁"), lines(start(builder)));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void terminationStopsTheChildFirst() throws Exception {
        Process launcher = launch("wait");
        var out = launcher.inputReader(StandardCharsets.UTF_8);
        ProcessHandle child = ProcessHandle.of(Long.parseLong(out.readLine())).orElseThrow();
        launcher.toHandle().destroy();
        assertEquals("stopped", out.readLine());
        assertEquals(128 + 15, launcher.waitFor());
        assertFalse(child.isAlive());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void exitCodeAfterTerminationIsTheOneThatTheChildChooses() throws Exception {
        Process launcher = launch("wait", "5");
        launcher.inputReader(StandardCharsets.UTF_8).readLine();
        launcher.toHandle().destroy();
        assertEquals(5, launcher.waitFor());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void impatienceReachesTheChild() throws Exception {
        Process launcher = launch("stop slowly");
        var out = launcher.inputReader(StandardCharsets.UTF_8);
        ProcessHandle child = ProcessHandle.of(Long.parseLong(out.readLine())).orElseThrow();
        launcher.toHandle().destroy();
        assertEquals("stopping", out.readLine());
        do {
            launcher.toHandle().destroy();
        } while (!launcher.waitFor(100, TimeUnit.MILLISECONDS));
        assertEquals(128 + 15, launcher.exitValue());
        assertFalse(child.isAlive());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void killedChildIsReported() throws Exception {
        Process launcher = launch("wait");
        long child = Long.parseLong(launcher.inputReader(StandardCharsets.UTF_8).readLine());
        ProcessHandle.of(child).orElseThrow().destroyForcibly();
        assertEquals(128 + 9, launcher.waitFor());
    }

    @Test
    void wrongJdkIsOneSentenceAndExitCodeTwo() throws Exception {
        ProcessBuilder builder = builder(List.of(), "exit", "0");
        builder.environment().put("MIXT5_JAVA", "nowhere");
        Process launcher = start(builder);
        assertEquals(List.of(), lines(launcher));
        assertEquals(Launcher.USER_ERROR, launcher.waitFor());
        List<String> errors = launcher.errorReader(StandardCharsets.UTF_8).lines().toList();
        assertEquals(1, errors.size(), errors::toString);
        assertTrue(errors.getFirst().contains("MIXT5_JAVA is nowhere"), errors::toString);
    }

    @Test
    void onlySystemPropertiesAndJvmOptionsAreHandedOn() throws Exception {
        JdkFinder jdks = new JdkFinder(Map.of(), Path.of(System.getProperty("java.home")), List.of());
        List<String> given = List.of("-Da=b", "-Xmx1g", "-XX:+UseParallelGC", "-javaagent:x.jar", "--add-opens=a/b=c");
        List<String> command = new Launcher("Main", jdks, Map.of("MIXT5_JAVA_OPTS", "-Xmx2g"))
                .command(jdks.find(), given, new String[]{"config.json"});
        int first = command.indexOf("-Da=b");
        assertEquals(List.of("-Da=b", "-Xmx1g", "-XX:+UseParallelGC", "-Xmx2g", "-cp"),
                command.subList(first, first + 5));
        assertEquals(List.of("Main", "config.json"), command.subList(command.size() - 2, command.size()));
    }

    @Test
    void theCollectorIsTheSmallestUnlessOneIsChosen() throws Exception {
        String serial = "-XX:+UseSerialGC";
        assertTrue(command(Map.of(), List.of("-Xmx1g")).contains(serial));
        assertFalse(command(Map.of(), List.of("-XX:+UseG1GC")).contains(serial));
        for (String variable : List.of("MIXT5_JAVA_OPTS", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS")) {
            assertFalse(command(Map.of(variable, "-Xmx1g -XX:+UseZGC"), List.of()).contains(serial), variable);
        }
    }

    private static List<String> command(Map<String, String> environment, List<String> given) throws Exception {
        JdkFinder jdks = new JdkFinder(Map.of(), Path.of(System.getProperty("java.home")), List.of());
        return new Launcher("Main", jdks, environment).command(jdks.find(), given, new String[0]);
    }

    /** Class file version 52 is Java 8. */
    @Test
    void anyJvmInUseCanLoadTheLauncher() throws IOException {
        for (Class<?> type : List.of(Launcher.class, LaterSignals.class, Jdk.class, JdkFinder.class,
                JdkFinder.NoJdkException.class)) {
            String file = type.getName().substring(type.getPackageName().length() + 1) + ".class";
            try (InputStream in = type.getResourceAsStream(file); var data = new DataInputStream(in)) {
                data.readInt();
                data.readUnsignedShort();
                assertEquals(52, data.readUnsignedShort(), file);
            }
        }
    }

    private Process launch(String... args) throws IOException {
        return start(builder(List.of(), args));
    }

    private Process start(ProcessBuilder builder) throws IOException {
        Process process = builder.start();
        started.add(process);
        return process;
    }

    private static ProcessBuilder builder(List<String> options, String... args) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", place(Launcher.class) + File.pathSeparator + place(Start.class)));
        command.add(Start.class.getName());
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeAll(List.of("MIXT5_JAVA", "MIXT5_JAVA_OPTS"));
        return builder;
    }

    private static Path place(Class<?> type) {
        return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()));
    }

    private static List<String> lines(Process process) {
        return process.inputReader(StandardCharsets.UTF_8).lines().toList();
    }
}
