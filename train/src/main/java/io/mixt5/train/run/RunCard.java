package io.mixt5.train.run;

import io.mixt5.model.RoutingFigures;
import io.mixt5.model.SaveOptions;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.CardFacts;
import io.mixt5.train.card.CardFacts.Data;
import io.mixt5.train.card.CardFacts.Routing;
import io.mixt5.train.card.CardFacts.Scores;
import io.mixt5.train.card.ModelCard;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.config.TrainConfig.Dataset;
import io.mixt5.train.data.SquadPairs;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.quickstart.Quickstart;
import io.mixt5.train.squad.SquadExample;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Gathers what the card of a run's model says.
 *
 * @param train what the run learns from
 * @param validation what it is scored on; may be empty
 */
record RunCard(TrainConfig config, T5Tokenizer tokenizer, List<TextPair> train, List<SquadExample> validation) {
    /** Questions whose routing is looked at, so that a card costs less than a validation. */
    private static final int SURVEYED = 256;

    /** The card of {@code model} as the run stands; the scores are those of {@code state} where it was validated. */
    ModelCard of(T5Model model, TrainState state) {
        Scores scores = state.bestStep() > 0
                ? new Scores(config.metric.name().toLowerCase(Locale.ROOT), state.bestExactMatch(), state.bestF1(),
                        state.bestStep())
                : null;
        String name = CardFacts.lastPart(config.saveDir, "model");
        return new ModelCard(model, SaveOptions.DEFAULT,
                new CardFacts(name, origin(), data(), training(state, model), scores, routing(model)));
    }

    private String origin() {
        if (config.pretrainedModelNameOrPath == null) {
            return "Trained from random weights.";
        }
        String parent = CardFacts.lastPart(config.pretrainedModelNameOrPath, "a model");
        String noise = config.noiseLambda > 0 ? ", its experts perturbed with a lambda of " + config.noiseLambda : "";
        return "Fine-tuned from " + parent + (config.enableMoe ? " as a mixture of experts" + noise : "") + ".";
    }

    private Data data() {
        boolean quickstart = config.dataset == Dataset.QUICKSTART;
        String validationFile = quickstart
                ? Quickstart.VALIDATION
                : config.validationFile == null ? null : CardFacts.lastPart(config.validationFile, "validation");
        return new Data(quickstart ? "mixt5-quickstart" : "squad",
                quickstart ? Quickstart.TRAIN : CardFacts.lastPart(config.trainFile, "training"), train.size(),
                validationFile, validation.size());
    }

    private Map<String, String> training(TrainState state, T5Model model) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("updates", String.valueOf(state.step()));
        settings.put("questions an update", String
                .valueOf(config.perDeviceTrainBatchSize * config.gradientAccumulationSteps));
        settings.put("optimiser", lower(config.optim));
        settings.put("learning rate", config.usesRelativeStep()
                ? "relative step"
                : config.learningRate + ", " + lower(config.lrSchedulerType));
        settings.put("weight decay", String.valueOf(config.weightDecay));
        settings.put("largest gradient norm", String.valueOf(config.maxGradNorm));
        settings.put("dropout", String.valueOf(model.config().dropoutRate));
        if (model.config().mixture().activateMoe) {
            settings.put("balance loss, z-loss", model.config().mixture().routerAuxLossCoef + ", "
                    + model.config().mixture().routerZLossCoef);
            settings.put("exploration", lower(model.config().mixture().explores()));
        }
        settings.put("precision", lower(config.precision));
        settings.put("tokens of input, target", config.maxSequenceLength + ", " + config.maxTargetLength);
        settings.put("seed", String.valueOf(config.seed));
        return settings;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private Routing routing(T5Model model) {
        boolean validated = !validation.isEmpty();
        List<TextPair> pairs = validated
                ? validation.stream().limit(SURVEYED)
                        .map(q -> SquadPairs.pair(q, tokenizer, config.maxSequenceLength, config.maxTargetLength))
                        .toList()
                : train.stream().limit(SURVEYED).toList();
        List<RoutingFigures> layers = RoutingSurvey.of(model, pairs, config.perDeviceEvalBatchSize);
        return layers.isEmpty()
                ? null
                : new Routing("the first " + pairs.size() + (validated ? " validation" : " training")
                        + " questions with their answers, in evaluation", layers);
    }
}
