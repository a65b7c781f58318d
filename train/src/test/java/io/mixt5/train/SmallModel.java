package io.mixt5.train;

import io.mixt5.engine.Device;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.quickstart.Quickstart;
import java.nio.file.Path;

/** A model of random weights, small enough to be made for a test, with the vocabulary of the project's own questions. */
public final class SmallModel {
    private SmallModel() {
    }

    /** Its shape, dense. */
    public static T5Config shape() {
        T5Config shape = T5Config.preset("tiny");
        shape.vocabSize = 512;
        shape.dModel = 16;
        shape.dKv = 4;
        shape.dFf = 24;
        return shape;
    }

    /** Writes questions to {@code data}, and a model of {@code shape} with its tokenizer to {@code directory}. */
    public static void write(T5Config shape, Path data, Path directory) {
        new Quickstart(12, 3, 6, 300).write(data, 5);
        try (T5Model model = T5Model.random(shape, Device.of("cpu"), 1);
                T5Tokenizer tokenizer = T5Tokenizer.load(data.resolve(Quickstart.VOCABULARY))) {
            model.save(directory);
            tokenizer.save(directory);
        }
    }
}
