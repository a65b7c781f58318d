package io.mixt5.engine.reference;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GradNorm;
import java.util.List;

/** {@link GradNorm} by its definition. */
public final class ReferenceGradNorm extends ReferenceKernel implements GradNorm.Kernel {
    @Override
    public void norm(List<Tensor> tensors, Tensor norm) {
        double sum = 0;
        for (Tensor tensor : tensors) {
            for (long i = 0; i < tensor.count(); i++) {
                sum += tensor.get(i) * tensor.get(i);
            }
        }
        norm.set(0, Math.sqrt(sum));
    }
}
