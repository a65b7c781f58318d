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

    /** Number of updates made. */
    int steps();

    /** The state's tensors by name, for checkpoints: fill them and call {@link #restore} to go on where another stopped. */
    Map<String, Tensor> state();

    /** Says how many updates the state has seen. */
    void restore(int steps);

    @Override
    void close();
}
