package io.mixt5.train.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.model.ExpertSimilarity;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.Ragged;
import io.mixt5.model.RoutingStatistics;
import io.mixt5.model.SaveOptions;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.Upcycling;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.ModelCard;
import io.mixt5.train.optim.AdafactorOptimizer;
import io.mixt5.train.optim.AdamWOptimizer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever passes null to the library is told which argument it was, at once. */
class NullArgumentsTest {
    private static final Device DEVICE = Device.of("reference");
    private static final T5Config CONFIG = config();
    private static final T5Model MODEL = T5Model.random(CONFIG, DEVICE, 1);
    private static final Path PLACE = Path.of("nowhere");

    private static T5Config config() {
        T5Config config = T5Config.preset("tiny");
        config.vocabSize = 8;
        config.dModel = 4;
        config.dKv = 2;
        config.dFf = 4;
        return config;
    }

    static Stream<Arguments> calls() {
        Scope scope = new Scope(DEVICE);
        Tape tape = Tape.inference(scope);
        Ragged source = Ragged.of(List.of(new int[]{1}));
        return Stream.of(
                call("name", () -> Device.of(null)),
                call("device", () -> new Scope(null)),
                call("scope", () -> Tape.training(null, 1, 0)),
                call("scope", () -> Tape.recording(null)),
                call("scope", () -> Tape.inference(null)),
                call("config", () -> T5Model.random(null, DEVICE, 1)),
                call("device", () -> T5Model.random(CONFIG, null, 1)),
                call("directory", () -> T5Model.load(null, DEVICE)),
                call("device", () -> T5Model.load(PLACE, null)),
                call("directory", () -> MODEL.save(null)),
                call("options", () -> MODEL.save(PLACE, null)),
                call("precision", () -> MODEL.compute(null)),
                call("tape", () -> MODEL.encode(null, source)),
                call("source", () -> MODEL.encode(tape, null)),
                call("encoded", () -> MODEL.decode(tape, source, null, source)),
                call("states", () -> MODEL.logits(tape, null)),
                call("batch", () -> MODEL.forward(tape, null)),
                call("sources", () -> T5Batch.of(null, List.of(), CONFIG)),
                call("labels", () -> T5Batch.of(List.of(), null, CONFIG)),
                call("config", () -> T5Batch.of(List.of(), List.of(), null)),
                call("sequences", () -> Ragged.of(null)),
                call("lengths", () -> new Ragged(new int[0], null)),
                call("parent", () -> Upcycling.upcycle(null, new MixtureConfig(), 0, 1)),
                call("mixture", () -> Upcycling.upcycle(MODEL, null, 0, 1)),
                call("pass", () -> new RoutingStatistics().add(null)),
                call("model", () -> ExpertSimilarity.of(null)),
                call("name", () -> T5Config.preset(null)),
                call("file", () -> T5Config.read(null)),
                call("path", () -> T5Tokenizer.load(null)),
                call("naming", () -> SaveOptions.DEFAULT.withNaming(null)),
                call("facts", () -> new ModelCard(MODEL, SaveOptions.DEFAULT, null)),
                call("parameters", () -> new AdamWOptimizer(null, p -> 0, 0.9, 0.999, 1e-8)),
                call("decay", () -> new AdafactorOptimizer(MODEL.parameters().all(), null)));
    }

    private static Arguments call(String argument, Executable call) {
        return Arguments.of(argument, call);
    }

    @ParameterizedTest
    @MethodSource("calls")
    void theArgumentIsNamed(String argument, Executable call) {
        assertEquals(argument, assertThrows(NullPointerException.class, call).getMessage());
    }

    @AfterAll
    static void leaveNoTensor() {
        MODEL.close();
        assertEquals(0, DEVICE.liveTensors());
    }
}
