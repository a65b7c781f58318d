package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.mixt5.engine.Device;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that cannot be written, in the middle of a save: what was saved before is whole, and the run goes on. */
class FailedSaveTest {
    @TempDir
    Path directory;

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, Device.of("cpu").liveTensors());
    }

    /** AdamW whose state is asked for when the model has been written already and the optimiser has not. */
    private static final class AmidSave implements Optimizer {
        private final Optimizer optimizer;
        private Runnable event = () -> {
        };

        AmidSave(T5Model model) {
            optimizer = new AdamWOptimizer(model.parameters().all(), p -> 0, 0.9, 0.999, 1e-8);
        }

        @Override
        public void step(double learningRate, Tensor norm, double maxNorm, double maxUsableNorm) {
            throw new UnsupportedOperationException("it only lends its state");
        }

        @Override
        public Map<String, Tensor> state() {
            event.run();
            return optimizer.state();
        }

        @Override
        public void close() {
            optimizer.close();
        }
    }

    /** What is to happen in the middle of the second save. */
    private interface Fault {
        void strike(Path run, Path half) throws IOException;
    }

    private void assertFirstStaysWhole(Path root, Fault fault) throws IOException {
        new RunFixture(directory);
        T5Config shape = T5Config.preset("tiny");
        shape.vocabSize = 400;
        shape.dModel = 64;
        try (T5Tokenizer tokenizer = T5Tokenizer.load(directory.resolve("data/spiece.model"));
                T5Model model = T5Model.random(shape, Device.of("cpu"), 3);
                AmidSave optimizer = new AmidSave(model)) {
            RunDirectory run = new RunDirectory(root);
            RunSettings settings = new RunSettings(JsonNodeFactory.instance.objectNode());
            TrainState first = TrainState.start(7).advanced(1, false, null);
            run.save(model, tokenizer, optimizer, first, settings, 1);
            optimizer.event = () -> {
                Path half = root.resolve(".checkpoint-2.new");
                if (!Files.exists(half.resolve("model.safetensors"))) {
                    return; // The state is asked for its size first.
                }
                try {
                    fault.strike(root, half);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            };
            UserException e = assertThrows(UserException.class,
                    () -> run.save(model, tokenizer, optimizer, first.advanced(2, false, null), settings, 1));
            assertTrue(e.getMessage().contains("cannot"), e.getMessage());
            assertNull(Checksums.damage(root.resolve("checkpoint-1")));
            assertEquals(1, new RunDirectory(root).newestWhole(FailedSaveTest::unexpected).state().step());
        }
    }

    private static void unexpected(String warning) {
        throw new AssertionError(warning);
    }

    @Test
    void theDirectoryBecomesAFileInTheMiddleOfASave() throws IOException {
        assertFirstStaysWhole(directory.resolve("run"), (run, half) -> {
            try (var files = Files.list(half)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(half);
            Files.writeString(half, "in the way");
        });
        assertFalse(Files.exists(directory.resolve("run/.checkpoint-2.new")), "what a failure leaves is removed");
    }

    @Test
    void theDirectoryBecomesReadOnlyInTheMiddleOfASave() throws IOException {
        Path probe = Files.createDirectory(directory.resolve("probe"));
        readOnly(probe);
        try {
            Files.createFile(probe.resolve("x"));
            System.out.println("NOT TESTED: a directory that becomes read-only, as this user may write everywhere");
            return;
        } catch (IOException e) {
            assertFirstStaysWhole(directory.resolve("run"), (run, half) -> readOnly(half));
        } finally {
            try (var paths = Files.walk(directory)) {
                for (Path path : paths.filter(Files::isDirectory).toList()) {
                    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
                }
            }
        }
    }

    private static void readOnly(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("r-xr-xr-x"));
    }

    /** A disk of 16 MiB that something else fills when the room has been checked already. */
    @Test
    void theDiskBecomesFullInTheMiddleOfASave() throws Exception {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        if (!succeeds("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk.toString())) {
            System.out.println("NOT TESTED: a disk that becomes full, as this user may not mount one");
            return;
        }
        try {
            assertFirstStaysWhole(disk.resolve("run"), (run, half) -> {
                long free = Files.getFileStore(run).getUsableSpace();
                Files.write(disk.resolve("filler"), new byte[Math.toIntExact(free - 8192)]);
            });
        } finally {
            assertTrue(succeeds("umount", disk.toString()), "umount " + disk);
        }
    }

    private static boolean succeeds(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void aRunGoesOnWithoutASaveAndTriesAgain() throws IOException {
        RunFixture runs = new RunFixture(directory);
        runs.run("whole", "'max_steps': 4");
        runs.printed();
        Path run = directory.resolve("a");
        AtomicInteger steps = new AtomicInteger();
        assertTrue(runs.run(runs.config("a", "'max_steps': 4"), () -> {
            int step = steps.incrementAndGet();
            try {
                if (step == 2) {
                    Files.move(run, directory.resolve("away"));
                    Files.writeString(run, "in the way");
                } else if (step == 3) {
                    assertNull(Checksums.damage(directory.resolve("away/checkpoint-1")));
                    Files.delete(run);
                    Files.move(directory.resolve("away"), run);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return false;
        }));
        String printed = runs.printed();
        assertTrue(printed.contains("warning: the checkpoint after step 2 could not be saved: "), printed);
        assertEquals(List.of("checkpoint-3", "checkpoint-4"), checkpoints(run));
        assertEquals(-1, Files.mismatch(directory.resolve("whole/checkpoint-4/model.safetensors"),
                run.resolve("checkpoint-4/model.safetensors")));
    }

    @Test
    void aLastSaveThatFailsIsAnError() throws IOException {
        RunFixture runs = new RunFixture(directory);
        Path run = directory.resolve("a");
        AtomicInteger steps = new AtomicInteger();
        UserException e = assertThrows(UserException.class, () -> runs.run(runs.config("a", "'max_steps': 2"), () -> {
            try {
                if (steps.incrementAndGet() == 2) {
                    Files.move(run, directory.resolve("away"));
                    Files.writeString(run, "in the way");
                }
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
            return false;
        }));
        assertTrue(e.getMessage().startsWith("the run's last checkpoint could not be saved: "), e.getMessage());
        assertNull(Checksums.damage(directory.resolve("away/checkpoint-1")));
    }

    @Test
    void aDiskWithoutRoomIsSeenBefore() {
        UserException e = assertThrows(UserException.class,
                () -> DiskSpace.require(directory, Long.MAX_VALUE, "for a test", "free some"));
        assertTrue(e.getMessage()
                .matches("the disk of .* has [0-9,]+ bytes free, but 9,223,372,036,854,775,807 are needed "
                        + "for a test; free some"),
                e.getMessage());
        DiskSpace.require(directory, 1, "for a test", "free some");
    }

    private static List<String> checkpoints(Path run) throws IOException {
        try (var files = Files.list(run)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.contains("checkpoint")).sorted()
                    .toList();
        }
    }
}
