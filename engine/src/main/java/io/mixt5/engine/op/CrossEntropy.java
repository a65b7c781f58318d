package io.mixt5.engine.op;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.Arrays;
import java.util.List;

/**
 * Mean over the labels that are not {@link #IGNORE} of log(sum_j exp(logits_j)) - logits_label. Without any such label
 * the loss is 0 (PyTorch says NaN), so that an odd batch does not spoil a run.
 */
public final class CrossEntropy implements Op {
    /** A label that counts for nothing. */
    public static final int IGNORE = -100;

    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /**
         * Writes loss [1] and stats [N + 1]: the log-sum-exp of each row of logits [N, V], then the number of labels.
         */
        void forward(Tensor logits, Tensor labels, Tensor loss, Tensor stats);

        /** dlogits = dloss / count * (softmax(logits) - onehot(label)); rows of ignored labels get zeros. */
        void backward(Tensor logits, Tensor labels, Tensor stats, Tensor dloss, Target dlogits);
    }

    /**
     * The loss [1] of logits [N, V] against labels (I32 [N], each {@link #IGNORE} or in [0, V), which the caller has
     * checked).
     */
    public static Tensor apply(Tape tape, Tensor logits, Tensor labels) {
        Checks.shapes(labels.shape().rank() == 1 && labels.count() == logits.shape().rows(), "cross_entropy",
                "logits [N, V] and labels [N]", logits, labels);
        Checks.ints("cross_entropy", labels);
        Tensor loss = tape.allocate(logits.dtype().accumulator(), Shape.of(1), "cross_entropy");
        Tensor stats = tape.allocate(logits.dtype().accumulator(), Shape.of(labels.count() + 1), "cross_entropy.stats");
        Kernel kernel = tape.kernel(Kernel.class, logits.dtype());
        kernel.forward(logits, labels, loss, stats);
        if (tape.tracks(logits)) {
            tape.record("cross_entropy", loss,
                    gradients -> kernel.backward(logits, labels, stats, gradients.of(loss), gradients.into(logits)),
                    stats);
        }
        return loss;
    }

    @Override
    public String name() {
        return "cross_entropy";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        int[] labels = new int[s.targets()];
        Arrays.setAll(labels, i -> i * 7 % s.vocabulary());
        long logits = 4L * s.targets() * s.vocabulary();
        return List.of(TimedCase.streaming(run("cross_entropy", 2, s.vocabulary(), labels), logits, 2 * logits));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(run("odd", 2, 13, 3, 0, 12, 7, 7), run("ignored labels", 3, 37, 5, IGNORE, 36, IGNORE, 0),
                run("large logits", 40, 19, 1, 18, 4), run("wide", 2, 1031, 1030, IGNORE, 0, 512),
                run("all ignored", 1, 9, IGNORE, IGNORE));
    }

    private static OpCase run(String name, double deviation, long classes, int... labels) {
        return OpCase.named(name).input("logits", deviation, labels.length, classes).ints("labels", labels)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1))));
    }
}
