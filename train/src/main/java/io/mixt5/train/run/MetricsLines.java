package io.mixt5.train.run;

import io.mixt5.model.ExpertSimilarity;
import io.mixt5.model.RoutingFigures;
import io.mixt5.train.squad.SquadScore;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The lines of a {@link MetricsLog}. */
final class MetricsLines {
    private MetricsLines() {
    }

    /**
     * What a step did.
     *
     * @param state after the step
     * @param epoch epochs behind us, parts counted
     */
    static Map<String, Object> step(TrainState state, double epoch, Trainer.Update update, long tokensPerSecond) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", state.step());
        line.put("epoch", epoch);
        line.put("loss", finite(update.loss()));
        line.put("grad_norm", finite(update.norm()));
        line.put("learning_rate", update.learningRate());
        line.put("tokens_per_second", tokensPerSecond);
        if (state.badSteps() > 0) {
            line.put("bad_steps", state.badSteps());
        }
        if (state.lossScale() != null) {
            line.put("loss_scale", state.lossScale().scale());
            line.put("skipped_steps", state.lossScale().skipped());
        }
        if (!update.routing().isEmpty()) {
            line.put("routing", update.routing().stream().map(MetricsLines::figures).toList());
        }
        return line;
    }

    /** JSON has no other numbers. */
    private static Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }

    private static Map<String, Object> figures(RoutingFigures layer) {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("layer", layer.layer());
        figures.put("tokens_per_expert", layer.counts());
        figures.put("dropped_share", layer.droppedShare());
        figures.put("imbalance", layer.imbalance());
        figures.put("entropy", layer.entropy());
        figures.put("gate", layer.gate());
        figures.put("balance_loss", layer.balance());
        return figures;
    }

    /** What a validation after {@code step} gave. */
    static Map<String, Object> validation(int step, SquadScore score, List<ExpertSimilarity> layers, double seconds) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", step);
        line.put("exact_match", score.exactMatch());
        line.put("f1", score.f1());
        Map<String, Double> similarity = new LinkedHashMap<>();
        layers.forEach(layer -> similarity.put(layer.layer(), layer.cosine()));
        if (!similarity.isEmpty()) {
            line.put("expert_similarity", similarity);
        }
        line.put("validation_seconds", seconds);
        return line;
    }
}
