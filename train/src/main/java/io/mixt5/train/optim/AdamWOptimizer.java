package io.mixt5.train.optim;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.AdamW;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** AdamW with decoupled weight decay; see {@link AdamW} for the arithmetic. */
public final class AdamWOptimizer implements Optimizer {
    private final ToDoubleFunction<Parameter> decay;
    private final double beta1;
    private final double beta2;
    private final double eps;
    private final Map<String, Tensor> state = new LinkedHashMap<>();
    private final UpdateCounts counts;

    /**
     * State of zeros for these parameters.
     *
     * @param decay weight decay of each parameter
     */
    public AdamWOptimizer(Collection<Parameter> parameters, ToDoubleFunction<Parameter> decay, double beta1,
            double beta2, double eps) {

        this.decay = decay;
        counts = new UpdateCounts(List.copyOf(parameters));
        state.put(UpdateCounts.NAME, counts.tensor());
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.eps = eps;
        for (Parameter parameter : parameters) {
            Tensor value = parameter.value();
            state.put("m." + parameter.name(),
                    Tensor.create(value.device(), value.dtype(), value.shape(), "m." + parameter.name()));
            state.put("v." + parameter.name(),
                    Tensor.create(value.device(), value.dtype(), value.shape(), "v." + parameter.name()));
        }
    }

    @Override
    public void step(double learningRate, Tensor norm, double maxNorm) {
        counts.next().forEach((update, due) -> {
            List<AdamW.Slot> slots = due.stream()
                    .map(p -> new AdamW.Slot(p.value(), p.value().grad(), state.get("m." + p.name()),
                            state.get("v." + p.name()), (float) decay.applyAsDouble(p)))
                    .toList();
            AdamW.apply(due.getFirst().value().device(), slots,
                    new AdamW.Settings(learningRate, beta1, beta2, eps, update, norm, maxNorm));
        });
    }

    @Override
    public Map<String, Tensor> state() {
        return state;
    }

    @Override
    public void close() {
        state.values().forEach(Tensor::close);
    }
}
