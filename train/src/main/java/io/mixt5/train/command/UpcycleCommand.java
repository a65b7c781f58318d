package io.mixt5.train.command;

import io.mixt5.engine.Philox;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Route.Gate;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.SaveOptions;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.Upcycling;
import io.mixt5.model.io.UserFiles;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.CardFacts;
import io.mixt5.train.card.ModelCard;
import io.mixt5.train.config.Devices;
import io.mixt5.train.run.WholeDirectory;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Turns a dense model's directory into one of a mixture of experts, and shows by their logits how far they differ. */
@Command(name = "upcycle", mixinStandardHelpOptions = true,
        description = "Copies a dense model with its feed-forward layers turned into mixtures of experts.")
public final class UpcycleCommand implements Callable<Integer> {
    /** Sequences of the receipt's batch: tokens of the source and of the labels. */
    private static final int[][] RECEIPT_LENGTHS = {{3, 5}, {40, 1}, {17, 12}, {1, 3}};

    @Option(names = "--from", required = true, paramLabel = "DIR",
            description = "The dense model: config.json, model.safetensors, spiece.model.")
    private Path from;

    @Option(names = "--to", required = true, paramLabel = "DIR",
            description = "Where the mixture goes; must not be there yet, or be empty.")
    private Path to;

    @Option(names = "--experts", required = true, paramLabel = "N", description = "Experts of a layer.")
    private int experts;

    @Option(names = "--top-k", defaultValue = "1", paramLabel = "K",
            description = "Experts of a token; default ${DEFAULT-VALUE}.")
    private int topK;

    @Option(names = "--gate", paramLabel = "NAME",
            description = "What an expert's result is multiplied by: ${COMPLETION-CANDIDATES}; default preserving for "
                    + "one expert a token and renormalized for more, which both keep what the model computes.")
    private Gate gate;

    @ArgGroup
    private final Placement placement = new Placement();

    @Option(names = "--noise", defaultValue = "0", paramLabel = "LAMBDA",
            description = "NoisyTune's lambda, by which each expert is perturbed; default ${DEFAULT-VALUE}.")
    private double noise;

    @Option(names = "--seed", defaultValue = "42", paramLabel = "N",
            description = "Of the routers' weights and the noise; default ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--device", defaultValue = "auto", paramLabel = "NAME",
            description = "Where to compute: cpu, cuda, cuda:N, or auto for a GPU where there is one; default ${DEFAULT-VALUE}.")
    private String device;

    @Spec
    private CommandSpec spec;

    /** Which blocks are mixtures, said in one way only. */
    private static final class Placement {
        @Option(names = "--first-moe-layer", paramLabel = "N",
                description = "Blocks from this one on, counted from 0, are mixtures; default: the last half.")
        private Integer first;

        @Option(names = "--moe-layer-step", paramLabel = "S",
                description = "Every S-th block is a mixture, as in Switch; in place of --first-moe-layer.")
        private Integer step;
    }

    @Override
    public Integer call() {
        UserFiles.requireDirectory(from);
        FreeDirectory.require(to);
        try (T5Tokenizer tokenizer = T5Tokenizer.load(from);
                T5Model parent = T5Model.load(from, Devices.open(device))) {
            if (parent.config().mixture().activateMoe) {
                throw new UserException(from + " is a mixture of experts already; name a dense model");
            }
            MixtureConfig mixture = mixture(parent.config());
            try (T5Model child = Upcycling.upcycle(parent, mixture, noise, seed)) {
                WholeDirectory.replace(to, directory -> {
                    child.save(directory);
                    tokenizer.save(directory);
                    new ModelCard(child, SaveOptions.DEFAULT, facts()).write(directory);
                });
                receipt(parent, child);
            }
        }
        return ExitCode.OK;
    }

    private CardFacts facts() {
        return CardFacts.of(CardFacts.lastPart(to, "model"), "Upcycled from " + CardFacts.lastPart(from, "a model")
                + ", each expert a copy of its block's feed-forward layer"
                + (noise > 0 ? " with noise of lambda " + noise : "") + "; not trained since.");
    }

    private MixtureConfig mixture(T5Config parent) {
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = experts;
        mixture.numExpertsPerTok = topK;
        mixture.routerGate = gate != null ? gate : topK == 1 ? Gate.PRESERVING : Gate.RENORMALIZED;
        mixture.moeLayerStep = placement.step;
        if (placement.step == null) {
            mixture.numMoeLayers = placement.first != null ? placement.first : parent.numLayers / 2;
        }
        mixture.check("the upcycled model");
        if (mixture.mixtures(parent.numLayers) + mixture.mixtures(parent.decoderLayers()) == 0) {
            throw new UserException("no block would become a mixture: the model has " + parent.numLayers + " and "
                    + parent.decoderLayers() + " blocks, counted from 0; name an earlier one");
        }
        return mixture;
    }

    private void receipt(T5Model parent, T5Model child) {
        PrintWriter out = spec.commandLine().getOut();
        T5Config config = child.config();
        MixtureConfig mixture = config.mixture();
        T5Batch batch = batch(config);
        double difference = Upcycling.largestLogitDifference(parent, child, batch);
        out.printf(Locale.ROOT, "%-28s %s, %,d parameters%n", "parent", from, parent.parameters().count());
        out.printf(Locale.ROOT, "%-28s %s, %,d parameters%n", "child", to, child.parameters().count());
        out.printf(Locale.ROOT, "%-28s %s%n", "mixtures in the encoder", blocks(mixture, config.numLayers));
        out.printf(Locale.ROOT, "%-28s %s%n", "mixtures in the decoder", blocks(mixture, config.decoderLayers()));
        out.printf(Locale.ROOT, "%-28s %d, %d a token, gate %s, noise %s%n", "experts", mixture.numLocalExperts,
                mixture.numExpertsPerTok, mixture.gate().name().toLowerCase(Locale.ROOT), noise);
        out.printf(Locale.ROOT, "%-28s %.3g%n", "largest logit", largestLogit(parent, batch));
        out.printf(Locale.ROOT, "%-28s %.3g%n", "largest logit difference", difference);
        out.println(expected(mixture));
        out.flush();
    }

    private String expected(MixtureConfig mixture) {
        if (mixture.gate() == Gate.RAW) {
            return "The gate is raw: results are multiplied by the router's probabilities, so the child computes "
                    + "something else than its parent until it is trained.";
        }
        if (noise > 0) {
            return "The experts were perturbed: the difference grows with the noise; without any it would be "
                    + "rounding.";
        }
        return "The gate preserves what the parent computes: the difference should be rounding, about 1e-5 or less "
                + "where logits are of the order of 10.";
    }

    private static double largestLogit(T5Model model, T5Batch batch) {
        try (Scope scope = new Scope(model.device())) {
            double largest = 0;
            for (float logit : model.forward(Tape.inference(scope), batch).logits().toFloats()) {
                largest = Math.max(largest, Math.abs(logit));
            }
            return largest;
        }
    }

    private static String blocks(MixtureConfig mixture, int blocks) {
        String mixtures = IntStream.range(0, blocks).filter(mixture::isMixture).mapToObj(Integer::toString)
                .collect(Collectors.joining(", "));
        return (mixtures.isEmpty() ? "none" : "blocks " + mixtures) + " of " + blocks;
    }

    /** Random tokens, the same every time, of unequal lengths. */
    private static T5Batch batch(T5Config config) {
        List<int[]> sources = new ArrayList<>();
        List<int[]> labels = new ArrayList<>();
        for (int i = 0; i < RECEIPT_LENGTHS.length; i++) {
            sources.add(tokens(config.vocabSize, RECEIPT_LENGTHS[i][0], 2 * i));
            labels.add(tokens(config.vocabSize, RECEIPT_LENGTHS[i][1], 2 * i + 1));
        }
        return T5Batch.of(sources, labels, config);
    }

    private static int[] tokens(int vocabulary, int length, int stream) {
        return IntStream.range(0, length).map(i -> (int) ((double) Philox.uniform(0, stream, 0, i) * vocabulary))
                .toArray();
    }
}
