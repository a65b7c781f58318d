package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExpertSimilarityTest {
    private final Device device = Device.of("reference");

    @ParameterizedTest
    @ValueSource(strings = {"gated-gelu", "relu"})
    void isTheMeanCosineOverAllPairs(String feedForward) {
        T5Config config = MixtureModels.config(m -> {}, c -> c.feedForwardProj = feedForward);
        try (T5Model model = T5Model.random(config, device, 3)) {
            List<ExpertSimilarity> layers = ExpertSimilarity.of(model);
            assertEquals(List.of("encoder.block.1.layer.1", "decoder.block.1.layer.2"),
                    layers.stream().map(ExpertSimilarity::layer).toList());
            for (ExpertSimilarity layer : layers) {
                double sum = 0;
                for (int e = 0; e < 4; e++) {
                    for (int f = 0; f < e; f++) {
                        sum += dot(model, layer.layer(), e, f)
                                / Math.sqrt(dot(model, layer.layer(), e, e) * dot(model, layer.layer(), f, f));
                    }
                }
                assertEquals(sum / 6, layer.cosine(), 1e-9);
            }
        }
    }

    private static double dot(T5Model model, String layer, int e, int f) {
        double sum = 0;
        for (String matrix : List.of("wi", "wi_0", "wi_1", "wo")) {
            String name = layer + ".experts.%d." + matrix + ".weight";
            if (model.parameters().get(name.formatted(e)) != null) {
                float[] a = model.parameters().get(name.formatted(e)).value().toFloats();
                float[] b = model.parameters().get(name.formatted(f)).value().toFloats();
                for (int i = 0; i < a.length; i++) {
                    sum += (double) a[i] * b[i];
                }
            }
        }
        return sum;
    }

    @Test
    void copiesAreAlikeAndNoiseTellsThemApart() {
        T5Config dense = MixtureModels.config(m -> m.activateMoe = false);
        MixtureConfig mixture = MixtureModels.config(m -> {}).mixture();
        try (T5Model parent = T5Model.random(dense, device, 1);
                T5Model copies = Upcycling.upcycle(parent, mixture, 0, 2);
                T5Model noisy = Upcycling.upcycle(parent, mixture, 1, 2)) {
            assertEquals(List.of(), ExpertSimilarity.of(parent));
            ExpertSimilarity.of(copies).forEach(layer -> assertEquals(1, layer.cosine(), 1e-12));
            // The noise's variance is lambda^2 / 12 of the weights'.
            ExpertSimilarity.of(noisy).forEach(layer -> assertEquals(12 / 13.0, layer.cosine(), 0.02));
        }
    }

    @Test
    void aSingleExpertIsLikeItself() {
        try (T5Model model = T5Model.random(MixtureModels.config(m -> m.numLocalExperts = 1), device, 1)) {
            assertTrue(ExpertSimilarity.of(model).stream().allMatch(layer -> layer.cosine() == 1));
        }
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
