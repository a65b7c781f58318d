package io.mixt5.model;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/** The parameters of a model by name, in the order of their making. Owns their memory. */
public final class Parameters implements AutoCloseable {
    private static final int CHUNK = 1 << 16;
    /** No step of training, so that initial weights share no random number with any dropout. */
    private static final int STEP = -1;

    /** Told of a parameter before it is made. */
    @FunctionalInterface
    interface Check {
        /** Throws where there should be no parameter {@code name} of {@code shape}. */
        void before(String name, Shape shape);
    }

    private final Device device;
    private final Check check;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Map<String, Double> deviations = new LinkedHashMap<>();

    /** No parameters yet. */
    public Parameters(Device device) {
        this(device, (name, shape) -> {
        });
    }

    /** No parameters yet; each is to be made only if {@code check} does not throw. */
    Parameters(Device device, Check check) {
        this.device = device;
        this.check = check;
    }

    /** Where they live. */
    public Device device() {
        return device;
    }

    /**
     * Makes an F32 parameter of zeros.
     *
     * @param deviation of the normal distribution that {@link #initialize} draws from; 0 means all ones, as norms start
     */
    public Parameter create(String name, Shape shape, double deviation) {
        check.before(name, shape);
        Parameter parameter = new Parameter(name, Tensor.create(device, DType.F32, shape, name));
        if (parameters.put(name, parameter) != null) {
            throw new IllegalArgumentException("two parameters are named " + name);
        }
        deviations.put(name, deviation);
        return parameter;
    }

    /** All of them. */
    public Collection<Parameter> all() {
        return Collections.unmodifiableCollection(parameters.values());
    }

    /** The one of that name, or null. */
    public Parameter get(String name) {
        return parameters.get(name);
    }

    /** Number of weights. */
    public long count() {
        return parameters.values().stream().mapToLong(p -> p.value().count()).sum();
    }

    /** The gradients of those that have one. */
    public List<Tensor> gradients() {
        return parameters.values().stream().map(Parameter::value).map(Tensor::grad).filter(Objects::nonNull).toList();
    }

    /** Forgets all gradients. */
    public void clearGradients() {
        parameters.values().forEach(p -> p.value().clearGrad());
    }

    /**
     * Draws every parameter anew; parameter number i is stream i of {@code seed} at step -1, so that its values depend
     * neither on other parameters' nor on the noise of training.
     */
    public void initialize(long seed) {
        int stream = 0;
        for (Parameter parameter : parameters.values()) {
            draw(parameter.value(), seed, stream++, deviations.get(parameter.name()));
        }
    }

    /** Off the heap, which has no other use for so much room. */
    private static void draw(Tensor value, long seed, int stream, double deviation) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment host = arena.allocate(value.bytes());
            IntStream.range(0, Math.toIntExact(Math.ceilDiv(value.count(), CHUNK))).parallel().forEach(chunk -> {
                long end = Math.min(value.count(), (chunk + 1L) * CHUNK);
                for (long i = (long) chunk * CHUNK; i < end; i++) {
                    double drawn = deviation == 0 ? 1 : deviation * Philox.normal(seed, stream, STEP, i);
                    host.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) drawn);
                }
            });
            value.upload(host);
        }
    }

    @Override
    public void close() {
        parameters.values().forEach(p -> p.value().close());
    }
}
