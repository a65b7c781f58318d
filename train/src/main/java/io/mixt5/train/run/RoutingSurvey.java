package io.mixt5.train.run;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.model.RoutingFigures;
import io.mixt5.model.RoutingStatistics;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.train.data.TextPair;
import java.util.List;

/** What a model's mixtures do with given texts and answers, in evaluation. */
final class RoutingSurvey {
    private RoutingSurvey() {
    }

    /** One entry for each mixture, over all pairs; none for a dense model. */
    static List<RoutingFigures> of(T5Model model, List<TextPair> pairs, int batchSize) {
        RoutingStatistics statistics = new RoutingStatistics();
        if (!model.config().mixture().activateMoe) {
            return statistics.layers();
        }
        for (int from = 0; from < pairs.size(); from += batchSize) {
            List<TextPair> batch = pairs.subList(from, Math.min(pairs.size(), from + batchSize));
            try (Scope scope = new Scope(model.device())) {
                statistics.add(model.forward(Tape.inference(scope), T5Batch.of(
                        batch.stream().map(TextPair::source).toList(), batch.stream().map(TextPair::target).toList(),
                        model.config())).routing().figures());
            }
        }
        return statistics.layers();
    }
}
