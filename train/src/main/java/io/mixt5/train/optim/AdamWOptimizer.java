package io.mixt5.train.optim;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.AdamW;
import io.mixt5.engine.op.Updates;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/** AdamW with decoupled weight decay; see {@link AdamW} for the arithmetic. */
public final class AdamWOptimizer implements Optimizer {
    private final ToDoubleFunction<Parameter> decay;
    private final double beta1;
    private final double beta2;
    private final double eps;
    private final OptimizerState state;

    /**
     * State of zeros for these parameters.
     *
     * @param decay weight decay of each parameter
     */
    public AdamWOptimizer(Collection<Parameter> parameters, ToDoubleFunction<Parameter> decay, double beta1,
            double beta2, double eps) {
        Objects.requireNonNull(parameters, "parameters");
        Objects.requireNonNull(decay, "decay");
        this.decay = decay;
        state = new OptimizerState(parameters);
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.eps = eps;
        for (Parameter parameter : parameters) {
            state.add("m.", parameter, parameter.value().shape());
            state.add("v.", parameter, parameter.value().shape());
        }
    }

    @Override
    public void step(double learningRate, Tensor norm, double maxNorm, double maxUsableNorm) {
        List<AdamW.Slot> slots = state.slots((place, p) -> new AdamW.Slot(place, p.value(), p.value().grad(),
                p.value().gradRows(), state.get("m.", p), state.get("v.", p), (float) decay.applyAsDouble(p)));
        Updates updates = new Updates(state.counts(), norm, maxNorm, maxUsableNorm);
        AdamW.apply(state.device(), slots, new AdamW.Settings(learningRate, beta1, beta2, eps, updates));
    }

    @Override
    public Map<String, Tensor> state() {
        return state.tensors();
    }

    @Override
    public void close() {
        state.close();
    }
}
