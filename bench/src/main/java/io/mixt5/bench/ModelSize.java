package io.mixt5.bench;

import io.mixt5.engine.Sizes;
import io.mixt5.model.T5Config;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Which T5 a benchmark is about, and with how much data. */
@State(Scope.Benchmark)
public class ModelSize {
    /** {@code small}, {@code base}, or {@code tiny} to see that a benchmark works, whose tensors fit into every cache. */
    @Param("small")
    public String size;

    /** The model's shape. */
    public T5Config config() {
        T5Config config = T5Config.preset(size);
        if (size.equals("tiny")) {
            config.vocabSize = 1024;
        }
        return config;
    }

    /** Sequences of a batch. */
    public int batch() {
        return switch (size) {
            case "tiny" -> 2;
            case "base" -> 4;
            default -> 8;
        };
    }

    /** Source tokens of a sequence. */
    public int source() {
        return size.equals("tiny") ? 32 : 512;
    }

    /** Target tokens of a sequence. */
    public int target() {
        return source() / 16;
    }

    /** Sizes for ops; those that stream through memory get tensors of 64 MiB and more, so that no cache holds them. */
    public Sizes ops() {
        T5Config config = config();
        boolean tiny = size.equals("tiny");
        return new Sizes(tiny ? 128 : 32 * 1024, batch(), source(), tiny ? 4 : 1024, config.dModel, config.numHeads,
                config.dKv, config.dFf, config.vocabSize, 8, 2);
    }
}
