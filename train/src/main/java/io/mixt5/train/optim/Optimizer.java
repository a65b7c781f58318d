package io.mixt5.train.optim;

import io.mixt5.engine.Tensor;
import java.util.Map;

/** Changes parameters along their gradients. Owns its state on the parameters' device: close it. One thread at a time. */
public interface Optimizer extends AutoCloseable {
    /**
     * One update of every parameter that has a gradient.
     *
     * @param learningRate of this step, at least 0
     * @param norm [1], the norm of all gradients, to clip by; null not to clip
     * @param maxNorm the norm that gradients are scaled down to; 0 does not clip
     */
    void step(double learningRate, Tensor norm, double maxNorm);

    /**
     * The state's tensors by name, for checkpoints: overwrite their content to go on where another optimiser stopped. A
     * parameter counts its own updates, as it has none in a step in which it got no gradient.
     */
    Map<String, Tensor> state();

    @Override
    void close();
}
