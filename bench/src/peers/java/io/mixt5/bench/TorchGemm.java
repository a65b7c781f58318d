package io.mixt5.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** {@link Gemm} by LibTorch; on the CPU whatever the device. */
public class TorchGemm extends Timed {
    /** A layer's input, weight and output. */
    @State(Scope.Benchmark)
    public static class Matrices {
        private NDManager manager;
        private NDArray x;
        private NDArray weight;
        private NDArray y;

        /** Copies them. */
        @Setup(Level.Trial)
        public void open(Gemm.Layer layer) {
            manager = Torch.manager();
            x = Torch.copy(manager, layer.x());
            weight = Torch.copy(manager, layer.weight());
            y = Torch.copy(manager, layer.y());
        }

        /** Frees them. */
        @TearDown(Level.Trial)
        public void close() {
            manager.close();
        }
    }

    /** y = x W^T. */
    @Benchmark
    public void forward(Gemm.Layer layer, Matrices in, Work work) {
        layer.count(work);
        try (NDArray transposed = in.weight.transpose()) {
            in.x.matMul(transposed).close();
        }
    }

    /** dx = dy W. */
    @Benchmark
    public void backwardInput(Gemm.Layer layer, Matrices in, Work work) {
        layer.count(work);
        in.y.matMul(in.weight).close();
    }

    /** dW = dy^T x. */
    @Benchmark
    public void backwardWeight(Gemm.Layer layer, Matrices in, Work work) {
        layer.count(work);
        try (NDArray transposed = in.y.transpose()) {
            transposed.matMul(in.x).close();
        }
    }
}
