package io.mixt5.bench;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.mixt5.engine.DType;
import io.mixt5.engine.Tensor;

/** LibTorch's build for the CPU, of the same Maven repository as everything else; it brings as many threads as cores. */
final class Torch {
    private static final String NAME = "PyTorch";

    static {
        // Its wrapper would tell its makers that it is in use.
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.offline", "true");
    }

    private Torch() {
    }

    /** The engine behind the arrays. */
    static Engine engine() {
        return Engine.getEngine(NAME);
    }

    /** Owner of arrays. */
    static NDManager manager() {
        return NDManager.newBaseManager(Device.cpu(), NAME);
    }

    /** The same numbers in LibTorch's memory. */
    static NDArray copy(NDManager manager, Tensor tensor) {
        long[] dims = new long[tensor.shape().rank()];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = tensor.shape().dim(i);
        }
        return tensor.dtype() == DType.I32
                ? manager.create(tensor.toInts(), new Shape(dims))
                : manager.create(tensor.toFloats(), new Shape(dims));
    }
}
