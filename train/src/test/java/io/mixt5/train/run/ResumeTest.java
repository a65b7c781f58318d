package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run goes on from. */
class ResumeTest {
    @TempDir
    Path directory;
    private RunFixture runs;

    @BeforeEach
    void makeData() {
        runs = new RunFixture(directory);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, Device.of("cpu").liveTensors());
    }

    @Test
    void keepsTheNewestCheckpoints() throws IOException {
        runs.run("a", "'max_steps': 4, 'save_total_limit': 3");
        assertFalse(Files.exists(directory.resolve("a/checkpoint-1")));
        for (int step = 2; step <= 4; step++) {
            assertTrue(Files.exists(directory.resolve("a/checkpoint-" + step)));
        }
    }

    @Test
    void aDamagedCheckpointIsNamedAndTheOneBeforeTaken() throws IOException {
        runs.run("whole", "'max_steps': 4");
        runs.run("a", "'max_steps': 3");
        damage("a/checkpoint-3/optimizer.safetensors");
        runs.printed();
        runs.run("a", "'max_steps': 4");
        String printed = runs.printed();
        assertTrue(printed.contains("warning: " + directory.resolve("a/checkpoint-3") + " is damaged, as "
                + "optimizer.safetensors is not as it was written, and is now called checkpoint-3.damaged; going on from "
                + directory.resolve("a/checkpoint-2")), printed);
        assertTrue(Files.exists(directory.resolve("a/checkpoint-3.damaged/model.safetensors")), "costs nobody data");
        assertSame("whole", "a", 4);
    }

    @Test
    void onlyDamagedCheckpointsEndTheRunAndStay() throws IOException {
        runs.run("a", "'max_steps': 1");
        damage("a/checkpoint-1/model.safetensors");
        UserException e = assertThrows(UserException.class, () -> runs.run("a", "'max_steps': 2"));
        assertTrue(e.getMessage().contains("checkpoint-1, model.safetensors is not as it was written"), e.getMessage());
        assertTrue(Files.exists(directory.resolve("a/checkpoint-1/model.safetensors")));
    }

    @Test
    void goesOnFromTheCheckpointThatIsNamed() throws IOException {
        runs.run("whole", "'max_steps': 3");
        runs.run("a", "'max_steps': 2, 'save_total_limit': 5");
        String first = "'resume': '" + directory.resolve("a/checkpoint-1") + "'";
        runs.run("b", "'max_steps': 3, " + first);
        assertSame("whole", "b", 3);
        UserException e = assertThrows(UserException.class, () -> runs.run("a", "'max_steps': 3, " + first));
        assertTrue(e.getMessage().contains("checkpoint-2 is later than"), e.getMessage());
        damage("a/checkpoint-1/config.json");
        e = assertThrows(UserException.class, () -> runs.run("c", "'max_steps': 3, " + first));
        assertTrue(e.getMessage().contains("config.json is not as it was written"), e.getMessage());
        e = assertThrows(UserException.class,
                () -> runs.run("c", "'max_steps': 3, 'resume': '" + directory.resolve("data") + "'"));
        assertTrue(e.getMessage().contains("it has no SHA256SUMS"), e.getMessage());
    }

    @Test
    void aMisspeltWordIsRefusedWithTheNearest() {
        UserException e = assertThrows(UserException.class, () -> runs.config("a", "'max_steps': 3, 'resume': 'nevr'"));
        assertTrue(e.getMessage().endsWith("there is no directory nevr; did you mean never?"), e.getMessage());
    }

    @Test
    void refusesToLoseItsPlaceInTheData() throws IOException {
        runs.run("a", "'max_steps': 1");
        assertRefused("'per_device_train_batch_size': 4",
                "was trained with per_device_train_batch_size 8, not 4; use the "
                        + "same, another save_dir, or resume: never");
        assertRefused("'group_by_length': false", "was trained with group_by_length true, not false");
        assertRefused("'optim': 'adafactor'", "was trained with optim ADAMW, not ADAFACTOR");
        assertRefused("'max_sequence_length': 20", "was trained on other data: with max_sequence_length 512, not 20");
        Path file = directory.resolve("data/train.json");
        Files.writeString(file, Files.readString(file).replaceFirst("She ", "He "));
        assertRefused("'max_target_length': 64",
                "was trained on other data than these: train_file, its questions or the "
                        + "tokenizer have changed");
    }

    private void assertRefused(String key, String sentence) {
        UserException e = assertThrows(UserException.class, () -> runs.run("a", "'max_steps': 2, " + key));
        assertTrue(e.getMessage().contains(directory.resolve("a/checkpoint-1") + " " + sentence), e.getMessage());
    }

    /** What makes no other data and takes away no place. */
    @Test
    void saysWhatMakesItAnotherRun() throws IOException {
        runs.run("a", "'max_steps': 1, 'max_sequence_length': 400");
        runs.printed();
        runs.run("a", "'max_steps': 2");
        assertFalse(runs.printed().contains("note:"));
        runs.run("a", "'max_steps': 3, 'weight_decay': 0.5");
        String printed = runs.printed();
        assertTrue(printed
                .contains("note: " + directory.resolve("a/checkpoint-2") + " was trained with weight_decay 0.0, and "
                        + "the run goes on with 0.5, so it will not end as it would have"),
                printed);
    }

    private void damage(String file) throws IOException {
        Path path = directory.resolve(file);
        byte[] content = Files.readAllBytes(path);
        content[content.length / 2] ^= 4;
        Files.write(path, content);
    }

    private void assertSame(String first, String second, int step) throws IOException {
        for (String file : new String[]{"model.safetensors", "optimizer.safetensors", "trainer_state.json"}) {
            Path path = Path.of("checkpoint-" + step, file);
            assertEquals(-1,
                    Files.mismatch(directory.resolve(first).resolve(path), directory.resolve(second).resolve(path)),
                    file);
        }
    }
}
