package io.mixt5.model;

import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.SequenceLayout;
import io.mixt5.model.AttentionLayer.KeyValues;

/**
 * What a block's attentions look at. The encoder looks at itself, a decoder in training at itself and at the encoder's
 * output, and a generating decoder at what it has kept of both: see {@link KeyValueCache}.
 */
interface Memory {
    /** The keys and values that self-attention of block {@code index} sees, given those of the tokens of this pass. */
    KeyValues self(Tape tape, int index, KeyValues fresh);

    /** The keys and values of the encoder's output for block {@code index}. */
    KeyValues cross(Tape tape, int index, AttentionLayer layer);

    /** Which decoder rows look at which encoder rows. */
    SequenceLayout crossLayout();

    /** For the encoder, and for a decoder that sees all of its tokens at once. */
    record Whole(Tensor encoded, SequenceLayout crossLayout) implements Memory {
        @Override
        public KeyValues self(Tape tape, int index, KeyValues fresh) {
            return fresh;
        }

        @Override
        public KeyValues cross(Tape tape, int index, AttentionLayer layer) {
            return layer.project(tape, encoded);
        }
    }
}
