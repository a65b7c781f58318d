package io.mixt5.bench;

import io.mixt5.engine.DType;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** {@link Forward} by cuDNN, for the ops that it has as the engine has them; on a GPU only. */
public class CudnnForward extends Timed {
    /** An op and its inputs. */
    @State(org.openjdk.jmh.annotations.Scope.Benchmark)
    public static class Input {
        /** The name of an op's case. */
        @Param({"add", "grad_norm", "relu"})
        public String op;

        private OpInput own;
        private DeviceState device;
        private Cudnn cudnn;
        private Cudnn.Op theirs;
        private Shape shape;

        /** Makes the inputs and compares the results. */
        @Setup(Level.Trial)
        public void open(DeviceState on, ModelSize size) {
            Cudnn.requireUsable(on);
            device = on;
            own = new OpInput(on, size.ops(), op);
            cudnn = new Cudnn(on, own.tensors().getFirst());
            theirs = cudnn.ops().get(op);
            try (Scope scope = new Scope(on.get())) {
                Tensor mine = own.timed().work().body().run(Tape.inference(scope), own.tensors()).getFirst();
                shape = mine.shape();
                Cudnn.check(op, mine, run(scope));
            }
        }

        private Tensor run(Scope scope) {
            Tensor output = scope.allocate(DType.F32, shape, "cudnn");
            theirs.run(own.tensors(), output);
            cudnn.await(output);
            return output;
        }

        /** Frees them. */
        @TearDown(Level.Trial)
        public void close() {
            cudnn.close();
            own.close();
        }
    }

    /** One call, its output allocated as the engine's is. */
    @Benchmark
    public void op(Input in, Work work) {
        work.is(in.own.timed().forward());
        try (Scope scope = new Scope(in.device.get())) {
            in.run(scope);
        }
    }
}
