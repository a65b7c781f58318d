package io.mixt5.train.command;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.model.CheckpointNaming;
import io.mixt5.model.SaveOptions;
import io.mixt5.model.T5Model;
import io.mixt5.model.io.UserFiles;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.CardFacts;
import io.mixt5.train.card.ModelCard;
import io.mixt5.train.run.WholeDirectory;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Writes a model in another form: other names, other types of weights, files of another size. */
@Command(name = "export", mixinStandardHelpOptions = true,
        description = "Copies a model for other software: dense ones and Switch's mixtures open in transformers.")
public final class ExportCommand implements Callable<Integer> {
    @Option(names = "--model", required = true, paramLabel = "DIR",
            description = "The model: config.json, its weights, and perhaps spiece.model.")
    private Path model;

    @Option(names = "--to", required = true, paramLabel = "DIR",
            description = "Where it goes; must not be there yet, or be empty.")
    private Path to;

    @Option(names = "--naming", defaultValue = "mixt5", paramLabel = "NAME", converter = NamingConverter.class,
            description = "Whose names: mixt5, which for a dense model are transformers', or switch for transformers' "
                    + "SwitchTransformersForConditionalGeneration; default ${DEFAULT-VALUE}.")
    private CheckpointNaming naming;

    @Option(names = "--dtype", defaultValue = "float32", paramLabel = "TYPE", converter = TypeConverter.class,
            description = "Of the weights: float32, bfloat16 or float16; default ${DEFAULT-VALUE}.")
    private DType type;

    @Option(names = "--max-shard-size", defaultValue = "5GB", paramLabel = "SIZE", converter = SizeConverter.class,
            description = "Most bytes of weights in a file, as 500MB or 2GiB; what is larger is spread over several; "
                    + "default ${DEFAULT-VALUE}.")
    private long maxShardSize;

    @Spec
    private CommandSpec spec;

    private static final class NamingConverter implements ITypeConverter<CheckpointNaming> {
        private static final Map<String, CheckpointNaming> NAMES = Map.of("mixt5", CheckpointNaming.MIXT5, "switch",
                CheckpointNaming.SWITCH_TRANSFORMERS);

        @Override
        public CheckpointNaming convert(String text) {
            return choice(text, NAMES, "mixt5 or switch");
        }
    }

    private static final class TypeConverter implements ITypeConverter<DType> {
        private static final Map<String, DType> TYPES = Map.of("float32", DType.F32, "bfloat16", DType.BF16, "float16",
                DType.F16);

        @Override
        public DType convert(String text) {
            return choice(text, TYPES, "float32, bfloat16 or float16");
        }
    }

    private static <T> T choice(String text, Map<String, T> choices, String names) {
        T chosen = choices.get(text.toLowerCase(Locale.ROOT));
        if (chosen == null) {
            throw new TypeConversionException("'" + text + "' is none of " + names);
        }
        return chosen;
    }

    private static final class SizeConverter implements ITypeConverter<Long> {
        private static final Pattern SIZE = Pattern.compile("(\\d{1,18}) ?(|K|M|G|T)(i?)B?", Pattern.CASE_INSENSITIVE);

        @Override
        public Long convert(String text) {
            Matcher size = SIZE.matcher(text.strip());
            if (!size.matches()) {
                throw new TypeConversionException("'" + text + "' is no size; write one as 500MB, 5GB or 2GiB");
            }
            long unit = 1;
            int power = " KMGT".indexOf(size.group(2).isEmpty() ? " " : size.group(2).toUpperCase(Locale.ROOT));
            for (int i = 0; i < power; i++) {
                unit *= size.group(3).isEmpty() ? 1000 : 1024;
            }
            try {
                return Math.multiplyExact(Long.parseLong(size.group(1)), unit);
            } catch (ArithmeticException e) {
                throw new TypeConversionException("'" + text + "' is more than any file system holds");
            }
        }
    }

    @Override
    public Integer call() throws IOException {
        UserFiles.requireDirectory(model);
        FreeDirectory.require(to);
        SaveOptions options = new SaveOptions(naming, type, maxShardSize);
        CardFacts facts = CardFacts.read(model, CardFacts.of(CardFacts.lastPart(model, "model"),
                "A copy of " + CardFacts.lastPart(model, "a model") + " in another form."));
        boolean tokenizer = Files.exists(model.resolve("spiece.model"));
        try (T5Model loaded = T5Model.load(model, Device.of("cpu"))) {
            WholeDirectory.replace(to, directory -> {
                loaded.save(directory, options);
                new ModelCard(loaded, options, facts).write(directory);
                if (tokenizer) {
                    copyTokenizer(directory);
                }
            });
        }
        report(tokenizer);
        return ExitCode.OK;
    }

    private void copyTokenizer(Path directory) {
        try (T5Tokenizer pieces = T5Tokenizer.load(model)) {
            pieces.save(directory);
        }
    }

    private void report(boolean tokenizer) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try (var files = Files.list(to)) {
            for (Path file : files.sorted().toList()) {
                out.printf(Locale.ROOT, "%,16d  %s%n", Files.size(file), file.getFileName());
            }
        }
        if (!tokenizer) {
            out.println("warning: there is no spiece.model in " + model + ", so " + to + " has no tokenizer");
        }
        out.flush();
    }
}
