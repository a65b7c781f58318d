package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.CrossEntropy;
import io.mixt5.engine.op.Route;
import io.mixt5.model.MixtureConfig.Exploration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What published mixtures of experts got wrong, tried on whole models. */
class MixtureTrapsTest {
    private static final int IGNORED = CrossEntropy.IGNORE;
    private static final String ENCODER = "encoder.block.1.layer.1";
    private static final String DECODER = "decoder.block.1.layer.2";
    /** Equal tokens throughout, so that each stack sends all of its own to one expert. */
    private static final List<int[]> FIVES = List.of(new int[]{5, 5, 5, 5, 5});
    private static final List<int[]> ZEROS = List.of(new int[]{0, 0, 0, 0});
    private static final List<int[]> SOURCES = List.of(new int[]{7, 3, 9, 22, 1}, new int[]{15, 8, 1},
            new int[]{4, 30, 31, 32, 33, 34, 1});
    private static final List<int[]> LABELS = List.of(new int[]{6, 12, 1}, new int[]{9, 1}, new int[]{20, 21, 22, 1});

    private final Device device = Device.of("reference");

    @Test
    void layersAreNotPooledBeforeTheBalanceLoss() {
        for (int seed = 1;; seed++) {
            assertTrue(seed < 50, "no seed with different experts in encoder and decoder");
            double[] plain = new double[1];
            evaluate(m -> m.routerAuxLossCoef = 0, seed, FIVES, ZEROS, output -> plain[0] = output.loss().get(0));
            List<RoutingFigures> layers = evaluate(m -> {}, seed, FIVES, ZEROS,
                    output -> output.routing().figures());
            if (!Arrays.equals(chosen(layers.get(0)), chosen(layers.get(1)))) {
                double loss = evaluate(m -> m.routerAuxLossCoef = 0.5, seed, FIVES, ZEROS,
                        output -> output.loss().get(0));
                // All tokens of a layer to one expert with probability p: f P is p there and 0 elsewhere.
                double mean = layers.stream().mapToDouble(layer -> 4 * layer.gate()).average().orElseThrow();
                assertEquals(plain[0] + 0.5 * mean, loss, 1e-5);
                return;
            }
        }
    }

    private static int[] chosen(RoutingFigures layer) {
        return IntStream.range(0, layer.counts().length).filter(e -> layer.counts()[e] > 0).toArray();
    }

    @Test
    void paddingTakesNoCapacity() {
        List<int[]> labels = List.of(new int[]{0, IGNORED, 0, IGNORED, 0, 0, 0, 0});
        evaluate(m -> {
            m.evalCapacityPolicy = Route.Policy.CAPACITY;
            m.evalCapacityFactor = 1;
        }, 3, FIVES, labels, output -> {
            RoutingFigures decoder = output.routing().figures().get(1);
            assertEquals(6, decoder.tokens());
            assertEquals(6, Arrays.stream(decoder.counts()).sum());
            assertEquals(4, decoder.dropped(), "six tokens for ceil(6 / 4) places");
            float[][] rows = rows(output, 8);
            // The two places go to the first two tokens that count; the last layer gives all others nothing.
            assertArrayEquals(rows[0], rows[2], 1e-5f);
            for (int padding : new int[]{1, 3, 4, 5, 6, 7}) {
                assertFalse(near(rows[0], rows[padding]), "row " + padding);
                assertArrayEquals(rows[7], rows[padding], 1e-5f, "row " + padding);
            }
            return null;
        });
    }

    private static float[][] rows(T5Model.Output output, int count) {
        float[] logits = output.logits().toFloats();
        int width = logits.length / count;
        return IntStream.range(0, count).mapToObj(i -> Arrays.copyOfRange(logits, i * width, (i + 1) * width))
                .toArray(float[][]::new);
    }

    private static boolean near(float[] a, float[] b) {
        return IntStream.range(0, a.length).allMatch(i -> Math.abs(a[i] - b[i]) < 1e-3);
    }

    /** With a single expert the router decides nothing, so that noise is seen only where it reaches the expert. */
    @Test
    void jitterReachesTheExpertsOnlyWhenAskedTo() {
        for (MixtureConfig.Scope scope : MixtureConfig.Scope.values()) {
            T5Config config = MixtureModels.config(m -> {
                m.numLocalExperts = 1;
                m.routerJitterNoise = 0.3;
                m.explorationScope = scope;
            });
            try (T5Model model = T5Model.random(config, device, 4)) {
                assertEquals(scope == MixtureConfig.Scope.ROUTER, trainsAsItEvaluates(model), scope.toString());
            }
        }
    }

    @Test
    void dropoutMayBeSetAfterLoading() {
        T5Config config = MixtureModels.config(m -> {}, c -> c.dropoutRate = 0.5);
        try (T5Model model = T5Model.random(config, device, 4)) {
            assertFalse(trainsAsItEvaluates(model));
            config.dropoutRate = 0;
            assertTrue(trainsAsItEvaluates(model));
            config.mixture().expertDropoutRate = 0.5;
            assertFalse(trainsAsItEvaluates(model));
        }
    }

    private boolean trainsAsItEvaluates(T5Model model) {
        try (Scope scope = new Scope(device)) {
            T5Batch batch = T5Batch.of(SOURCES, LABELS, model.config());
            float[] quiet = model.forward(Tape.inference(scope), batch).logits().toFloats();
            return Arrays.equals(quiet, model.forward(Tape.training(scope, 9, 2), batch).logits().toFloats());
        }
    }

    @ParameterizedTest
    @EnumSource(Exploration.class)
    void explorationIsOffInEvaluation(Exploration exploration) {
        Consumer<MixtureConfig> exploring = m -> {
            m.exploration = exploration;
            m.routerJitterNoise = 0.5;
            m.explorationScope = MixtureConfig.Scope.LAYER;
        };
        float[] quiet = evaluate(m -> {}, 6, SOURCES, LABELS, output -> output.logits().toFloats());
        assertArrayEquals(quiet, evaluate(exploring, 6, SOURCES, LABELS, output -> output.logits().toFloats()));
        try (T5Model model = T5Model.random(MixtureModels.config(exploring), device, 6);
                Scope scope = new Scope(device)) {
            assertArrayEquals(quiet, model.forward(Tape.recording(scope),
                    T5Batch.of(SOURCES, LABELS, model.config())).logits().toFloats());
        }
    }

    @Test
    void anExpertWithoutTokensHasNoGradientNeitherNanNorStale() {
        try (T5Model model = T5Model.random(MixtureModels.config(m -> m.routerAuxLossCoef = 0.1), device, 2)) {
            int[] before = null;
            for (int token = 2; token < 40; token++) {
                List<int[]> sources = List.of(new int[]{token, token, token});
                int[] counts = backward(model, sources, LABELS.subList(0, 1)).getFirst().counts();
                for (int e = 0; e < counts.length; e++) {
                    for (String matrix : List.of("wi_0", "wi_1", "wo")) {
                        Parameter weight = model.parameters().get(ENCODER + ".experts." + e + "." + matrix + ".weight");
                        assertEquals(counts[e] == 0, ModelGoldens.idle(weight.value()), weight.name());
                        if (counts[e] == 0) {
                            assertEquals(0, largest(weight), weight.name());
                        }
                    }
                }
                assertFiniteGradients(model);
                if (before != null && !Arrays.equals(before, counts)) {
                    return;
                }
                before = counts;
            }
            throw new AssertionError("every token goes to the same expert");
        }
    }

    @Test
    void allTokensToOneExpert() {
        try (T5Model model = T5Model.random(MixtureModels.config(m -> m.routerAuxLossCoef = 0.1), device, 2)) {
            for (RoutingFigures layer : backward(model, FIVES, ZEROS)) {
                assertEquals(1, chosen(layer).length);
                assertEquals(4, layer.imbalance());
                assertEquals(0, layer.dropped());
            }
            assertFiniteGradients(model);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void fewerTokensThanExperts(int tokens) {
        for (Route.Policy policy : Route.Policy.values()) {
            T5Config config = MixtureModels.config(m -> {
                m.numLocalExperts = 16;
                m.numExpertsPerTok = 2;
                m.evalCapacityPolicy = policy;
                m.evalCapacityFactor = 1;
                m.routerAuxLossCoef = 0.1;
            });
            try (T5Model model = T5Model.random(config, device, 2)) {
                List<RoutingFigures> layers = backward(model, List.of(new int[]{9, 4, 1}).stream()
                        .map(row -> Arrays.copyOf(row, tokens)).toList(), List.of(new int[tokens]));
                assertEquals(2 * tokens, Arrays.stream(layers.getFirst().counts()).sum());
                assertFiniteGradients(model);
            }
        }
    }

    /** By default there are no drops; with places by sequence, as transformers has them, others' tokens take none. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void evaluationDoesNotDependOnBatchMates(boolean capacityBySequence) {
        T5Config config = MixtureModels.config(m -> {
            if (capacityBySequence) {
                m.evalCapacityPolicy = Route.Policy.CAPACITY;
                m.evalCapacityFactor = 0.5;
                m.capacityGroup = MixtureConfig.Group.SEQUENCE;
            }
        });
        try (T5Model model = T5Model.random(config, device, 8); Scope scope = new Scope(device)) {
            float[] together = model.forward(Tape.inference(scope), T5Batch.of(SOURCES, LABELS, config)).logits()
                    .toFloats();
            List<int[]> generated = new Generator(model, 8).generate(SOURCES);
            for (int b = 0, at = 0; b < SOURCES.size(); b++) {
                List<int[]> alone = SOURCES.subList(b, b + 1);
                float[] logits = model.forward(Tape.inference(scope), T5Batch.of(alone, LABELS.subList(b, b + 1),
                        config)).logits().toFloats();
                assertArrayEquals(Arrays.copyOfRange(together, at, at + logits.length), logits, 1e-5f);
                assertArrayEquals(generated.get(b), new Generator(model, 8).generate(alone).getFirst());
                at += logits.length;
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Route.Gate.class, names = {"PRESERVING", "RENORMALIZED"})
    void upcyclingKeepsTheParentsLogitsAndItsRoutersLearn(Route.Gate gate) {
        T5Config dense = MixtureModels.config(m -> m.activateMoe = false);
        MixtureConfig mixture = MixtureModels.config(m -> {
            m.routerGate = gate;
            m.numExpertsPerTok = gate == Route.Gate.PRESERVING ? 1 : 2;
            // For the receipt, too, losses of the routers count and are looked at during inference.
            m.routerAuxLossCoef = 0.01;
        }).mixture();
        try (T5Model parent = T5Model.random(dense, device, 5);
                T5Model child = Upcycling.upcycle(parent, mixture, 0.1, 6);
                T5Model copy = Upcycling.upcycle(parent, mixture, 0, 6)) {
            T5Batch batch = T5Batch.of(SOURCES, LABELS, dense);
            assertTrue(Upcycling.largestLogitDifference(parent, copy, batch) <= 1e-5);
            assertTrue(Upcycling.largestLogitDifference(parent, child, batch) > 1e-3, "noise changes the experts");
            // Copies give a router nothing to choose between, so that it learns as soon as they differ.
            mixture.routerAuxLossCoef = 0;
            backward(child, SOURCES, LABELS);
            for (String layer : List.of(ENCODER, DECODER)) {
                assertTrue(largest(child.parameters().get(layer + ".gate.weight")) > 1e-6, layer);
            }
            if (gate == Route.Gate.PRESERVING) {
                backward(copy, SOURCES, LABELS);
                assertTrue(largest(copy.parameters().get(ENCODER + ".gate.weight")) > 1e-6);
            }
        }
    }

    @Test
    void renormalizedTopOneIsRefused() {
        T5Config config = MixtureModels.config(m -> m.routerGate = Route.Gate.RENORMALIZED);
        UserException e = assertThrows(UserException.class, () -> T5Model.random(config, device, 1));
        assertTrue(e.getMessage().contains("would learn nothing"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {ENCODER, DECODER})
    void nanLogitsNameTheLayer(String layer) {
        try (T5Model model = T5Model.random(MixtureModels.config(m -> {}), device, 1);
                Scope scope = new Scope(device)) {
            Parameter router = model.parameters().get(layer + ".gate.weight");
            float[] weights = router.value().toFloats();
            weights[3] = Float.NaN;
            router.value().upload(weights);
            ArithmeticException e = assertThrows(ArithmeticException.class, () -> model.forward(Tape.recording(scope),
                    T5Batch.of(SOURCES, LABELS, model.config())));
            assertTrue(e.getMessage().contains(layer), e.getMessage());
        }
    }

    private <T> T evaluate(Consumer<MixtureConfig> change, long seed, List<int[]> sources, List<int[]> labels,
            Function<T5Model.Output, T> read) {
        T5Config config = MixtureModels.config(change);
        try (T5Model model = T5Model.random(config, device, seed); Scope scope = new Scope(device)) {
            return read.apply(model.forward(Tape.inference(scope), T5Batch.of(sources, labels, config)));
        }
    }

    private List<RoutingFigures> backward(T5Model model, List<int[]> sources, List<int[]> labels) {
        try (Scope scope = new Scope(device)) {
            model.parameters().clearGradients();
            Tape tape = Tape.recording(scope);
            T5Model.Output output = model.forward(tape, T5Batch.of(sources, labels, model.config()));
            List<RoutingFigures> figures = output.routing().figures();
            tape.backward(output.loss());
            return figures;
        }
    }

    private static void assertFiniteGradients(T5Model model) {
        for (Parameter parameter : model.parameters().all()) {
            assertTrue(parameter.value().grad() == null || Double.isFinite(largest(parameter)), parameter.name());
        }
    }

    /** The largest element of a gradient, NaN where there is one. */
    private static double largest(Parameter parameter) {
        double largest = 0;
        for (float value : parameter.value().grad().toFloats()) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
