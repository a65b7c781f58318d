package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.op.Add;
import io.mixt5.engine.op.Scale;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TapeWatchTest {
    /** Ops in the order of their passes, with the numbers that they have given. */
    @Test
    void seesEveryOpForwardAndBackward() {
        List<String> seen = new ArrayList<>();
        TapeWatch watch = new TapeWatch() {
            @Override
            public void forward(String op, int number, List<Tensor> outputs) {
                seen.add(number + " " + op + " " + outputs.getFirst().get(0));
            }

            @Override
            public void backward(String op, int number, List<Tensor> inputs) {
                seen.add(number + " back " + op + " "
                        + inputs.stream().map(input -> input.origin() + " " + input.grad().get(0)).toList());
            }
        };
        Device device = Device.of("reference");
        try (Scope scope = new Scope(device)) {
            Tensor x = scope.floats(Shape.of(1), new float[]{2}, "x").requireGrad();
            Tape tape = Tape.recording(scope).watchedBy(watch);
            tape.backward(Scale.apply(tape, Add.apply(tape, x, Scale.apply(tape, x, 5)), 3));
        }
        assertEquals(List.of("0 scale 10.0", "1 add 12.0", "2 scale 36.0", "2 back scale [add 3.0]",
                "1 back add [scale 3.0]",
                "0 back scale [x 18.0]"), seen);
        assertEquals(0, device.liveTensors());
    }
}
