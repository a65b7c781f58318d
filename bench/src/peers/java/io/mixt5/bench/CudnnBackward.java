package io.mixt5.bench;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** {@link Backward} by cuDNN, which wants the output besides its gradient and the input; on a GPU only. */
public class CudnnBackward extends Timed {
    /** An op, its inputs, a result and what stands for the loss's gradient of it. */
    @State(org.openjdk.jmh.annotations.Scope.Benchmark)
    public static class Input {
        /** The name of an op's case. */
        @Param("relu")
        public String op;

        private OpInput own;
        private DeviceState device;
        private Cudnn cudnn;
        private Scope kept;
        private Tensor x;
        private Tensor y;
        private Tensor dy;

        /** Goes forward, and compares the gradients. */
        @Setup(Level.Trial)
        public void open(DeviceState on, ModelSize size) {
            Cudnn.requireUsable(on);
            device = on;
            own = new OpInput(on, size.ops(), op);
            x = own.tensors().getFirst();
            cudnn = new Cudnn(on, x);
            kept = new Scope(on.get());
            Tape tape = Tape.recording(kept);
            y = own.timed().work().body().run(tape, own.tensors()).getFirst();
            float[] values = new float[Math.toIntExact(y.count())];
            Arrays.fill(values, 0.5f);
            dy = kept.floats(y.shape(), values, "loss");
            // The tape gives back what it has been through.
            Tensor result = kept.allocate(y.dtype(), y.shape(), "result");
            result.copyFrom(y);
            Tensor seed = kept.allocate(y.dtype(), y.shape(), "seed");
            seed.copyFrom(dy);
            tape.backward(new Tensor[]{y}, new Tensor[]{seed});
            y = result;
            on.await(y);
            try (Scope scope = new Scope(on.get())) {
                Cudnn.check(op, x.grad(), run(scope));
            }
        }

        private Tensor run(Scope scope) {
            Tensor dx = scope.allocate(x.dtype(), x.shape(), "cudnn");
            cudnn.reluBackward(y, dy, x, dx);
            cudnn.await(dx);
            return dx;
        }

        /** Frees them. */
        @TearDown(Level.Trial)
        public void close() {
            kept.close();
            cudnn.close();
            own.close();
        }
    }

    /** The gradient, written to a fresh place. */
    @Benchmark
    public void op(Input in, Work work) {
        work.is(in.own.timed().backward());
        try (Scope scope = new Scope(in.device.get())) {
            in.run(scope);
        }
    }
}
