package io.mixt5.engine.op;

import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/** The Euclidean norm over all elements of several tensors, for clipping. Summed in a fixed order. */
public final class GradNorm implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** norm [1] = sqrt(sum of squares over all tensors); F32 even for half inputs. */
        void norm(List<Tensor> tensors, Tensor norm);
    }

    /** The norm [1] of at least one tensor, allocated in {@code scope}. */
    public static Tensor apply(Scope scope, List<Tensor> tensors) {
        Checks.shapes(!tensors.isEmpty(), "grad_norm", "at least one tensor");
        Checks.sameFloats("grad_norm", tensors.toArray(Tensor[]::new));
        Tensor norm = scope.allocate(tensors.getFirst().dtype().accumulator(), Shape.of(1), "grad_norm");
        scope.device().kernel(Kernel.class, tensors.getFirst().dtype()).norm(tensors, norm);
        return norm;
    }

    /**
     * What gradients are multiplied by so that their norm is at most {@code maximum}: min(1, maximum / (norm + 1e-6)),
     * as PyTorch's clip_grad_norm_ has it; 1 when {@code maximum} is 0 (no clipping).
     */
    public static double clipFactor(double norm, double maximum) {
        return maximum > 0 ? Math.min(1, maximum / (norm + 1e-6)) : 1;
    }

    @Override
    public String name() {
        return "grad_norm";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        OpCase.Fill fill = (stream, index) -> io.mixt5.engine.Philox.normal(1, stream, 0, index);
        return List.of(TimedCase.streaming(OpCase.named("grad_norm").constant("gradient", fill, s.tokens(), s.width())
                .run((tape, in) -> List.of(apply(tape.scope(), in))), s.stream(), 0));
    }

    @Override
    public List<OpCase> cases() {
        OpCase.Fill fill = (stream, index) -> io.mixt5.engine.Philox.normal(1, stream, 0, index);
        return List.of(
                OpCase.named("several").constant("a", fill, 7, 13).constant("b", fill, 1).constant("c", fill, 70, 131)
                        .run((tape, in) -> List.of(apply(tape.scope(), in))));
    }
}
