package io.mixt5.model;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.SequenceLayout;

/** One attention of a block: the projections to queries, keys, values and back. No biases, no scaling. */
final class AttentionLayer {
    private final T5Config config;
    private final boolean causal;
    private final Parameter q;
    private final Parameter k;
    private final Parameter v;
    private final Parameter o;
    private final Parameter bias;

    /** Keys and values of all heads, [Nk, H * K] each. */
    record KeyValues(Tensor keys, Tensor values) {
    }

    /**
     * @param causal whether a token sees only those before it and itself
     * @param hasBias whether this layer holds its stack's table of relative position biases
     */
    AttentionLayer(Parameters parameters, String prefix, T5Config config, boolean causal, boolean hasBias) {
        this.config = config;
        this.causal = causal;
        int inner = config.innerWidth();
        double factor = config.initializerFactor;
        double deviation = factor * Math.pow(config.dModel, -0.5);
        Shape in = Shape.of(inner, config.dModel);
        q = parameters.create(prefix + "q.weight", in, factor * Math.pow((double) config.dModel * config.dKv, -0.5));
        k = parameters.create(prefix + "k.weight", in, deviation);
        v = parameters.create(prefix + "v.weight", in, deviation);
        o = parameters.create(prefix + "o.weight", Shape.of(config.dModel, inner), factor * Math.pow(inner, -0.5));
        bias = hasBias
                ? parameters.create(prefix + "relative_attention_bias.weight",
                        Shape.of(config.relativeAttentionNumBuckets, config.numHeads), deviation)
                : null;
    }

    /** The table of relative position biases [buckets, H], or null. */
    Tensor bias() {
        return bias == null ? null : bias.value();
    }

    /** Keys and values of states [Nk, D]. */
    KeyValues project(Tape tape, Tensor states) {
        return new KeyValues(Projection.apply(tape, states, k), Projection.apply(tape, states, v));
    }

    /** What the queries of x [Nq, D] gather from the keys and values, [Nq, D]. */
    Tensor attend(Tape tape, Tensor x, KeyValues memory, Tensor biasTable, SequenceLayout layout) {
        Attention.Spec spec = new Attention.Spec(config.numHeads, causal, !causal, config.relativeAttentionMaxDistance,
                layout,
                tape.dropout((float) config.dropoutRate));
        Tensor queries = Projection.apply(tape, x, q);
        Tensor table = biasTable == null ? null : tape.cast(biasTable, x.dtype());
        Tensor gathered = Attention.apply(tape, queries, memory.keys(), memory.values(), table, spec);
        return Projection.apply(tape, gathered, o);
    }
}
