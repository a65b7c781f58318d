package io.mixt5.model;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.DropoutAdd;
import io.mixt5.engine.op.RmsNorm;
import io.mixt5.engine.op.SequenceLayout;
import io.mixt5.model.AttentionLayer.KeyValues;

/**
 * A block of a stack: self-attention, in the decoder attention to the encoder's output, and the feed-forward layer, each as
 * x + dropout(layer(norm(x))).
 */
final class Block {
    private final T5Config config;
    private final int index;
    private final AttentionLayer self;
    private final AttentionLayer cross;
    private final FeedForward feedForward;
    private final Parameter selfNorm;
    private final Parameter crossNorm;
    private final Parameter feedForwardNorm;

    Block(Parameters parameters, String prefix, T5Config config, int index, boolean decoder) {
        this.config = config;
        this.index = index;
        String layer = prefix + "layer.";
        self = new AttentionLayer(parameters, layer + "0.SelfAttention.", config, decoder, index == 0);
        selfNorm = norm(parameters, layer + "0.");
        cross = decoder ? new AttentionLayer(parameters, layer + "1.EncDecAttention.", config, false, false) : null;
        crossNorm = decoder ? norm(parameters, layer + "1.") : null;
        String last = layer + (decoder ? "2." : "1.");
        feedForward = FeedForward.create(parameters, last, config, config.mixture().isMixture(index));
        feedForwardNorm = norm(parameters, last);
    }

    private Parameter norm(Parameters parameters, String prefix) {
        return parameters.create(prefix + "layer_norm.weight", Shape.of(config.dModel), 0);
    }

    /** The self-attention, whose bias table block 0 holds for all. */
    AttentionLayer self() {
        return self;
    }

    /** The attention to the encoder's output; null in the encoder. */
    AttentionLayer cross() {
        return cross;
    }

    /** [N, D] from x [N, D]. */
    Tensor apply(Tape tape, Tensor x, Tensor bias, SequenceLayout layout, Memory memory, Tokens tokens) {
        Tensor normed = normalize(tape, x, selfNorm);
        KeyValues keyValues = memory.self(tape, index, self.project(tape, normed));
        Tensor y = add(tape, x, self.attend(tape, normed, keyValues, bias, layout));
        if (cross != null) {
            Tensor queries = normalize(tape, y, crossNorm);
            y = add(tape, y, cross.attend(tape, queries, memory.cross(tape, index, cross), null, memory.crossLayout()));
        }
        return add(tape, y, feedForward.apply(tape, normalize(tape, y, feedForwardNorm), tokens));
    }

    private Tensor normalize(Tape tape, Tensor x, Parameter weight) {
        return RmsNorm.apply(tape, x, tape.cast(weight.value(), x.dtype()), (float) config.layerNormEpsilon);
    }

    /** The end of a sub-layer; no backward reads what it gave, x, so that goes at once. */
    private Tensor add(Tape tape, Tensor residual, Tensor x) {
        Tensor sum = DropoutAdd.apply(tape, residual, x, tape.dropout((float) config.dropoutRate));
        tape.release(x);
        return sum;
    }
}
