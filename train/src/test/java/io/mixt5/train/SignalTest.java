package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.train.quickstart.Quickstart;
import io.mixt5.train.run.CheckpointAudit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Processes of their own, ended by signals in the middle of their training. */
class SignalTest {
    private static final long PATIENCE = Duration.ofMinutes(2).toNanos();

    private static final int SIGINT = 2;

    @TempDir
    Path directory;

    @Test
    void savesAndExitsWith143AndGoesOnLater() throws Exception {
        new Quickstart(12, 2, 6, 300).write(directory, 5);
        Process first = started();
        Path metrics = directory.resolve("run/metrics.jsonl");
        first.toHandle().destroy(); // Process.destroy would close the streams too
        String printed = new String(first.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(first.waitFor(2, TimeUnit.MINUTES));
        assertEquals(143, first.exitValue(), printed);
        assertTrue(printed.contains("stopped after step"), printed);
        int steps = Files.readAllLines(metrics).size();
        assertEquals(steps, CheckpointAudit.newestWhole(directory.resolve("run")));

        Process second = start(steps + 1);
        String more = new String(second.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, second.waitFor(), more);
        assertEquals(steps + 1, Files.readAllLines(metrics).size());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void anInterruptSavesAndExitsWith130() throws Exception {
        if (ignoresInterrupts()) {
            System.out.println("NOT TESTED: what SIGINT does, as whoever started these tests has it ignored");
            return;
        }
        new Quickstart(12, 2, 6, 300).write(directory, 5);
        Process run = started();
        signal("INT", run);
        // What the launcher adds after Ctrl-C, when it has been interrupted too.
        signal("TERM", run);
        String printed = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(130, run.waitFor(), printed);
        assertTrue(printed.contains("stopped after step"), printed);
        assertTrue(CheckpointAudit.newestWhole(directory.resolve("run")) > 0, printed);
    }

    /** As a service manager ends a run: it tells all processes of a group, the launcher among them, which tells the run too. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void theSameSignalToldTwiceStillSaves() throws Exception {
        new Quickstart(12, 2, 6, 300).write(directory, 5);
        Process run = started();
        signal("TERM", run);
        signal("TERM", run);
        String printed = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(143, run.waitFor(), printed);
        assertTrue(printed.contains("stopped after step"), printed);
        assertTrue(CheckpointAudit.newestWhole(directory.resolve("run")) > 0, printed);
    }

    /** Whether processes started here ignore SIGINT, as those that a shell has put in the background do. */
    private static boolean ignoresInterrupts() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return false;
        }
        String mask = Files.readAllLines(status).stream().filter(line -> line.startsWith("SigIgn:")).findFirst()
                .orElse("SigIgn: 0");
        // The JVM itself listens to SIGINT only where it was not ignored from the start.
        return (Long.parseUnsignedLong(mask.substring(mask.indexOf(':') + 1).trim(), 16) & 1L << SIGINT - 1) != 0;
    }

    private static void signal(String name, Process process) throws Exception {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    }

    /** A run that has made two steps. */
    private Process started() throws Exception {
        Process run = start(100_000);
        long deadline = System.nanoTime() + PATIENCE;
        while (CheckpointAudit.lastStep(directory.resolve("run")) < 2) {
            assertTrue(run.isAlive() && System.nanoTime() < deadline, "the run did not get to its second step");
            Thread.sleep(20);
        }
        return run;
    }

    private Process start(int maxSteps) throws IOException {
        Path config = TrainProcess.config(directory.resolve("config.json"), directory, directory.resolve("run"),
                """
                        "optim": "adafactor", "learning_rate": 0.01, "lr_scheduler_type": "constant", "max_steps": %d,
                        "logging_steps": 1
                        """
                        .formatted(maxSteps));
        return new ProcessBuilder(TrainProcess.command(List.of(), config)).redirectErrorStream(true).start();
    }
}
