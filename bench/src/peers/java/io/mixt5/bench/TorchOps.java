package io.mixt5.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.norm.Dropout;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.op.RelativePosition;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The ops of a T5 as PyTorch's users write them, transformers' T5 foremost: on the inputs of an op's case, in their order,
 * to its first output.
 */
final class TorchOps {
    private static final float RATE = 0.1f;
    private static final int BUCKETS = 32;
    private static final int MAX_DISTANCE = 128;

    private TorchOps() {
    }

    /** The ops by the names of their cases. */
    static Map<String, Function<NDList, NDArray>> all(Sizes s) {
        Map<String, Function<NDList, NDArray>> ops = new TreeMap<>();
        ops.put("add", in -> in.get(0).add(in.get(1)));
        ops.put("scale", in -> in.get(0).mul(0.37f));
        ops.put("relu", in -> in.get(0).getNDArrayInternal().relu());
        ops.put("relu_dropout", in -> dropout(in.get(0).getNDArrayInternal().relu()));
        ops.put("gated_gelu", in -> gelu(in.get(0)).mul(in.get(1)));
        ops.put("gated_gelu_dropout", in -> dropout(gelu(in.get(0)).mul(in.get(1))));
        ops.put("dropout_add", in -> in.get(0).add(dropout(in.get(1))));
        ops.put("grad_norm", in -> in.get(0).norm());
        ops.put("linear", in -> in.get(0).matMul(in.get(1).transpose()));
        ops.put("rms_norm", in -> in.get(0).mul(in.get(0).square().mean(new int[]{1}, true).add(1e-6f).pow(-0.5f))
                .mul(in.get(1)));
        ops.put("embedding", in -> Embedding.embedding(in.get(1), in.get(0), SparseFormat.DENSE)
                .singletonOrThrow());
        ops.put("cross_entropy", in -> in.get(0).logSoftmax(1)
                .gather(in.get(1).toType(DataType.INT64, false).expandDims(1), 1).mean().neg());
        ops.put("attention_encoder", in -> attention(in, s, s.length()));
        ops.put("attention_decoder", in -> attention(in, s, s.length()));
        ops.put("attention_cross", in -> attention(in, s, Math.max(1, s.length() / 16)));
        return ops;
    }

    private static NDArray dropout(NDArray x) {
        return Dropout.dropout(x, RATE, true).singletonOrThrow();
    }

    /** gelu_new as transformers has it. */
    private static NDArray gelu(NDArray x) {
        return x.mul(0.5f).mul(x.pow(3).mul(0.044715f).add(x).mul((float) Math.sqrt(2 / Math.PI)).tanh().add(1));
    }

    /** Scores, position bias where there is one, softmax, dropout and values. */
    private static NDArray attention(NDList in, Sizes s, int queries) {
        NDArray q = heads(in.get(0), s, queries);
        NDArray k = heads(in.get(1), s, s.length());
        NDArray v = heads(in.get(2), s, s.length());
        NDArray scores = q.matMul(k.transpose(0, 1, 3, 2));
        if (in.size() > 3) {
            scores = scores.add(in.get(3));
        }
        return dropout(scores.softmax(3)).matMul(v).transpose(0, 2, 1, 3)
                .reshape((long) s.sequences() * queries, (long) s.heads() * s.headWidth());
    }

    private static NDArray heads(NDArray x, Sizes s, int length) {
        return x.reshape(s.sequences(), length, s.heads(), s.headWidth()).transpose(0, 2, 1, 3);
    }

    /**
     * What attention adds to its scores, [1, H, L, L], from the table: transformers makes it once for all blocks, so that it
     * is an input here and costs no time.
     */
    static NDArray bias(NDArray table, int length, boolean causal) {
        long[] buckets = new long[length * length];
        float[] mask = new float[buckets.length];
        for (int i = 0; i < buckets.length; i++) {
            int distance = i % length - i / length;
            buckets[i] = RelativePosition.bucket(distance, !causal, BUCKETS, MAX_DISTANCE);
            mask[i] = causal && distance > 0 ? -1e9f : 0;
        }
        NDArray index = table.getManager().create(buckets);
        return table.get(new NDIndex("{}", index)).reshape(length, length, table.getShape().get(1))
                .transpose(2, 0, 1).expandDims(0)
                .add(table.getManager().create(mask, new Shape(1, 1, length, length)));
    }
}
