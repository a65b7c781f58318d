package io.mixt5.train.optim;

import io.mixt5.engine.Tensor;
import java.util.Map;

/** Changes parameters along their gradients. Owns its state on the parameters' device: close it. One thread at a time. */
public interface Optimizer extends AutoCloseable {
    /**
     * One update of every parameter that has a gradient, unless their norm is infinite or NaN.
     *
     * @param learningRate of this step, at least 0
     * @param norm [1], the norm of all gradients, to clip by; null not to clip, and to update whatever the gradients are
     * @param maxNorm the norm that gradients are scaled down to; 0 does not clip
     */
    default void step(double learningRate, Tensor norm, double maxNorm) {
        step(learningRate, norm, maxNorm, Double.POSITIVE_INFINITY);
    }

    /**
     * As {@link #step(double, Tensor, double)}, and only if the norm is small enough. It only starts the device's work:
     * nothing is read from the device, where it is decided what is updated, so the host learns that from the norm later.
     *
     * @param maxUsableNorm the largest norm, before it is scaled down, with which anything is updated
     */
    void step(double learningRate, Tensor norm, double maxNorm, double maxUsableNorm);

    /**
     * The state's tensors by name, for checkpoints: overwrite their content to go on where another optimiser stopped. A
     * parameter counts its own updates, as it has none in a step in which it got no gradient.
     */
    Map<String, Tensor> state();

    @Override
    void close();
}
