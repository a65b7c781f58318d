package io.mixt5.bench;

import ai.djl.ndarray.NDManager;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** {@link Forward} by LibTorch, op by op as a user of PyTorch runs it; on the CPU whatever the device. */
public class TorchForward extends Timed {
    /** An op and its inputs. */
    @State(Scope.Benchmark)
    public static class Input {
        /** The name of an op's case. */
        @Param({"add", "attention_encoder", "attention_decoder", "attention_cross", "cross_entropy",
                "dropout_add", "embedding", "gated_gelu", "gated_gelu_dropout", "grad_norm", "linear", "relu",
                "relu_dropout", "rms_norm", "scale"})
        public String op;

        private OpInput own;
        private TorchInput input;

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
    }

    /** One call without gradients. */
    @Benchmark
    public void op(Input in, Work work) {
        work.is(in.own.timed().forward());
        try (NDManager temporary = in.input.manager().newSubManager()) {
            in.input.run(temporary);
        }
    }
}
