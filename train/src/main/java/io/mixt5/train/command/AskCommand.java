package io.mixt5.train.command;

import io.mixt5.engine.UserException;
import io.mixt5.model.Generated;
import io.mixt5.model.GenerationConfig;
import io.mixt5.model.Generator;
import io.mixt5.model.RoutedText;
import io.mixt5.model.T5Model;
import io.mixt5.model.io.StrictUtf8Reader;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.data.SquadPairs;
import io.mixt5.train.squad.SquadPrompt;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Answers one question, or, without one, those that are typed until the input ends. */
@Command(name = "ask", mixinStandardHelpOptions = true,
        description = "Answers a question on a text; without --question and --context it asks for them, line by line, until the "
                + "input ends.")
public final class AskCommand implements Callable<Integer> {
    @Option(names = "--model", required = true, paramLabel = "DIR",
            description = "The model: config.json, model.safetensors, spiece.model.")
    private Path model;

    @Option(names = "--question", paramLabel = "TEXT", description = "The question.")
    private String question;

    @Option(names = "--context", paramLabel = "TEXT", description = "The text that answers it.")
    private String context;

    @Option(names = "--routing",
            description = "Also shows which experts each token went to, with what probability, and whether it was dropped.")
    private boolean routing;

    @Option(names = "--num-return-sequences", paramLabel = "N",
            description = "Answers to show, with their scores: the best of a beam search, or so many that are drawn.")
    private Integer answers;

    @Mixin
    private SourceOptions source;

    @Mixin
    private GenerationOptions generation;

    @Mixin
    private DeviceOptions device;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (question == null != (context == null)) {
            throw new UserException(
                    "--question and --context belong together: give both, or neither to be asked for them");
        }
        int length = source.maxSequenceLength();
        GenerationConfig config = generation.over(model);
        if (answers != null) {
            config.numReturnSequences = answers;
            config.check("--num-return-sequences, with the options of generation");
        }
        try (T5Tokenizer tokenizer = T5Tokenizer.load(model).withAddedTokens(SquadPrompt.MARKERS);
                T5Model loaded = device.load(model)) {
            Answers asked = new Answers(loaded, tokenizer, new Generator(loaded, config), length,
                    spec.commandLine().getOut());
            if (question != null) {
                asked.answer(question, context, routing);
            } else {
                converse(asked);
            }
        }
        return ExitCode.OK;
    }

    /** Reads a context and questions on it; an empty question asks for another context. */
    private void converse(Answers asked) {
        // Not closed: the standard input is not ours.
        BufferedReader lines = new BufferedReader(new StrictUtf8Reader(System.in));
        String text;
        while ((text = line(lines, "context:  ")) != null) {
            String asks;
            while (!text.isBlank() && (asks = line(lines, "question: ")) != null && !asks.isBlank()) {
                asked.answer(asks, text, routing);
            }
        }
    }

    /** The next line; null at the end of the input. The prompt is for people, who see the error output as well. */
    private String line(BufferedReader lines, String prompt) {
        try {
            PrintWriter err = spec.commandLine().getErr();
            err.print(prompt);
            err.flush();
            return lines.readLine();
        } catch (IOException e) {
            throw new UserException("the standard input cannot be read: " + e.getMessage() + "; give it lines of UTF-8",
                    e);
        }
    }

    /** Answers questions and prints what comes out. */
    private record Answers(T5Model model, T5Tokenizer tokenizer, Generator generator, int length, PrintWriter out) {
        void answer(String question, String context, boolean routing) {
            int[] ids = SquadPairs.source(SquadPrompt.input(question, context), tokenizer, length);
            List<Generated> outputs = generator.outputs(List.of(ids)).getFirst();
            for (Generated output : outputs) {
                String text = tokenizer.decode(output.ids(), true).strip();
                out.println(outputs.size() == 1 ? text : "%8.4f  %s".formatted(output.score(), text));
            }
            if (routing) {
                show(ids, outputs.getFirst().ids());
            }
            out.flush();
        }

        private void show(int[] source, int[] output) {
            RoutedText routed = RoutedText.of(model, source, output);
            if (routed.encoder().isEmpty() && routed.decoder().isEmpty()) {
                out.println("the model is dense: no token is routed");
                return;
            }
            int[] read = IntStream.concat(IntStream.of(model.config().decoderStartTokenId),
                    Arrays.stream(output).limit(output.length - 1)).toArray();
            out.println();
            RoutingTable.print(out, "encoder reads", pieces(source), routed.encoder());
            out.println();
            RoutingTable.print(out, "decoder reads", pieces(read), routed.decoder());
        }

        private List<String> pieces(int[] ids) {
            // A model's embedding may have more rows than its tokenizer has tokens.
            return Arrays.stream(ids)
                    .mapToObj(id -> id < tokenizer.vocabularySize() ? tokenizer.token(id) : "id " + id).toList();
        }
    }
}
