package io.mixt5.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** {@link Backward} by LibTorch's autograd; on the CPU whatever the device. */
public class TorchBackward extends Timed {
    /** An op, its inputs, and a forward pass to go back through. */
    @State(Scope.Benchmark)
    public static class Input {
        /** The name of an op's case. */
        @Param({"attention_encoder", "attention_decoder", "attention_cross", "cross_entropy", "dropout_add",
                "embedding", "gated_gelu", "gated_gelu_dropout", "linear", "relu", "relu_dropout", "rms_norm", "scale"})
        public String op;

        private OpInput own;
        private TorchInput input;
        private NDManager temporary;
        private GradientCollector recording;
        private PtNDArray output;
        private PtNDArray seed;

        /** Makes the inputs. */
        @Setup(Level.Trial)
        public void open(DeviceState on, ModelSize size) {
            own = new OpInput(on, size.ops(), op);
            input = new TorchInput(own, size.ops());
        }

        /** Frees them. */
        @TearDown(Level.Trial)
        public void close() {
            input.close();
            own.close();
        }

        /** Goes forward, untimed. */
        @Setup(Level.Invocation)
        public void forward() {
            temporary = input.manager().newSubManager();
            recording = Torch.engine().newGradientCollector();
            NDArray result = input.record(temporary, own);
            output = (PtNDArray) result;
            seed = (PtNDArray) temporary.ones(result.getShape());
        }

        /** Frees the pass. */
        @TearDown(Level.Invocation)
        public void end() {
            recording.close();
            temporary.close();
        }
    }

    /** The gradients of all inputs that have one. */
    @Benchmark
    public void op(Input in, Work work) {
        work.is(in.own.timed().backward());
        JniUtils.backward(in.output, in.seed, false, false);
    }
}
