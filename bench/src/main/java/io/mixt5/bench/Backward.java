package io.mixt5.bench;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Every op backward, on its own case at the size of a T5: all of its gradients, written to fresh places. */
public class Backward extends Timed {
    /** An op, its inputs, and a forward pass to go back through. */
    @State(org.openjdk.jmh.annotations.Scope.Benchmark)
    public static class Input {
        /** The name of an op's case. */
        @Param({"attention_encoder", "attention_decoder", "attention_cross", "combine", "cross_entropy", "dispatch",
                "dropout_add", "embedding", "gated_gelu", "gated_gelu_dropout", "grouped_linear", "input_jitter",
                "linear", "relu", "relu_dropout", "rms_norm", "route", "route_64_experts", "scale"})
        public String op;

        private OpInput input;
        private DeviceState device;
        private Tensor first;
        private final List<Tensor> losses = new ArrayList<>();
        private Scope scope;
        private Tape tape;
        private Tensor[] outputs;
        private Tensor[] seeds;

        /** Makes the inputs, and what stands for the loss's gradient of each output. */
        @Setup(Level.Trial)
        public void open(DeviceState on, ModelSize size) {
            device = on;
            input = new OpInput(on, size.ops(), op);
            first = input.tensors().stream().filter(Tensor::requiresGrad).findFirst().orElseThrow();
            try (Scope once = new Scope(on.get())) {
                for (Tensor output : run(Tape.recording(once))) {
                    float[] values = new float[Math.toIntExact(output.count())];
                    Arrays.fill(values, 0.5f);
                    losses.add(Tensor.create(on.get(), output.dtype(), output.shape(), "loss").upload(values));
                }
            }
        }

        /** Frees the inputs. */
        @TearDown(Level.Trial)
        public void close() {
            losses.forEach(Tensor::close);
            input.close();
        }

        /** Goes forward, untimed. */
        @Setup(Level.Invocation)
        public void forward() {
            scope = new Scope(device.get());
            tape = Tape.recording(scope);
            input.tensors().forEach(Tensor::clearGrad);
            outputs = run(tape);
            seeds = new Tensor[outputs.length];
            for (int i = 0; i < seeds.length; i++) {
                seeds[i] = scope.allocate(outputs[i].dtype(), outputs[i].shape(), "seed");
                seeds[i].copyFrom(losses.get(i));
            }
            device.await(seeds[seeds.length - 1]);
        }

        private Tensor[] run(Tape on) {
            List<Tensor> results = input.timed().work().body().run(on, input.tensors());
            return results.stream().filter(Tensor::requiresGrad).toArray(Tensor[]::new);
        }

        /** Frees the pass. */
        @TearDown(Level.Invocation)
        public void end() {
            scope.close();
        }
    }

    /** The gradients of all inputs that have one. */
    @Benchmark
    public void op(Input in, Work work) {
        work.is(in.input.timed().backward());
        in.tape.backward(in.outputs, in.seeds);
        in.device.await(in.first.grad());
    }
}
