package io.mixt5.engine.op;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/** Changes the float type, rounding to nearest even. The gradient is cast back. */
public final class Cast implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y = x in the type of y, or y += x. */
        void cast(Tensor x, Target y);
    }

    /** x in type {@code dtype}, which the device must take too; x itself when it has that type. */
    public static Tensor apply(Tape tape, Tensor x, DType dtype) {
        Checks.shapes(x.dtype().isFloat() && dtype.isFloat(), "cast", "float types", x);
        if (x.dtype() == dtype) {
            return x;
        }
        tape.kernel(Kernel.class, dtype);
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        Tensor y = tape.allocate(dtype, x.shape(), "cast");
        kernel.cast(x, new Target(y, false));
        if (tape.tracks(x)) {
            tape.record("cast", y, gradients -> kernel.cast(gradients.of(y), gradients.through(y, x)));
        }
        return y;
    }

    @Override
    public String name() {
        return "cast";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        return List.of(TimedCase.streaming(run("cast_to_BF16", DType.BF16, s.tokens(), s.width()),
                s.stream() * 3 / 2, 0));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(run("to F16", DType.F16, 7, 13), run("to BF16", DType.BF16, 5, 37),
                run("to F32", DType.F32, 3, 70));
    }

    private static OpCase run(String name, DType dtype, long... dims) {
        // The input is rounded already, so that the cast is exact and differences can be taken through it.
        OpCase.Fill fill = (stream, index) -> (index * 37 % 64 - 32) / 16.0;
        return OpCase.named(name).constant("x", fill, dims).run((tape, in) -> List.of(apply(tape, in.get(0), dtype)));
    }
}
