package consumer;

import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.model.Generator;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.optim.AdamWOptimizer;
import java.nio.file.Path;
import java.util.List;

/** Trains, saves, loads and generates, with what the one dependency brings. */
final class Consumer {
    private Consumer() {
    }

    /** Ends with an error when anything is missing. */
    public static void main(String[] arguments) {
        Path directory = Path.of(arguments[0]);
        Device device = Device.of("cpu");
        T5Config config = T5Config.preset("tiny");
        config.vocabSize = 64;
        int[] output;
        try (T5Model model = T5Model.random(config, device, 1);
                AdamWOptimizer optimizer = new AdamWOptimizer(model.parameters().all(), p -> 0, 0.9, 0.999, 1e-8)) {
            float first = step(model, optimizer, 0);
            float last = first;
            for (int step = 1; step < 30; step++) {
                last = step(model, optimizer, step);
            }
            require(last < first / 2, "the loss fell from " + first + " to " + last);
            model.save(directory);
            output = generate(model);
        }
        try (T5Model loaded = T5Model.load(directory, device)) {
            require(java.util.Arrays.equals(output, generate(loaded)), "the loaded model generates the same");
        }
        require(device.liveTensors() == 0, "no tensor is left");
        String natives = "/org/bytedeco/openblas/linux-x86_64/libopenblas.so.0";
        boolean linux = System.getProperty("os.name").equals("Linux") && System.getProperty("os.arch").equals("amd64");
        require(!linux || Device.class.getResource(natives) != null, "OpenBLAS is on the class path");
        require(Device.class.getResource("/org/slf4j/simple/SimpleLogger.class") == null, "logging is left to the user");
    }

    private static float step(T5Model model, AdamWOptimizer optimizer, int step) {
        try (Scope scope = new Scope(model.device())) {
            T5Batch batch = T5Batch.of(List.of(new int[]{5, 9, 1}), List.of(new int[]{7, 8, 1}), model.config());
            model.parameters().clearGradients();
            Tape tape = Tape.training(scope, 42, step);
            T5Model.Output output = model.forward(tape, batch);
            tape.backward(output.loss());
            optimizer.step(1e-2, null, 0);
            return output.loss().toFloats()[0];
        }
    }

    private static int[] generate(T5Model model) {
        return new Generator(model, 10).generate(List.of(new int[]{5, 9, 1})).getFirst();
    }

    private static void require(boolean holds, String what) {
        System.out.println((holds ? "yes: " : "NO: ") + what);
        if (!holds) {
            throw new IllegalStateException("it does not hold that " + what);
        }
    }
}
