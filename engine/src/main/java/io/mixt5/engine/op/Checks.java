package io.mixt5.engine.op;

import io.mixt5.engine.DType;
import io.mixt5.engine.Tensor;
import java.util.Arrays;

/** Argument checks shared by the ops. */
final class Checks {
    private Checks() {
    }

    /** Throws unless {@code holds}: the op, what it wants, and the tensors it got. */
    static void shapes(boolean holds, String op, String wanted, Tensor... got) {
        if (!holds) {
            throw new IllegalArgumentException(op + " wants " + wanted + " but got " + Arrays.toString(got));
        }
    }

    /** Throws unless all tensors (null ones aside) have the type of the first and it is a float type. */
    static void sameFloats(String op, Tensor... tensors) {
        DType dtype = tensors[0].dtype();
        for (Tensor tensor : tensors) {
            shapes(tensor == null || tensor.dtype() == dtype && dtype.isFloat(), op, "floats of one type", tensors);
        }
    }

    /** Throws unless the tensor is I32. */
    static void ints(String op, Tensor tensor) {
        shapes(tensor.dtype() == DType.I32, op, "I32 indices", tensor);
    }
}
