package io.mixt5.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * One way of running an op: what goes in, and how to call it. Serves the comparison with the reference, the gradient
 * check and the benchmarks alike.
 *
 * @param name what is special about it
 * @param inputs what goes in
 * @param body calls the op; returns its outputs, or the tensors it changed
 * @param tolerance largest error allowed in F32, relative to the largest element of a tensor
 * @param straightThrough whether the gradient is, by design, not the derivative of the outputs
 */
public record OpCase(String name, List<Input> inputs, Body body, double tolerance, boolean straightThrough) {
    /** The usual tolerance of F32 results. */
    public static final double TIGHT = 2e-5;

    /** Calls the op under test. */
    @FunctionalInterface
    public interface Body {
        /** Runs on {@code inputs}, in the order of {@link OpCase#inputs}. */
        List<Tensor> run(Tape tape, List<Tensor> inputs);
    }

    /** Element {@code index} of an input, as a pure function. */
    @FunctionalInterface
    public interface Fill {
        /** The value of element {@code index} of input number {@code stream}. */
        double value(int stream, long index);
    }

    /**
     * One input.
     *
     * @param grad whether the gradient with respect to it is checked
     * @param integer whether it is I32; otherwise it has the type under test
     */
    public record Input(String name, Shape shape, Fill fill, boolean grad, boolean integer) {
    }

    /** Starts a case. */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** Collects a case's inputs. */
    public static final class Builder {
        private final String name;
        private final List<Input> inputs = new ArrayList<>();
        private double tolerance = TIGHT;
        private boolean straightThrough;

        private Builder(String name) {
            this.name = name;
        }

        /** A float input, standard normal, whose gradient is checked. */
        public Builder input(String input, long... dims) {
            return input(input, 1, dims);
        }

        /** A float input, normal with this deviation, whose gradient is checked. */
        public Builder input(String input, double deviation, long... dims) {
            return input(input, (stream, index) -> deviation * Philox.normal(42, stream, 0, index), dims);
        }

        /** A float input with values of one's own, whose gradient is checked. */
        public Builder input(String input, Fill fill, long... dims) {
            inputs.add(new Input(input, Shape.of(dims), fill, true, false));
            return this;
        }

        /** A float input with values of one's own and no gradient. */
        public Builder constant(String input, Fill fill, long... dims) {
            inputs.add(new Input(input, Shape.of(dims), fill, false, false));
            return this;
        }

        /** An I32 vector. */
        public Builder ints(String input, int... values) {
            return indices(input, values, values.length);
        }

        /** An I32 tensor of any shape. */
        public Builder indices(String input, int[] values, long... dims) {
            inputs.add(new Input(input, Shape.of(dims), (stream, index) -> values[(int) index], false, true));
            return this;
        }

        /** Allows a larger error than {@link OpCase#TIGHT}. */
        public Builder tolerance(double allowed) {
            tolerance = allowed;
            return this;
        }

        /** Says that the gradient is, by design, not the derivative of the outputs: differences are no test. */
        public Builder straightThrough() {
            straightThrough = true;
            return this;
        }

        /** The case with this call. */
        public OpCase run(Body body) {
            return new OpCase(name, List.copyOf(inputs), body, tolerance, straightThrough);
        }
    }
}
