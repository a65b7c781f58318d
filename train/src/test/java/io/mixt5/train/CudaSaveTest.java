package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Saving a model whose weights lie where the host does not see them. */
class CudaSaveTest {
    @TempDir
    Path directory;

    @Test
    void aDeviceThatTheHostDoesNotSeeWritesTheSame() throws IOException {
        Path seen = directory.resolve("seen");
        Path hidden = directory.resolve("hidden");
        try (T5Model model = T5Model.random(config(), Device.of("cpu"), 3)) {
            model.save(seen);
        }
        Device device = Device.of(CudaTestDevice.NAME);
        try (T5Model copy = T5Model.load(seen, device)) {
            assertEquals(CudaTestDevice.NAME, copy.device().name());
            copy.save(hidden);
        }
        assertEquals(0, device.liveTensors());
        try (var files = Files.list(seen)) {
            List<Path> saved = files.toList();
            assertTrue(saved.size() >= 3, saved.toString());
            for (Path file : saved) {
                assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(hidden.resolve(file.getFileName())),
                        file.toString());
            }
        }
    }

    private static T5Config config() {
        T5Config config = T5Config.preset("tiny");
        config.vocabSize = 96;
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = 4;
        mixture.numExpertsPerTok = 2;
        mixture.numMoeLayers = 1;
        return config.with(mixture);
    }
}
