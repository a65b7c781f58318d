package io.mixt5.train.examples;

import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import java.nio.file.Path;
import java.util.List;

/** Loads a model, computes the loss and the logits of a batch, and differentiates: the directory is the argument. */
final class ForwardBackwardExample {
    private ForwardBackwardExample() {
    }

    public static void main(String[] arguments) {
        Path directory = Path.of(arguments[0]);
        Device device = Device.of("cpu"); // or "cuda"
        try (T5Model model = T5Model.load(directory, device);
                T5Tokenizer tokenizer = T5Tokenizer.load(directory);
                Scope scope = new Scope(device)) { // owns what the pass computes, and frees it when it closes
            List<int[]> sources = List.of(tokenizer.encode("He plays the violin."), tokenizer.encode("A painter."));
            List<int[]> labels = List.of(tokenizer.encodeWithEnd("the violin"), tokenizer.encodeWithEnd("painter"));

            Tape tape = Tape.recording(scope); // Tape.training(scope, seed, step) draws dropout besides
            T5Model.Output output = model.forward(tape, T5Batch.of(sources, labels, model.config()));
            tape.keep(output.logits()); // else backward would free them after their last use
            tape.backward(output.loss());

            System.out.println("loss " + output.loss().toFloats()[0]);
            System.out.println("logits " + output.logits().shape()); // [tokens of all labels, vocabulary]
            for (Parameter parameter : model.parameters().all()) {
                if (parameter.value().grad() != null) { // an expert without tokens has none
                    System.out.println(parameter.name() + " " + parameter.value().grad().shape());
                }
            }
        }
    }
}
