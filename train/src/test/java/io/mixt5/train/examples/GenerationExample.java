package io.mixt5.train.examples;

import io.mixt5.engine.Device;
import io.mixt5.model.Generator;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Continues texts with the model in the first argument; the others are the texts. */
final class GenerationExample {
    private GenerationExample() {
    }

    public static void main(String[] arguments) {
        Path directory = Path.of(arguments[0]);
        List<String> texts = Arrays.asList(arguments).subList(1, arguments.length);
        try (T5Model model = T5Model.load(directory, Device.of("cpu"));
                T5Tokenizer tokenizer = T5Tokenizer.load(directory)) {
            List<int[]> sources = new ArrayList<>();
            for (String text : texts) {
                sources.add(tokenizer.encode(text)); // of any lengths: nothing is padded
            }
            List<int[]> outputs = new Generator(model, 20).generate(sources);
            for (int i = 0; i < texts.size(); i++) {
                System.out.println(texts.get(i) + " -> " + tokenizer.decode(outputs.get(i), true));
            }
        }
    }
}
