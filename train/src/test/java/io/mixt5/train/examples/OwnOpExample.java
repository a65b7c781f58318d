package io.mixt5.train.examples;

import io.mixt5.engine.Device;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;

/**
 * An op of one's own, in loops over elements, and its gradient checked by central differences. This is for trying things out
 * on the CPU; README.md, "Adding an op", says how one becomes an op of every backend.
 */
final class OwnOpExample {
    private OwnOpExample() {
    }

    /** y = cap * tanh(x / cap), which keeps values within (-cap, cap). */
    static Tensor softCap(Tape tape, Tensor x, double cap) {
        Tensor y = tape.allocate(x.dtype(), x.shape(), "soft_cap");
        for (long i = 0; i < x.count(); i++) {
            y.set(i, cap * Math.tanh(x.get(i) / cap));
        }
        if (tape.tracks(x)) {
            tape.record("soft_cap", y, gradients -> {
                Tensor dy = gradients.of(y);
                Target dx = gradients.into(x); // empty, or with what other uses of x have left
                for (long i = 0; i < x.count(); i++) {
                    double tanh = y.get(i) / cap;
                    double before = dx.accumulate() ? dx.tensor().get(i) : 0;
                    dx.tensor().set(i, before + dy.get(i) * (1 - tanh * tanh));
                }
            });
        }
        return y;
    }

    public static void main(String[] arguments) {
        float[] values = {-4, -0.5f, 0, 1, 2.5f};
        float[] weights = {1, -2, 3, 0.5f, -1};
        Device device = Device.of("cpu");
        try (Scope scope = new Scope(device)) {
            Tape tape = Tape.recording(scope);
            Tensor x = scope.floats(Shape.of(5), values, "x").requireGrad();
            tape.keep(x); // its gradient is read after backward
            Tensor y = softCap(tape, x, 2);
            Tensor dy = scope.floats(Shape.of(5), weights, "dy");
            tape.backward(new Tensor[]{y}, new Tensor[]{dy});
            float[] gradient = x.grad().toFloats();
            for (int i = 0; i < values.length; i++) {
                double difference = weights[i] * (cap(values[i] + 1e-3) - cap(values[i] - 1e-3)) / 2e-3;
                System.out.println("gradient " + gradient[i] + ", by differences " + difference);
            }
        }
    }

    private static double cap(double x) {
        return 2 * Math.tanh(x / 2);
    }
}
