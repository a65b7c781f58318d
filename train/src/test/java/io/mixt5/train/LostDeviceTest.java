package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.kernels.cuda.LosableGpu;
import io.mixt5.train.quickstart.Quickstart;
import io.mixt5.train.run.CheckpointAudit;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A GPU that fails in the middle of a run, behind the stand-in for CUDA's driver. */
class LostDeviceTest {
    private static final int STEPS = 3;

    @TempDir
    Path directory;

    @BeforeAll
    static void needsTheStandIn() {
        LosableGpu.assumeAvailable();
    }

    @Test
    void aLostDeviceIsOneSentenceAndTheLastCheckpointIsWhole() throws Exception {
        new Quickstart(6, 2, 3, 300).write(directory, 5);
        Path lost = directory.resolve("lost");
        try (LosableGpu gpu = new LosableGpu()) {
            assertEquals(0, run("whole", "cuda", STEPS, null));
            long launches = gpu.launches();
            // Within the third step of a run that is like the one before.
            gpu.loseAt((int) (launches * 5 / 6));
            StringWriter errors = new StringWriter();
            assertEquals(CommandLine.ExitCode.SOFTWARE, run("lost", "cuda", STEPS, errors), errors.toString());
            List<String> lines = errors.toString().lines().toList();
            assertEquals(1, lines.size(), errors.toString());
            assertTrue(lines.getFirst().startsWith("error: cuLaunchKernel failed with CUDA_ERROR_LAUNCH_FAILED"),
                    errors.toString());
            assertTrue(lines.getFirst().contains("checkpoint"), errors.toString());
        }
        assertEquals(2, CheckpointAudit.newestWhole(lost));
        assertEquals(0, run("lost", "emulator", STEPS, null));
        Path weights = Path.of("checkpoint-" + STEPS, "model.safetensors");
        assertEquals(-1, Files.mismatch(directory.resolve("whole").resolve(weights), lost.resolve(weights)));
    }

    private int run(String name, String device, int steps, StringWriter errors) throws Exception {
        Path config = TrainProcess.config(directory.resolve(name + ".json"), directory, directory.resolve(name), """
                "learning_rate": 0.01, "max_steps": %d, "save_strategy": "steps", "save_steps": 1
                """.formatted(steps));
        Files.writeString(config, Files.readString(config).replace("\"cpu\"", "\"" + device + "\""));
        CommandLine line = Main.commandLine();
        if (errors != null) {
            line.setErr(new PrintWriter(errors, true));
        }
        return line.execute(config.toString());
    }
}
