package io.mixt5.engine;

import java.util.List;

/**
 * Sees what the ops that a tape records give, as they run: for finding the one that a fault comes from. Tensors are to be
 * read only, and only during the call.
 */
public interface TapeWatch {
    /**
     * After an op's forward pass.
     *
     * @param op its name
     * @param number the op's place among those recorded, from 0
     * @param outputs of the op
     */
    void forward(String op, int number, List<Tensor> outputs);

    /**
     * After the same op's backward pass.
     *
     * @param inputs to whose gradients ({@link Tensor#grad}) it has added, in no particular order
     */
    void backward(String op, int number, List<Tensor> inputs);
}
