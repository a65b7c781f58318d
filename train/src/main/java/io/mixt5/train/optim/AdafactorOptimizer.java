package io.mixt5.train.optim;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Adafactor;
import io.mixt5.engine.op.Updates;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * Adafactor as T5 was trained with: updates scaled by each parameter's RMS, no momentum, state of one row and one column
 * per matrix; see {@link Adafactor} for the arithmetic.
 */
public final class AdafactorOptimizer implements Optimizer {
    private static final double DECAY_RATE = -0.8;
    private static final double CLIP_THRESHOLD = 1;

    private final ToDoubleFunction<Parameter> decay;
    private final OptimizerState state;

    /**
     * State of zeros for these parameters.
     *
     * @param decay weight decay of each parameter
     */
    public AdafactorOptimizer(Collection<Parameter> parameters, ToDoubleFunction<Parameter> decay) {
        Objects.requireNonNull(parameters, "parameters");
        Objects.requireNonNull(decay, "decay");
        this.decay = decay;
        state = new OptimizerState(parameters);
        for (Parameter parameter : parameters) {
            Shape shape = parameter.value().shape();
            if (parameter.isVector()) {
                state.add("rows.", parameter, shape);
            } else {
                state.add("rows.", parameter, Shape.of(shape.rows()));
                state.add("columns.", parameter, Shape.of(shape.columns()));
            }
        }
    }

    @Override
    public void step(double learningRate, Tensor norm, double maxNorm, double maxUsableNorm) {
        List<Adafactor.Slot> slots = state.slots((place, p) -> new Adafactor.Slot(place, p.value(), p.value().grad(),
                p.value().gradRows(), state.get("rows.", p), state.get("columns.", p),
                (float) decay.applyAsDouble(p)));
        Updates updates = new Updates(state.counts(), norm, maxNorm, maxUsableNorm);
        Adafactor.apply(state.device(), slots,
                new Adafactor.Settings(learningRate, true, DECAY_RATE, CLIP_THRESHOLD, updates));
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
