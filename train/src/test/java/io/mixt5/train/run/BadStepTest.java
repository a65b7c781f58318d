package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.UserException;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import io.mixt5.train.optim.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Steps whose loss or gradients cannot be used. */
class BadStepTest {
    private static final List<List<TextPair>> PAIRS = List.of(
            List.of(new TextPair("a", new int[]{5, 9, 3}, new int[]{4, 1}),
                    new TextPair("b", new int[]{8, 2}, new int[]{11, 1})),
            List.of(new TextPair("c", new int[]{5, 30, 3}, new int[]{6, 1})));
    private static final String ACCUMULATED = "'max_steps': 1, 'gradient_accumulation_steps': 2, 'dropout_rate': 0.0";

    @TempDir
    Path directory;
    private RunFixture runs;
    private T5Model model;
    private Optimizer optimizer;

    @BeforeEach
    void makeModel() {
        runs = new RunFixture(directory);
        T5Config shape = T5Config.preset("tiny");
        shape.vocabSize = 40;
        shape.dModel = 16;
        shape.dKv = 4;
        shape.dFf = 16;
        shape.numLayers = 1;
        model = T5Model.random(shape, Device.of("cpu"), 3);
        optimizer = new AdamWOptimizer(model.parameters().all(), p -> 0, 0.9, 0.999, 1e-8);
    }

    @AfterEach
    void leavesNoTensor() {
        optimizer.close();
        model.close();
        assertEquals(0, Device.of("cpu").liveTensors());
    }

    private Trainer trainer(String keys) throws IOException {
        return new Trainer(model, optimizer, new Schedule(Schedule.Kind.CONSTANT, 0.01, 0, 10),
                runs.config("a", ACCUMULATED + keys), null);
    }

    private void set(String parameter, int index, float value) {
        var tensor = model.parameters().get(parameter).value();
        float[] values = tensor.toFloats();
        values[index] = value;
        tensor.upload(values);
    }

    private String failure(String keys) throws IOException {
        Trainer trainer = trainer(keys);
        return assertThrows(UserException.class, () -> trainer.update(6, PAIRS)).getMessage();
    }

    @Test
    void aWeightThatIsNoNumberIsNamed() throws IOException {
        set("encoder.block.0.layer.0.SelfAttention.q.weight", 3, Float.NaN);
        String message = failure("");
        assertTrue(message.startsWith("step 7 has a loss of NaN on the examples a, b, c: the weight "
                + "encoder.block.0.layer.0.SelfAttention.q.weight held such numbers before the step; try a smaller "
                + "learning_rate"), message);
        assertTrue(message.endsWith("or on_bad_step: skip"), message);
    }

    /** Token 30 is in the second micro-batch only: there, adding attention's output to its embedding overflows. */
    @Test
    void theOpAndTheExamplesOfItsMicroBatchAreNamed() throws IOException {
        for (int column = 0; column < 16; column++) {
            set("shared.weight", 30 * 16 + column, 3.3e38f);
            for (int inner = 0; inner < 16; inner++) {
                set("encoder.block.0.layer.0.SelfAttention.o.weight", column * 16 + inner,
                        column % 2 == 0 ? 3e37f : -3e37f);
            }
        }
        String message = failure("");
        assertTrue(message.matches(
                "step 7 has a loss of NaN on the examples c: the first op to give such a number is dropout_add, "
                        + "number [0-9]+ of the forward pass, in its output F32\\[3, 16\\]; .*"),
                message);
    }

    @Test
    void gradientsThatExplodeAreNamedByTheLargest() throws IOException {
        String message = failure(", 'max_usable_grad_norm': 1e-3");
        assertTrue(message
                .matches("step 7 has gradients of norm [0-9.E-]+, above the max_usable_grad_norm of 0.001, on the "
                        + "examples a, b, c: the largest gradient is that of [a-zA-Z0-9_.]+, whose norm is [0-9.E-]+; try .*"),
                message);
    }

    @Test
    void aStepThatIsSkippedLeavesEverything() throws IOException {
        Trainer trainer = trainer(", 'max_usable_grad_norm': 1e-3, 'on_bad_step': 'skip'");
        List<float[]> before = model.parameters().all().stream().map(p -> p.value().toFloats()).toList();
        Trainer.Update update = trainer.update(6, PAIRS);
        assertTrue(update.fault().startsWith("step 7 has gradients of norm"), update.fault());
        int i = 0;
        for (Parameter parameter : model.parameters().all()) {
            assertArrayEquals(before.get(i++), parameter.value().toFloats(), parameter.name());
        }
        optimizer.state().values().forEach(tensor -> {
            for (float value : tensor.toFloats()) {
                assertEquals(0, value, tensor.origin());
            }
        });
    }

    @Test
    void tooManyInARowEndTheRun() throws IOException {
        Trainer trainer = trainer(", 'max_usable_grad_norm': 1e-3, 'on_bad_step': 'skip'");
        for (int step = 0; step < Trainer.MOST_BAD_IN_A_ROW - 1; step++) {
            trainer.update(step, PAIRS);
        }
        UserException e = assertThrows(UserException.class, () -> trainer.update(100, PAIRS));
        assertTrue(e.getMessage().contains("the last of 20 bad steps in a row"), e.getMessage());
    }

    @Test
    void usableGradientsAreUsed() throws IOException {
        assertNull(trainer(", 'max_usable_grad_norm': 1e6").update(0, PAIRS).fault());
    }

    /** Skipped steps count in the state, so that a run that was stopped goes on with the same number. */
    @Test
    void aRunCountsAndReportsThem() throws IOException {
        TrainConfig config = runs.config("b", "'max_steps': 3, 'max_usable_grad_norm': 1e-3, 'on_bad_step': 'skip',"
                + " 'logging_steps': 1");
        assertFalse(runs.run(config, () -> true));
        assertTrue(runs.run(config, () -> false));
        String printed = runs.printed();
        assertTrue(printed.contains("warning: step 2 has gradients of norm "), printed);
        assertTrue(printed.contains("skipped 3 of 3 steps, whose loss or gradients could not be used"), printed);
        assertEquals(3, SavedRun.read(runs.directory("b").resolve("checkpoint-3")).state().badSteps());
    }

    /** A router cannot make probabilities of what is no number, and says so itself. */
    @Test
    void aMixtureThatGetsNoNumbersIsABadStepToo() throws IOException {
        TrainConfig config = runs.config("c", "'max_steps': 2, 'enable_moe': true, 'learning_rate': 1e38,"
                + " 'max_grad_norm': 0, 'moe_config': {'num_local_experts': 2, 'num_experts_per_tok': 1, 'num_moe_layers': 0}");
        UserException e = assertThrows(UserException.class, () -> runs.run(config, () -> false));
        assertTrue(e.getMessage().startsWith("step 2 has a loss of NaN on the examples "), e.getMessage());
    }
}
