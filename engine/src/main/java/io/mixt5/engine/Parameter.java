package io.mixt5.engine;

/**
 * A named tensor that training changes. Its name is the one in checkpoints.
 *
 * @param name unique within a model
 * @param value the weights; requires a gradient
 */
public record Parameter(String name, Tensor value) {
    /** Marks the tensor as trainable. */
    public Parameter {
        value.requireGrad();
    }

    /** Whether this is a vector, as norms' scales are: such parameters are usually spared weight decay. */
    public boolean isVector() {
        return value.shape().rank() < 2;
    }
}
