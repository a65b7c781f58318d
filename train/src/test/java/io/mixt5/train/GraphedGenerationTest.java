package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.kernels.cuda.GraphedGpu;
import io.mixt5.model.Generated;
import io.mixt5.model.GenerationConfig;
import io.mixt5.model.Generator;
import io.mixt5.model.ModelGoldens;
import io.mixt5.model.T5Model;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Generation in which each token is one graph of CUDA's driver, behind its stand-in, against the same without graphs. */
class GraphedGenerationTest {
    private static final int MAX_LENGTH = 8;

    @TempDir
    Path directory;

    @BeforeAll
    static void needsTheStandIn() {
        GraphedGpu.assumeAvailable();
    }

    private static GenerationConfig config(String way) {
        GenerationConfig config = GenerationConfig.greedy(MAX_LENGTH);
        switch (way) {
            case "beams" -> config.numBeams = 3;
            case "drawing" -> {
                config.doSample = true;
                config.seed = 5;
                config.numReturnSequences = 2;
            }
            default -> assertEquals("greedy", way);
        }
        return config;
    }

    /** A pass waits for the best tokens, for their probabilities, and for what a router may have to report. */
    @ParameterizedTest
    @CsvSource({"tiny-t5-v1_1, greedy, 2", "tiny-t5-v1_1, beams, 2", "tiny-t5-v1_1, drawing, 2",
            "tiny-moe-top2, greedy, 3"})
    void tokensAreThoseOfPlainLaunches(String name, String way, int waitsOfPass) {
        ModelGoldens goldens = ModelGoldens.ofProject(name, directory);
        List<int[]> sources = goldens.sources();
        List<List<Generated>> plain;
        long kernels;
        try (GraphedGpu gpu = new GraphedGpu(false);
                T5Model model = T5Model.load(goldens.directory(), gpu.device())) {
            plain = new Generator(model, config(way)).outputs(sources);
            kernels = gpu.kernels();
            assertEquals(0, gpu.launches());
        }
        try (GraphedGpu gpu = new GraphedGpu(true)) {
            try (T5Model model = T5Model.load(goldens.directory(), gpu.device())) {
                Generator generator = new Generator(model, config(way));
                assertOutputs(plain, generator.outputs(sources));
                assertEquals(kernels, gpu.kernels());
                long launches = gpu.launches();
                long waits = gpu.waits();
                long nodes = gpu.nodes();
                long made = gpu.made();
                long updates = gpu.updates();
                assertOutputs(plain, generator.outputs(sources));
                long passes = (gpu.waits() - waits) / waitsOfPass;
                System.out.printf("%s, %s: %d passes as %d graphs of %d kernels and copies each; %d made, %d updated%n",
                        name, way, passes, gpu.launches() - launches, (gpu.nodes() - nodes) / passes,
                        gpu.made() - made, gpu.updates() - updates);
                assertTrue(passes >= 2);
                assertEquals(passes, gpu.launches() - launches);
                assertTrue(gpu.updates() > updates, "graphs serve again");
            }
            assertTrue(gpu.made() >= 2, "the first pass and others are graphs of different nodes");
            assertTrue(gpu.made() < gpu.launches() && gpu.updates() > 0);
            assertEquals(0, gpu.live().getFirst());
            assertEquals(0, gpu.live().getLast());
            assertEquals(List.of(), gpu.thrown());
            assertEquals(0, gpu.device().liveBytes());
        }
    }

    private static void assertOutputs(List<List<Generated>> expected, List<List<Generated>> actual) {
        assertEquals(expected.size(), actual.size());
        for (int source = 0; source < expected.size(); source++) {
            assertEquals(expected.get(source).size(), actual.get(source).size());
            for (int n = 0; n < expected.get(source).size(); n++) {
                assertArrayEquals(expected.get(source).get(n).ids(), actual.get(source).get(n).ids());
                assertEquals(expected.get(source).get(n).score(), actual.get(source).get(n).score());
            }
        }
    }
}
