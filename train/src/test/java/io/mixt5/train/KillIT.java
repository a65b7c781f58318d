package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.train.quickstart.Quickstart;
import io.mixt5.train.run.CheckpointAudit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pulls the plug on runs, at random moments from the start of the process to the last step. Property {@code mixt5.kills} asks
 * for more than the usual 50.
 */
class KillIT {
    private static final int KILLS = Integer.getInteger("mixt5.kills", 50);
    private static final int STEPS = 30;
    private static final long SEED = 20;
    private static final int STARTING_MILLIS = 1000;
    private static final int MOST_STEPS = 3;
    private static final int KILLED = 128 + 9;

    @TempDir
    Path directory;
    private Path data;
    /** What a step and its save last, as far as is known. */
    private double stepMillis = 50;

    @BeforeEach
    void makeData() {
        data = directory.resolve("data");
        new Quickstart(12, 2, 6, 300).write(data, 5);
    }

    @Test
    void aKilledRunAlwaysGoesOnFromAWholeCheckpointToTheSameWeights() throws Exception {
        Path whole = place("whole");
        assertEquals(0, finish(config(whole, STEPS), whole));
        Random moments = new Random(SEED);
        int kills = 0;
        int rounds = 0;
        int amidSaving = 0;
        while (kills < KILLS) {
            Path killed = place("killed-" + rounds);
            int reached = 0;
            while (kills < KILLS && kill(killed, moments)) {
                kills++;
                amidSaving += CheckpointAudit.begun(killed) ? 1 : 0;
                int newest = CheckpointAudit.newestWhole(killed);
                assertTrue(newest >= reached,
                        "step " + reached + " was saved, but now the newest whole one is " + newest);
                reached = newest;
            }
            assertEquals(0, finish(config(killed, 1), killed));
            assertSameRun(whole, killed);
            rounds++;
        }
        System.out.println(kills + " kills in " + rounds + " runs, " + amidSaving + " of them in the middle of a save");
        assertTrue(amidSaving > 0, "no moment was within a save");
    }

    /**
     * Starts a run and kills it: one time in four while it starts, else at any moment of one of its first steps and their
     * saves, which last about as long as those before did. False when it had come to its end before.
     */
    private boolean kill(Path run, Random moments) throws Exception {
        int start = CheckpointAudit.newestWhole(run);
        Process process = TrainProcess.start(config(run, 1), log(run));
        int steps = moments.nextInt(MOST_STEPS + 1);
        double moment = moments.nextDouble();
        long delay = Math.round(moment * STARTING_MILLIS);
        if (steps > 0) {
            // Lines of steps that were never saved are removed first.
            while (process.isAlive() && CheckpointAudit.lastStep(run) > start) {
                Thread.sleep(1);
            }
            long last = System.nanoTime();
            for (int step = start; process.isAlive() && step < start + steps;) {
                Thread.sleep(1);
                int now = CheckpointAudit.lastStep(run);
                if (now > step) {
                    stepMillis = step == start ? stepMillis : (System.nanoTime() - last) * 1e-6;
                    last = System.nanoTime();
                    step = now;
                }
            }
            delay = Math.round(moment * stepMillis);
        }
        if (!process.waitFor(delay, TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
        }
        // The run may also have come to its end between the two.
        int code = process.waitFor();
        assertTrue(code == 0 || code == KILLED, () -> "exit code " + code + ", see " + log(run));
        return code == KILLED;
    }

    private int finish(Path config, Path run) throws Exception {
        Process process = TrainProcess.start(config, log(run));
        int code = process.waitFor();
        if (code != 0) {
            System.out.println(Files.readString(log(run)));
        }
        return code;
    }

    /** Where a run goes; all have directories of one name, since a model's card holds it. */
    private Path place(String name) throws IOException {
        return Files.createDirectories(directory.resolve(name)).resolve("run");
    }

    private static Path log(Path run) {
        return run.resolveSibling(run.getFileName() + ".log");
    }

    private Path config(Path run, int saveSteps) throws IOException {
        return TrainProcess.config(run.resolveSibling(run.getFileName() + ".json"), data, run, """
                "learning_rate": 0.01, "max_steps": %d, "logging_steps": 1, "save_strategy": "steps", "save_steps": %d
                """.formatted(STEPS, saveSteps));
    }

    /** The last checkpoint has the same bytes, and the log the same steps, each once. */
    private static void assertSameRun(Path expected, Path actual) throws IOException {
        Path checkpoint = Path.of("checkpoint-" + STEPS);
        try (var files = Files.list(expected.resolve(checkpoint))) {
            for (Path file : files.toList()) {
                Path other = actual.resolve(checkpoint).resolve(file.getFileName());
                assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(other), other.toString());
            }
        }
        assertEquals(CheckpointAudit.steps(expected), CheckpointAudit.steps(actual));
    }
}
