package io.mixt5.model;

import io.mixt5.engine.DType;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Embedding;
import io.mixt5.engine.op.SequenceLayout;
import io.mixt5.engine.op.WriteRows;
import io.mixt5.model.AttentionLayer.KeyValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The keys and values a generating decoder has seen: those of the encoder's output, projected once per block and shared by
 * all rows of a source, and those of the rows' own tokens. A row lives in a slot of {@code capacity} places, one a token;
 * a source has as many slots as it can have rows. The row that continues another takes over its slot; only where several
 * continue one row is its slot copied.
 */
final class KeyValueCache implements Memory {
    private final Ragged source;
    private final int[] sourceStarts;
    private final int capacity;
    private final List<KeyValues> cross = new ArrayList<>();
    private final List<KeyValues> self = new ArrayList<>();
    /** The slots of each source's rows, counted over all sources. */
    private final int[][] slots;
    private final int slotsOfSource;
    private int length;
    private int[] active;
    private int[] rowSlots;
    private Tensor places;

    /**
     * An empty cache for sequences with these encoder states, of one row each, up to {@code rows} later; its tensors belong
     * to {@code scope}.
     */
    KeyValueCache(Tape tape, Scope scope, T5Model model, Tensor encoded, Ragged source, int rows, int capacity) {
        this.source = source;
        this.capacity = capacity;
        sourceStarts = SequenceLayout.starts(source.lengths());
        slotsOfSource = rows;
        slots = new int[source.size()][];
        Arrays.setAll(slots, s -> new int[]{s * rows});
        Shape shape = Shape.of((long) source.size() * rows * capacity, model.config().innerWidth());
        DType type = encoded.dtype();
        for (Block block : model.decoder().blocks()) {
            cross.add(block.cross().project(tape, encoded));
            self.add(new KeyValues(scope.allocate(type, shape, "key cache"),
                    scope.allocate(type, shape, "value cache")));
        }
    }

    /**
     * Prepares a pass over one new token for each row.
     *
     * @param active the sources that go on
     * @param parents of each of these, for each of its rows from now on, which of its rows until now it continues
     */
    void begin(Tape tape, int[] active, List<int[]> parents) {
        this.active = active;
        List<int[]> copies = new ArrayList<>();
        for (int i = 0; i < active.length; i++) {
            slots[active[i]] = inherit(active[i], parents.get(i), copies);
        }
        copy(tape, copies);
        rowSlots = Arrays.stream(active).flatMap(s -> Arrays.stream(slots[s])).toArray();
        places = tape.scope().ints(Arrays.stream(rowSlots).map(slot -> slot * capacity + length).toArray(),
                "cache places");
    }

    /** The slots of a source's next rows; adds to {@code copies} which slot is to be copied to which. */
    private int[] inherit(int s, int[] parents, List<int[]> copies) {
        int[] before = slots[s];
        boolean[] taken = new boolean[slotsOfSource];
        int[] next = new int[parents.length];
        Arrays.fill(next, -1);
        for (int row = 0; row < parents.length; row++) {
            int slot = before[parents[row]];
            if (!taken[slot - s * slotsOfSource]) {
                taken[slot - s * slotsOfSource] = true;
                next[row] = slot;
            }
        }
        int free = 0;
        for (int row = 0; row < parents.length; row++) {
            if (next[row] < 0) {
                while (taken[free]) {
                    free++;
                }
                taken[free] = true;
                next[row] = s * slotsOfSource + free;
                copies.add(new int[]{before[parents[row]], next[row]});
            }
        }
        return next;
    }

    /** Copies the filled places of slots. No slot is both read and written. */
    private void copy(Tape tape, List<int[]> copies) {
        if (copies.isEmpty() || length == 0) {
            return;
        }
        Tensor from = tape.scope().ints(filled(copies, 0), "cache places");
        Tensor to = tape.scope().ints(filled(copies, 1), "cache places");
        for (KeyValues cache : self) {
            for (Tensor rows : List.of(cache.keys(), cache.values())) {
                WriteRows.apply(tape, Embedding.apply(tape, rows, from), to, rows);
            }
        }
    }

    private int[] filled(List<int[]> copies, int end) {
        int[] rows = new int[copies.size() * length];
        Arrays.setAll(rows, i -> copies.get(i / length)[end] * capacity + i % length);
        return rows;
    }

    /** Counts the tokens of the pass in. */
    void advance() {
        length++;
    }

    /** How the new tokens look at the places filled so far, their own included. */
    SequenceLayout selfLayout() {
        int[] starts = Arrays.stream(rowSlots).map(slot -> slot * capacity).toArray();
        return new SequenceLayout(SequenceLayout.starts(constant(rowSlots.length, 1)), constant(rowSlots.length, 1),
                starts, constant(rowSlots.length, length + 1), constant(rowSlots.length, length));
    }

    /** One token a row, each routed as if it were alone. */
    Tokens tokens(RoutingTrace trace) {
        return new Tokens(constant(rowSlots.length, 1), null, trace);
    }

    @Override
    public KeyValues self(Tape tape, int index, KeyValues fresh) {
        KeyValues cache = self.get(index);
        WriteRows.apply(tape, fresh.keys(), places, cache.keys());
        WriteRows.apply(tape, fresh.values(), places, cache.values());
        return cache;
    }

    @Override
    public KeyValues cross(Tape tape, int index, AttentionLayer layer) {
        return cross.get(index);
    }

    /** The rows of a source look at its states together. */
    @Override
    public SequenceLayout crossLayout() {
        int[] rows = Arrays.stream(active).map(s -> slots[s].length).toArray();
        int[] keyStart = Arrays.stream(active).map(s -> sourceStarts[s]).toArray();
        int[] keyCount = Arrays.stream(active).map(s -> source.lengths()[s]).toArray();
        return new SequenceLayout(SequenceLayout.starts(rows), rows, keyStart, keyCount, constant(rows.length, 0));
    }

    private static int[] constant(int count, int value) {
        int[] values = new int[count];
        Arrays.fill(values, value);
        return values;
    }
}
