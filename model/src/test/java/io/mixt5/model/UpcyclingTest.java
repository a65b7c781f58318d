package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Route.Gate;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A mixture that was made from a dense model, before it is trained. */
class UpcyclingTest {
    private static final int EXPERTS = 4;
    private static final double EQUAL = 1e-5;

    private final Device device = Device.of("reference");
    private final T5Model parent = T5Model.random(shape(), device, 3);
    private final T5Batch batch = T5Batch.of(List.of(new int[]{5, 9, 2}, new int[]{7, 1, 30, 4, 8}),
            List.of(new int[]{3, 1}, new int[]{6, 11, 1}), parent.config());

    @Test
    void gatesThatPreserveKeepTheParentsLogits() {
        for (MixtureConfig mixture : List.of(mixture(1, Gate.PRESERVING), mixture(2, Gate.RENORMALIZED))) {
            try (T5Model child = Upcycling.upcycle(parent, mixture, 0, 5)) {
                assertTrue(Upcycling.largestLogitDifference(parent, child, batch) < EQUAL);
            }
        }
        try (T5Model child = Upcycling.upcycle(parent, mixture(1, Gate.RAW), 0, 5)) {
            assertTrue(Upcycling.largestLogitDifference(parent, child, batch) > EQUAL);
        }
    }

    @Test
    void routersLearnThoughTheLogitsAreTheParents() {
        for (MixtureConfig mixture : List.of(mixture(1, Gate.PRESERVING), mixture(2, Gate.RENORMALIZED))) {
            // Experts that are equal leave a renormalized router nothing to learn from.
            double lambda = mixture.gate() == Gate.PRESERVING ? 0 : 0.1;
            try (T5Model child = Upcycling.upcycle(parent, mixture, lambda, 5); Scope scope = new Scope(device)) {
                Tape tape = Tape.recording(scope);
                tape.backward(child.forward(tape, batch).loss());
                for (String stack : List.of("encoder.block.1.layer.1", "decoder.block.1.layer.2")) {
                    float[] gradient = child.parameters().get(stack + ".gate.weight").value().grad().toFloats();
                    assertTrue(norm(gradient) > 0, stack + " " + mixture.gate());
                }
            }
        }
    }

    @Test
    void expertsAreCopiesUnlessNoiseTellsThemApart() {
        try (T5Model plain = Upcycling.upcycle(parent, mixture(1, Gate.PRESERVING), 0, 5);
                T5Model noisy = Upcycling.upcycle(parent, mixture(1, Gate.PRESERVING), 0.1, 5)) {
            float[] dense = parent.parameters().get("encoder.block.1.layer.1.DenseReluDense.wo.weight").value()
                    .toFloats();
            double most = 0.05 * Upcycling.deviation(dense) * (1 + 1e-4);
            float[][] experts = new float[EXPERTS][];
            for (int e = 0; e < EXPERTS; e++) {
                String name = "encoder.block.1.layer.1.experts." + e + ".wo.weight";
                assertArrayEquals(dense, plain.parameters().get(name).value().toFloats());
                experts[e] = noisy.parameters().get(name).value().toFloats();
                for (int i = 0; i < dense.length; i++) {
                    assertEquals(dense[i], experts[e][i], most);
                }
                for (int other = 0; other < e; other++) {
                    assertFalse(Arrays.equals(experts[other], experts[e]), other + " and " + e);
                }
            }
        }
    }

    @Test
    void seedDecidesRoutersAndNoise() {
        try (T5Model a = Upcycling.upcycle(parent, mixture(1, Gate.PRESERVING), 0.1, 5);
                T5Model same = Upcycling.upcycle(parent, mixture(1, Gate.PRESERVING), 0.1, 5);
                T5Model other = Upcycling.upcycle(parent, mixture(1, Gate.PRESERVING), 0.1, 6)) {
            for (String name : List.of("gate.weight", "experts.0.wo.weight")) {
                String full = "encoder.block.1.layer.1." + name;
                float[] weights = a.parameters().get(full).value().toFloats();
                assertArrayEquals(weights, same.parameters().get(full).value().toFloats());
                assertFalse(Arrays.equals(weights, other.parameters().get(full).value().toFloats()));
            }
        }
    }

    @Test
    void refusesAMixtureAndNegativeNoise() {
        try (T5Model child = Upcycling.upcycle(parent, mixture(1, Gate.PRESERVING), 0, 5)) {
            assertThrows(UserException.class, () -> Upcycling.upcycle(child, mixture(1, Gate.RAW), 0, 5));
        }
        assertThrows(UserException.class, () -> Upcycling.upcycle(parent, mixture(1, Gate.RAW), -1, 5));
    }

    private static double norm(float[] values) {
        double squares = 0;
        for (float value : values) {
            squares += value * value;
        }
        return Math.sqrt(squares);
    }

    private static T5Config shape() {
        T5Config config = T5Config.preset("tiny");
        config.vocabSize = 40;
        config.dModel = 8;
        config.dKv = 4;
        config.numHeads = 2;
        config.dFf = 12;
        return config;
    }

    private static MixtureConfig mixture(int topK, Gate gate) {
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = EXPERTS;
        mixture.numExpertsPerTok = topK;
        mixture.numMoeLayers = 1;
        mixture.routerGate = gate;
        return mixture;
    }

    @AfterEach
    void leavesNoTensor() {
        parent.close();
        assertEquals(0, device.liveTensors());
    }
}
