package io.mixt5.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.mixt5.engine.DType;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import java.util.function.Function;

/** An op's inputs, the same numbers, in LibTorch's memory. */
final class TorchInput implements AutoCloseable {
    private static final double TOLERANCE = 1e-3;

    private final NDManager manager = Torch.manager();
    private final NDList arrays = new NDList();
    private final Function<NDList, NDArray> op;

    /**
     * Copies the inputs of {@code own} and, unless the op draws random numbers, checks that LibTorch's result is the
     * engine's: a comparison of times is worth nothing otherwise.
     */
    TorchInput(OpInput own, Sizes sizes) {
        String name = own.timed().work().name();
        op = TorchOps.all(sizes).get(name);
        for (Tensor tensor : own.tensors()) {
            arrays.add(Torch.copy(manager, tensor));
        }
        if (name.startsWith("attention") && arrays.size() > 3) {
            NDArray table = arrays.remove(3);
            arrays.add(TorchOps.bias(table, sizes.length(), name.endsWith("decoder")));
        }
        boolean random = name.contains("dropout") || name.startsWith("attention");
        if (!random) {
            check(own, name);
        }
    }

    private void check(OpInput own, String name) {
        try (Scope scope = new Scope(own.tensors().getFirst().device());
                NDManager temporary = manager.newSubManager()) {
            Tensor mine = own.timed().work().body().run(Tape.inference(scope), own.tensors()).getFirst();
            float[] expected = mine.dtype() == DType.I32 ? floats(mine.toInts()) : mine.toFloats();
            float[] found = run(temporary).toType(DataType.FLOAT32, false).toFloatArray();
            for (int i = 0; i < expected.length; i++) {
                if (!(Math.abs(found[i] - expected[i]) <= TOLERANCE * Math.max(1, Math.abs(expected[i])))) {
                    throw new AssertionError(name + " of LibTorch gives " + found[i] + " at " + i + ", not "
                            + expected[i]);
                }
            }
        }
    }

    private static float[] floats(int[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = values[i];
        }
        return floats;
    }

    /** Where the inputs live. */
    NDManager manager() {
        return manager;
    }

    /** The op's result; whatever it makes belongs to {@code temporary}. */
    NDArray run(NDManager temporary) {
        arrays.attach(temporary);
        NDArray result = op.apply(arrays);
        arrays.attach(manager);
        return result;
    }

    /** The op's result on new leaves that share the inputs' memory and want gradients, as the engine's do. */
    NDArray record(NDManager temporary, OpInput own) {
        NDList leaves = new NDList();
        for (NDArray array : arrays) {
            NDArray leaf = array.stopGradient();
            leaf.attach(temporary);
            boolean tracked = own.tensors().get(leaves.size()).requiresGrad();
            if (tracked) {
                leaf.setRequiresGradient(true);
            }
            leaves.add(leaf);
        }
        return op.apply(leaves);
    }

    @Override
    public void close() {
        manager.close();
    }
}
