package io.mixt5.train.card;

import com.samskivert.mustache.Mustache;
import com.samskivert.mustache.Template;
import io.mixt5.model.CheckpointNaming;
import io.mixt5.model.ExpertSimilarity;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.RoutingFigures;
import io.mixt5.model.SaveOptions;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.io.AtomicFile;
import io.mixt5.model.io.StrictJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A model's card, {@code README.md} in its directory, as Hugging Face's hub shows it: front matter in YAML for its search,
 * then configuration, data, training, metrics and routing. What it looks like is in {@code model-card.md} among the
 * resources, a Mustache template. The same model and facts give the same bytes.
 */
public final class ModelCard {
    private static final Template TEMPLATE = template();

    private final T5Model model;
    private final SaveOptions options;
    private final CardFacts facts;

    /**
     * The card of a model that is written with {@code options}.
     *
     * @param facts what the model does not show
     */
    public ModelCard(T5Model model, SaveOptions options, CardFacts facts) {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(options, "options");
        Objects.requireNonNull(facts, "facts");
        this.model = model;
        this.options = options;
        this.facts = facts;
    }

    private static Template template() {
        try (InputStream text = ModelCard.class.getResourceAsStream("model-card.md")) {
            return Mustache.compiler().withEscaper(ModelCard::cell)
                    .compile(new String(text.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A text on one line that is no markup, in a table's cell or outside. */
    private static String cell(String text) {
        return text.replaceAll("\\s+", " ").replaceAll("([|<\\\\])", "\\\\$1");
    }

    /** A text in YAML's double quotes, which are JSON's. */
    private static String quoted(String text) {
        return StrictJson.toText(text);
    }

    /**
     * Writes {@code README.md} and the facts beside it into the model's directory.
     *
     * @throws io.mixt5.engine.UserException when they cannot be written
     */
    public void write(Path directory) {
        Objects.requireNonNull(directory, "directory");
        StrictJson.write(directory.resolve(CardFacts.FILE), facts);
        ByteBuffer text = StandardCharsets.UTF_8.encode(text());
        AtomicFile.write(directory.resolve("README.md"), channel -> {
            while (text.hasRemaining()) {
                channel.write(text);
            }
        });
    }

    /** What the card says. */
    String text() {
        Map<String, Object> values = new LinkedHashMap<>();
        boolean mixture = model.config().mixture().activateMoe;
        boolean transformers = !mixture || options.naming() == CheckpointNaming.SWITCH_TRANSFORMERS;
        values.put("name", facts.name());
        values.put("origin", facts.origin());
        values.put("library", transformers ? "transformers" : "mixt5");
        values.put("tags", tags(mixture));
        values.put("configuration", rows(configuration()));
        values.put("data", data());
        values.put("hasTraining", facts.training() != null);
        values.put("training", facts.training() == null ? List.of() : rows(facts.training()));
        values.put("scores", scores());
        values.put("mixture", mixture ? routing() : false);
        values.put("transformers", transformers
                ? Map.of("class", mixture ? "SwitchTransformersForConditionalGeneration" : "T5ForConditionalGeneration")
                : false);
        return TEMPLATE.execute(values);
    }

    private List<String> tags(boolean mixture) {
        List<String> tags = new ArrayList<>(List.of("t5", "mixt5"));
        if (mixture) {
            tags.add("mixture-of-experts");
            if (options.naming() == CheckpointNaming.SWITCH_TRANSFORMERS) {
                tags.add("switch_transformers");
            }
        }
        return tags;
    }

    private static List<Map<String, String>> rows(Map<String, String> settings) {
        return settings.entrySet().stream().map(e -> Map.of("key", e.getKey(), "value", e.getValue())).toList();
    }

    private Map<String, String> configuration() {
        T5Config config = model.config();
        Map<String, String> rows = new LinkedHashMap<>();
        rows.put("architecture", config.gated() ? "T5 v1.1 (gated-gelu)" : "T5 v1.0 (relu)");
        rows.put("parameters", count(model.parameters().count()));
        rows.put("blocks", config.numLayers + " in the encoder, " + config.decoderLayers() + " in the decoder");
        rows.put("d_model, d_ff", config.dModel + ", " + config.dFf);
        rows.put("attention heads", config.numHeads + " of " + config.dKv);
        rows.put("vocabulary", String.valueOf(config.vocabSize));
        rows.put("output projection", config.tieWordEmbeddings ? "the embedding" : "of its own");
        rows.put("weights on disk", options.type().name().toLowerCase(Locale.ROOT));
        MixtureConfig mixture = config.mixture();
        if (mixture.activateMoe) {
            rows.put("experts", mixture.numLocalExperts + " a layer, " + mixture.numExpertsPerTok + " a token");
            rows.put("gate", lower(mixture.gate()));
            rows.put("mixtures in the encoder", blocks(mixture, config.numLayers));
            rows.put("mixtures in the decoder", blocks(mixture, config.decoderLayers()));
            rows.put("capacity in training", lower(mixture.capacityPolicy));
            rows.put("capacity in evaluation", lower(mixture.evalCapacityPolicy));
        }
        return rows;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String blocks(MixtureConfig mixture, int blocks) {
        return mixture.mixtures(blocks) == 0
                ? "none"
                : "blocks " + IntStream.range(0, blocks).filter(mixture::isMixture).mapToObj(Integer::toString)
                        .collect(Collectors.joining(", "));
    }

    private Object data() {
        CardFacts.Data data = facts.data();
        if (data == null) {
            return false;
        }
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("training", data.training());
        values.put("trainingQuestions", count(data.trainingQuestions()));
        values.put("hasValidation", data.validation() != null);
        values.put("validation", data.validation());
        values.put("validationQuestions", count(data.validationQuestions()));
        return values;
    }

    private Object scores() {
        CardFacts.Scores scores = facts.scores();
        if (scores == null) {
            return false;
        }
        CardFacts.Data data = facts.data();
        return Map.of("yamlName", quoted(facts.name()), "yamlDataset", quoted(data == null ? "squad" : data.dataset()),
                "yamlValidation", quoted(data == null || data.validation() == null ? "squad" : data.validation()),
                "metric", scores.metric(), "step", scores.step(), "exactMatch", decimals(2, scores.exactMatch()), "f1",
                decimals(2, scores.f1()));
    }

    private Map<String, Object> routing() {
        Map<String, Object> values = new LinkedHashMap<>();
        CardFacts.Routing routing = facts.routing();
        values.put("measured", routing != null && !routing.layers().isEmpty());
        if (routing != null) {
            values.put("over", routing.over());
            values.put("layers", routing.layers().stream().map(ModelCard::layer).toList());
        }
        values.put("mostEntropy", decimals(3, Math.log(model.config().mixture().numLocalExperts)));
        values.put("similarity", ExpertSimilarity.of(model).stream()
                .map(layer -> Map.of("layer", layer.layer(), "cosine", decimals(4, layer.cosine()))).toList());
        return values;
    }

    private static Map<String, Object> layer(RoutingFigures layer) {
        return Map.of("layer", layer.layer(), "tokens", layer.tokens(), "counts",
                Arrays.stream(layer.counts()).mapToObj(Integer::toString).collect(Collectors.joining(" ")),
                "dropped", decimals(2, 100 * layer.droppedShare()), "imbalance", decimals(2, layer.imbalance()),
                "entropy", decimals(3, layer.entropy()), "gate", decimals(3, layer.gate()));
    }

    private static String decimals(int digits, double value) {
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    private static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }
}
