package io.mixt5.train.optim;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an optimiser keeps between updates: tensors for each parameter, by name, and how many updates each parameter has
 * had, since an expert that got no token in a step has none in it.
 */
final class OptimizerState {
    private static final String UPDATES = "updates";

    private final List<Parameter> parameters;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    /** [P], one number a parameter; whole numbers, exact up to 2^24. */
    private final Tensor counts;

    OptimizerState(Collection<Parameter> parameters) {
        this.parameters = List.copyOf(parameters);
        counts = Tensor.create(this.parameters.getFirst().value().device(), DType.F32, Shape.of(parameters.size()),
                UPDATES);
        tensors.put(UPDATES, counts);
    }

    /** Adds a tensor of zeros, named {@code prefix} and the parameter's name. */
    void add(String prefix, Parameter parameter, Shape shape) {
        String name = prefix + parameter.name();
        tensors.put(name, Tensor.create(parameter.value().device(), parameter.value().dtype(), shape, name));
    }

    /** What {@link #add} added; null where it added nothing. */
    Tensor get(String prefix, Parameter parameter) {
        return tensors.get(prefix + parameter.name());
    }

    /** All tensors by name, in the order of their making. */
    Map<String, Tensor> tensors() {
        return tensors;
    }

    void close() {
        tensors.values().forEach(Tensor::close);
    }

    /** What makes a slot of a parameter: its number in {@link #counts} and the parameter itself. */
    @FunctionalInterface
    interface SlotMaker<S> {
        S make(int place, Parameter parameter);
    }

    /** A slot for each parameter that has a gradient, be it that only the device knows whether from any row. */
    <S> List<S> slots(SlotMaker<S> maker) {
        List<S> slots = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            if (parameters.get(i).value().grad() != null) {
                slots.add(maker.make(i, parameters.get(i)));
            }
        }
        return slots;
    }

    /** F32 [P], how many updates each parameter has had. */
    Tensor counts() {
        return counts;
    }

    /** Where the parameters live. */
    Device device() {
        return counts.device();
    }
}
