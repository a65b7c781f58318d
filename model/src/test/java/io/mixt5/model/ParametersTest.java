package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Device;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Shape;
import org.junit.jupiter.api.Test;

class ParametersTest {
    @Test
    void initialWeightsComeFromAStepThatTrainingNeverTakes() {
        try (Parameters parameters = new Parameters(Device.of("reference"))) {
            parameters.create("norm", Shape.of(2), 0);
            parameters.create("matrix", Shape.of(3, 5), 0.5);
            parameters.initialize(7);
            assertArrayEquals(new float[]{1, 1}, parameters.get("norm").value().toFloats());
            float[] weights = parameters.get("matrix").value().toFloats();
            for (int i = 0; i < weights.length; i++) {
                assertEquals((float) (0.5 * Philox.normal(7, 1, -1, i)), weights[i]);
            }
        }
    }
}
