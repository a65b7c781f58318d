package io.mixt5.train.examples;

import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.model.ExpertSimilarity;
import io.mixt5.model.RoutingFigures;
import io.mixt5.model.RoutingStatistics;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Shows which experts the mixture in the argument uses, over several batches, and how alike they are. */
final class RoutingStatisticsExample {
    private RoutingStatisticsExample() {
    }

    public static void main(String[] arguments) {
        try (T5Model model = T5Model.load(Path.of(arguments[0]), Device.of("cpu"))) {
            RoutingStatistics statistics = new RoutingStatistics();
            for (int batch = 0; batch < 3; batch++) {
                T5Batch tokens = T5Batch.of(List.of(new int[]{5 + batch, 9, 12, 1}), List.of(new int[]{8, 7, 1}),
                        model.config());
                try (Scope scope = new Scope(model.device())) {
                    statistics.add(model.forward(Tape.inference(scope), tokens).routing().figures());
                }
            }
            for (RoutingFigures layer : statistics.layers()) {
                System.out.printf("%s: tokens per expert %s, dropped %.1f %%, imbalance %.2f, entropy %.3f%n",
                        layer.layer(),
                        Arrays.toString(layer.counts()), 100 * layer.droppedShare(), layer.imbalance(),
                        layer.entropy());
            }
            for (ExpertSimilarity layer : ExpertSimilarity.of(model)) {
                System.out.printf("%s: experts alike by %.3f%n", layer.layer(), layer.cosine());
            }
        }
    }
}
