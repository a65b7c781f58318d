package io.mixt5.train.run;

import io.mixt5.model.RoutingFigures;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Warns, once each, of experts that have received no token for a while. */
final class ExpertWatch {
    /** Updates without a token after which an expert counts as starved. */
    static final int PATIENCE = 100;

    private final Map<String, int[]> idle = new HashMap<>();
    private final Consumer<String> warnings;

    ExpertWatch(Consumer<String> warnings) {
        this.warnings = warnings;
    }

    /** Counts one update in. */
    void see(List<RoutingFigures> layers) {
        for (RoutingFigures layer : layers) {
            int[] steps = idle.computeIfAbsent(layer.layer(), name -> new int[layer.counts().length]);
            for (int e = 0; e < steps.length; e++) {
                steps[e] = layer.counts()[e] == 0 ? steps[e] + 1 : 0;
                if (steps[e] == PATIENCE) {
                    warnings.accept("expert " + e + " of " + layer.layer() + " has received no token in " + PATIENCE
                            + " updates; a larger router_aux_loss_coef spreads them");
                }
            }
        }
    }
}
