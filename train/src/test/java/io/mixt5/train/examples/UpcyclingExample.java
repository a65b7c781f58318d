package io.mixt5.train.examples;

import io.mixt5.engine.Device;
import io.mixt5.engine.op.Route;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.model.Upcycling;
import java.nio.file.Path;
import java.util.List;

/** Turns the dense model in the first argument into a mixture of experts in the second, which computes the same. */
final class UpcyclingExample {
    private UpcyclingExample() {
    }

    public static void main(String[] arguments) {
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = 4;
        mixture.numExpertsPerTok = 1;
        mixture.moeLayerStep = 2; // every second block, as in Switch
        mixture.routerGate = Route.Gate.PRESERVING; // results are not scaled by the router's probability
        mixture.routerAuxLossCoef = 0.01;
        try (T5Model dense = T5Model.load(Path.of(arguments[0]), Device.of("cpu"));
                T5Model sparse = Upcycling.upcycle(dense, mixture, 0, 42)) { // above 0: NoisyTune's lambda
            T5Batch batch = T5Batch.of(List.of(new int[]{5, 9, 12, 1}), List.of(new int[]{8, 7, 1}), dense.config());
            System.out.println("parameters " + dense.parameters().count() + " -> " + sparse.parameters().count());
            System.out.println("largest difference of a logit "
                    + Upcycling.largestLogitDifference(dense, sparse, batch));
            sparse.save(Path.of(arguments[1]));
        }
    }
}
