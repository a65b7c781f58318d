package io.mixt5.model;

import io.mixt5.engine.op.CrossEntropy;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * What a training or evaluation pass takes.
 *
 * @param source the encoder's tokens
 * @param decoderInput the labels of each sequence shifted right by one, starting with the start token
 * @param labels one per decoder token; {@link CrossEntropy#IGNORE} counts for nothing
 */
public record T5Batch(Ragged source, Ragged decoderInput, int[] labels) {
    /** Checks that the parts belong together. */
    public T5Batch {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(decoderInput, "decoderInput");
        Objects.requireNonNull(labels, "labels");
        if (source.size() != decoderInput.size() || labels.length != decoderInput.ids().length) {
            throw new IllegalArgumentException("sources, decoder inputs and labels of different numbers");
        }
    }

    /**
     * A batch from sources and labels. Ignored labels at a sequence's end are left out together with their decoder tokens,
     * which nothing else depends on; ignored ones before keep their place, with padding as the decoder's input.
     */
    public static T5Batch of(List<int[]> sources, List<int[]> labels, T5Config config) {
        Objects.requireNonNull(sources, "sources");
        Objects.requireNonNull(labels, "labels");
        Objects.requireNonNull(config, "config");
        List<int[]> kept = labels.stream().map(T5Batch::withoutTail).toList();
        List<int[]> shifted = kept.stream().map(row -> shiftRight(row, config)).toList();
        return new T5Batch(Ragged.of(sources), Ragged.of(shifted),
                kept.stream().flatMapToInt(Arrays::stream).toArray());
    }

    private static int[] withoutTail(int[] labels) {
        int end = labels.length;
        while (end > 0 && labels[end - 1] == CrossEntropy.IGNORE) {
            end--;
        }
        return Arrays.copyOf(labels, end);
    }

    private static int[] shiftRight(int[] labels, T5Config config) {
        int[] shifted = new int[labels.length];
        for (int i = 0; i < labels.length; i++) {
            int previous = i == 0 ? config.decoderStartTokenId : labels[i - 1];
            shifted[i] = previous == CrossEntropy.IGNORE ? config.padTokenId : previous;
        }
        return shifted;
    }
}
