package io.mixt5.model;

import io.mixt5.engine.DType;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.SequenceLayout;
import io.mixt5.engine.op.WriteRows;
import io.mixt5.model.AttentionLayer.KeyValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The keys and values a generating decoder has seen: those of the encoder's output, projected once per block, and those of
 * its own tokens, one place a token, {@code capacity} places a sequence.
 */
final class KeyValueCache implements Memory {
    private final Ragged source;
    private final int capacity;
    private final List<KeyValues> cross = new ArrayList<>();
    private final List<KeyValues> self = new ArrayList<>();
    private int length;
    private int[] active;
    private Tensor rows;

    /** An empty cache for sequences with these encoder states; its tensors belong to {@code scope}. */
    KeyValueCache(Tape tape, Scope scope, T5Model model, Tensor encoded, Ragged source, int capacity) {
        this.source = source;
        this.capacity = capacity;
        Shape shape = Shape.of((long) source.size() * capacity, model.config().innerWidth());
        DType type = encoded.dtype();
        for (Block block : model.decoder().blocks()) {
            cross.add(block.cross().project(tape, encoded));
            self.add(new KeyValues(scope.allocate(type, shape, "key cache"),
                    scope.allocate(type, shape, "value cache")));
        }
    }

    /** Prepares a pass over one new token for each of the sequences {@code active}. */
    void begin(Tape tape, int[] active) {
        this.active = active;
        rows = tape.scope().ints(Arrays.stream(active).map(b -> b * capacity + length).toArray(), "cache rows");
    }

    /** Counts the tokens of the pass in. */
    void advance() {
        length++;
    }

    /** How the new tokens look at the places filled so far, their own included. */
    SequenceLayout selfLayout() {
        int[] filled = constant(length + 1);
        int[] starts = Arrays.stream(active).map(b -> b * capacity).toArray();
        return new SequenceLayout(rowNumbers(), constant(1), starts, filled, constant(length));
    }

    /** One token a sequence, each routed as if it were alone. */
    Tokens tokens() {
        return new Tokens(constant(1), null, null);
    }

    @Override
    public KeyValues self(Tape tape, int index, KeyValues fresh) {
        KeyValues cache = self.get(index);
        WriteRows.apply(tape, fresh.keys(), rows, cache.keys());
        WriteRows.apply(tape, fresh.values(), rows, cache.values());
        return cache;
    }

    @Override
    public KeyValues cross(Tape tape, int index, AttentionLayer layer) {
        return cross.get(index);
    }

    @Override
    public SequenceLayout crossLayout() {
        int[] starts = SequenceLayout.starts(source.lengths());
        int[] keyStart = Arrays.stream(active).map(b -> starts[b]).toArray();
        int[] keyCount = Arrays.stream(active).map(b -> source.lengths()[b]).toArray();
        return new SequenceLayout(rowNumbers(), constant(1), keyStart, keyCount, constant(0));
    }

    private int[] rowNumbers() {
        int[] numbers = new int[active.length];
        Arrays.setAll(numbers, i -> i);
        return numbers;
    }

    private int[] constant(int value) {
        int[] values = new int[active.length];
        Arrays.fill(values, value);
        return values;
    }
}
