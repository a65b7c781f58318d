package io.mixt5.bench;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import java.util.List;
import java.util.stream.IntStream;

/** Random matrices and texts, the same in every run. */
final class RandomData {
    static final long SEED = 42;
    /** The first id behind the special ones. */
    private static final int FIRST_WORD = 3;

    private RandomData() {
    }

    /** F32 [rows, columns] of numbers in [-0.5, 0.5), which nobody owns. */
    static Tensor matrix(Device device, int stream, int rows, int columns) {
        float[] values = new float[rows * columns];
        IntStream.range(0, values.length).parallel()
                .forEach(i -> values[i] = Philox.uniform(SEED, stream, 0, i) - 0.5f);
        return Tensor.create(device, DType.F32, Shape.of(rows, columns), "random matrix").upload(values);
    }

    /** Sources and labels of {@code batch} sequences. */
    static T5Batch batch(T5Config config, int batch, int source, int target) {
        return T5Batch.of(words(config, batch, source, 0), words(config, batch, target, 1), config);
    }

    /** Sequences of random words, {@code length} each. */
    static List<int[]> words(T5Config config, int batch, int length, int stream) {
        int range = config.vocabSize - FIRST_WORD;
        return IntStream.range(0, batch).mapToObj(b -> IntStream.range(0, length)
                .map(i -> FIRST_WORD + Integer.remainderUnsigned(Philox.bits(SEED, stream, b, i), range)).toArray())
                .toList();
    }
}
