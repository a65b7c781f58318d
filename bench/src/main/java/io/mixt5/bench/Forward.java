package io.mixt5.bench;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Every op forward, on its own case at the size of a T5. */
public class Forward extends Timed {
    /** An op and its inputs. */
    @State(org.openjdk.jmh.annotations.Scope.Benchmark)
    public static class Input {
        /** The name of an op's case. */
        @Param({"adafactor", "adamw", "add", "attention_encoder", "attention_decoder", "attention_cross",
                "cast_to_BF16", "combine", "cross_entropy", "dispatch", "dropout_add", "embedding", "gated_gelu",
                "gated_gelu_dropout", "grad_norm", "grouped_linear", "input_jitter", "linear", "relu", "relu_dropout",
                "rms_norm", "route", "route_64_experts", "scale", "top_k", "write_rows"})
        public String op;

        private OpInput input;
        private DeviceState device;

        /** Makes the inputs. */
        @Setup(Level.Trial)
        public void open(DeviceState on, ModelSize size) {
            device = on;
            input = new OpInput(on, size.ops(), op);
        }

        /** Frees the inputs. */
        @TearDown(Level.Trial)
        public void close() {
            input.close();
        }
    }

    /** One call; no gradient is recorded. */
    @Benchmark
    public void op(Input in, Work work) {
        work.is(in.input.timed().forward());
        try (Scope scope = new Scope(in.device.get())) {
            Tensor result = in.input.timed().work().body().run(Tape.inference(scope), in.input.tensors()).getFirst();
            in.device.await(result);
        }
    }
}
