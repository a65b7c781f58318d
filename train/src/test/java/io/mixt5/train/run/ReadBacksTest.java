package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.kernels.cuda.RecordedDevice;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.Precision;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.optim.AdafactorOptimizer;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import io.mixt5.train.optim.Schedule;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A step of training on CUDA neither reads from the device nor waits for it before the optimiser is at work. */
class ReadBacksTest {
    private static final List<TextPair> PAIRS = List.of(new TextPair("a", new int[]{5, 9, 3, 7}, new int[]{4, 6, 1}),
            new TextPair("b", new int[]{8, 2}, new int[]{11, 1}));
    /** Losses and norm; the router's report of a fault; the routing's figures. */
    private static final int AFTER = 3;
    private static final RecordedDevice RECORDED = new RecordedDevice();
    private static final List<String> CALLS = RECORDED.calls();
    private static final Device DEVICE = RECORDED.device();

    @ParameterizedTest
    @CsvSource({"FP32, ADAMW, 1", "FP32, ADAFACTOR, 2", "BF16, ADAMW, 1", "FP16, ADAMW, 2", "FP16, ADAFACTOR, 1"})
    void aStepReadsBackAtItsEndOnly(Precision precision, TrainConfig.Optim optim, int microBatches) {
        TrainConfig config = new TrainConfig();
        config.gradientAccumulationSteps = microBatches;
        List<List<TextPair>> pairs = new ArrayList<>();
        for (int i = 0; i < microBatches; i++) {
            pairs.add(PAIRS.subList(0, 2 - i));
        }
        try (T5Model model = model().compute(precision); Optimizer optimizer = optimizer(optim, model)) {
            Trainer trainer = new Trainer(model, optimizer, new Schedule(Schedule.Kind.CONSTANT, 0.01, 0, 10), config,
                    precision.needsLossScale() ? new LossScale(64, 0, 0) : null);
            for (int step = 0; step < 2; step++) {
                CALLS.clear();
                Trainer.Update update = trainer.update(step, pairs);
                assertEquals(4, update.routing().size());
                int end = lastLaunch(optim == TrainConfig.Optim.ADAMW ? "adamw_update" : "adafactor_apply");
                assertEquals(List.of(), waits(CALLS.subList(0, end)), "in step " + step);
                assertEquals(AFTER,
                        waits(CALLS.subList(end, CALLS.size())).stream().filter(RecordedDevice.DOWNLOAD::equals)
                                .count(),
                        "after step " + step);
            }
        }
    }

    private static int lastLaunch(String kernel) {
        for (int i = CALLS.size() - 1; i >= 0; i--) {
            if (CALLS.get(i).startsWith(kernel)) {
                return i;
            }
        }
        throw new AssertionError(kernel + " was not launched");
    }

    private static List<String> waits(List<String> calls) {
        return calls.stream()
                .filter(call -> call.equals(RecordedDevice.DOWNLOAD) || call.equals(RecordedDevice.SYNCHRONIZE))
                .toList();
    }

    private static T5Model model() {
        T5Config shape = T5Config.preset("tiny");
        shape.vocabSize = 40;
        shape.dModel = 16;
        shape.dKv = 8;
        shape.dFf = 24;
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = 4;
        mixture.numExpertsPerTok = 1;
        mixture.numMoeLayers = 0;
        return T5Model.random(shape.with(mixture), DEVICE, 3);
    }

    private static Optimizer optimizer(TrainConfig.Optim optim, T5Model model) {
        return optim == TrainConfig.Optim.ADAMW
                ? new AdamWOptimizer(model.parameters().all(), p -> 0.1, 0.9, 0.999, 1e-8)
                : new AdafactorOptimizer(model.parameters().all(), p -> 0.1);
    }

    @AfterEach
    void leavesNoTensor() {
        assertTrue(CALLS.contains(RecordedDevice.DOWNLOAD), "the driver's calls were not seen");
        assertEquals(0, DEVICE.liveTensors());
    }
}
