package io.mixt5.model;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Cast;
import io.mixt5.engine.op.DropoutAdd;
import io.mixt5.engine.op.Embedding;
import io.mixt5.engine.op.RmsNorm;
import io.mixt5.engine.op.SequenceLayout;
import java.util.ArrayList;
import java.util.List;

/** The encoder or the decoder: embedding, blocks, final norm. */
final class Stack {
    private final T5Config config;
    private final Parameter embedding;
    private final Parameter finalNorm;
    private final List<Block> blocks = new ArrayList<>();

    Stack(Parameters parameters, Parameter embedding, T5Config config, boolean decoder) {
        this.config = config;
        this.embedding = embedding;
        String prefix = decoder ? "decoder." : "encoder.";
        int layers = decoder ? config.decoderLayers() : config.numLayers;
        for (int i = 0; i < layers; i++) {
            blocks.add(new Block(parameters, prefix + "block." + i + ".", config, i, decoder));
        }
        finalNorm = parameters.create(prefix + "final_layer_norm.weight", Shape.of(config.dModel), 0);
    }

    List<Block> blocks() {
        return blocks;
    }

    /**
     * States [N, D] of tokens ids (I32 [N]). The type of {@code precision} is set here, where the embeddings are cast;
     * all weights further on take the type of the activations that they meet.
     */
    Tensor apply(Tape tape, Tensor ids, Precision precision, SequenceLayout layout, Memory memory, Tokens tokens) {
        float rate = (float) config.dropoutRate;
        Tensor embedded = Cast.apply(tape, Embedding.apply(tape, embedding.value(), ids), precision.dtype());
        Tensor x = DropoutAdd.dropout(tape, embedded, tape.dropout(rate));
        Tensor bias = blocks.getFirst().self().bias();
        for (Block block : blocks) {
            Tensor input = x;
            x = tape.block(() -> block.apply(tape, input, bias, layout, memory, tokens));
        }
        Tensor normed = RmsNorm.apply(tape, x, tape.cast(finalNorm.value(), x.dtype()),
                (float) config.layerNormEpsilon);
        return DropoutAdd.dropout(tape, normed, tape.dropout(rate));
    }
}
