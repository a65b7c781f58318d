package io.mixt5.bench;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Linear;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The matrix products of a T5's layers, forward and for both gradients. */
public class Gemm extends Timed {
    /** A layer's input, weight and output; each is also written to in turn. */
    @State(Scope.Benchmark)
    public static class Layer {
        /**
         * Which: {@code attention} the projections of queries, keys, values and outputs; {@code in} and {@code out} those
         * of the feed-forward layer; {@code decoder_in} that of a decoder's few rows; {@code logits}; {@code router} to
         * as many experts as a mixture has.
         */
        @Param({"attention", "in", "out", "decoder_in", "logits", "router"})
        public String product;

        private DeviceState device;
        private Tensor x;
        private Tensor weight;
        private Tensor y;

        /** Makes them. */
        @Setup(Level.Trial)
        public void open(DeviceState on, ModelSize model) {
            device = on;
            Sizes s = model.ops();
            int few = model.batch() * model.target();
            switch (product) {
                case "attention" -> make(s.rows(), s.width(), s.heads() * s.headWidth());
                case "in" -> make(s.rows(), s.width(), s.hidden());
                case "out" -> make(s.rows(), s.hidden(), s.width());
                case "decoder_in" -> make(few, s.width(), s.hidden());
                case "logits" -> make(few, s.width(), s.vocabulary());
                case "router" -> make(s.rows(), s.width(), s.experts());
                default -> throw new IllegalArgumentException("there is no product '" + product + "'");
            }
        }

        private void make(int rows, int in, int out) {
            x = RandomData.matrix(device.get(), 1, rows, in);
            weight = RandomData.matrix(device.get(), 2, out, in);
            y = RandomData.matrix(device.get(), 3, rows, out);
        }

        /** Frees them. */
        @TearDown(Level.Trial)
        public void close() {
            x.close();
            weight.close();
            y.close();
        }

        /** [rows, in]. */
        Tensor x() {
            return x;
        }

        /** [out, in]. */
        Tensor weight() {
            return weight;
        }

        /** [rows, out]. */
        Tensor y() {
            return y;
        }

        /** Says what any of the products costs. */
        void count(Work work) {
            work.bytes = x.bytes() + weight.bytes() + y.bytes();
            work.flops = 2 * y.count() * x.shape().columns();
        }

        private Linear.Kernel kernel(Work work) {
            count(work);
            return device.get().kernel(Linear.Kernel.class, DType.F32);
        }
    }

    /** y = x W^T. */
    @Benchmark
    public void forward(Layer in, Work work) {
        in.kernel(work).forward(in.x, in.weight, in.y);
        in.device.await(in.y);
    }

    /** dx = dy W. */
    @Benchmark
    public void backwardInput(Layer in, Work work) {
        in.kernel(work).backwardInput(in.y, in.weight, new Target(in.x, false));
        in.device.await(in.x);
    }

    /** dW = dy^T x. */
    @Benchmark
    public void backwardWeight(Layer in, Work work) {
        in.kernel(work).backwardWeight(in.y, in.x, new Target(in.weight, false));
        in.device.await(in.weight);
    }
}
