package io.mixt5.train.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import io.mixt5.model.Precision;
import io.mixt5.model.T5Config;
import io.mixt5.model.io.StrictJson;
import io.mixt5.train.config.TrainConfig.LabelPadding;
import io.mixt5.train.config.TrainConfig.Optim;
import io.mixt5.train.config.TrainConfig.Scheduler;
import io.mixt5.train.config.TrainConfig.Strategy;
import io.mixt5.train.squad.SquadMetric;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainConfigTest {
    private static final String LEAST = "'train_file': 'train.json', 'save_dir': 'runs/a', "
            + "'model_config': 'tiny', 'tokenizer_name_or_path': 'spiece.model'";

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void makeInputs() throws IOException {
        file = directory.resolve("config.json");
        for (String name : List.of("train.json", "dev.json", "spiece.model")) {
            Files.createFile(directory.resolve(name));
        }
        Files.createDirectory(directory.resolve("t5"));
    }

    @Test
    void fillsInTheDefaults() throws IOException {
        TrainConfig config = load("{" + LEAST + "}");
        assertEquals(directory.resolve("train.json"), config.trainFile);
        assertEquals(directory.resolve("spiece.model"), config.tokenizerNameOrPath);
        assertEquals(Path.of("runs/a"), config.saveDir);
        assertNull(config.pretrainedModelNameOrPath);
        assertNull(config.validationFile);
        assertNull(config.dropoutRate);
        assertNull(config.maxTrainSamples);
        assertEquals(8, config.perDeviceTrainBatchSize);
        assertEquals(3.0, config.numTrainEpochs);
        assertEquals(5e-5, config.learningRate);
        assertEquals(512, config.maxSequenceLength);
        assertEquals(30, config.generationMaxLength);
        assertEquals(LabelPadding.IGNORE, config.labelPadding);
        assertEquals("auto", config.device);
        assertEquals(Precision.FP32, config.precision);
        assertEquals(Optim.ADAMW, config.optim);
        assertEquals(Scheduler.LINEAR, config.lrSchedulerType);
        assertEquals(SquadMetric.OFFICIAL, config.metric);
        assertEquals(Strategy.NO, config.evaluationStrategy);
        assertEquals(Strategy.EPOCH, config.saveStrategy);
        assertEquals(42, config.seed);
        assertTrue(config.groupByLength);
        assertFalse(config.usesRelativeStep());
        assertEquals(128, config.modelShape().dModel);
    }

    @Test
    void takesEveryKey() throws IOException {
        TrainConfig config = load(
                """
                        {'pretrained_model_name_or_path': 't5', 'tokenizer_name_or_path': 'spiece.model',
                         'dropout_rate': 0, 'device': 'reference:0', 'precision': 'bf16', 'train_file': 'train.json', 'validation_file': 'dev.json',
                         'max_train_samples': 10, 'max_eval_samples': 5, 'max_sequence_length': 256, 'max_target_length': 16,
                         'label_padding': 'pad', 'group_by_length': false, 'per_device_train_batch_size': 4,
                         'gradient_accumulation_steps': 2, 'num_train_epochs': 0.5, 'max_steps': 7, 'optim': 'adafactor',
                         'learning_rate': 1e-2, 'lr_scheduler_type': 'constant_with_warmup', 'warmup_ratio': 0.1,
                         'warmup_steps': 3, 'weight_decay': 0.01, 'adam_beta1': 0.8, 'adam_beta2': 0.99, 'adam_epsilon': 1e-6,
                         'max_grad_norm': 0, 'seed': -1, 'evaluation_strategy': 'steps', 'eval_steps': 11,
                         'per_device_eval_batch_size': 16, 'generation_max_length': 20, 'metric': 'mixt5',
                         'save_dir': '/tmp/x', 'resume': 'never', 'save_strategy': 'no', 'save_steps': 9,
                         'save_total_limit': 5, 'max_usable_grad_norm': 100, 'on_bad_step': 'skip', 'logging_steps': 1, 'num_print_samples': 0}""");
        assertEquals(directory.resolve("t5"), config.pretrainedModelNameOrPath);
        assertEquals(0.0, config.dropoutRate);
        assertEquals("reference:0", config.device);
        assertEquals(Precision.BF16, config.precision);
        assertEquals(10, config.maxTrainSamples);
        assertEquals(LabelPadding.PAD, config.labelPadding);
        assertEquals(Optim.ADAFACTOR, config.optim);
        assertEquals(Scheduler.CONSTANT_WITH_WARMUP, config.lrSchedulerType);
        assertEquals(Strategy.STEPS, config.evaluationStrategy);
        assertEquals(Strategy.NO, config.saveStrategy);
        assertEquals(SquadMetric.MIXT5, config.metric);
        assertTrue(config.startsAnew());
        assertEquals(5, config.saveTotalLimit);
        assertEquals(100.0, config.maxUsableGradNorm);
        assertEquals(TrainConfig.OnBadStep.SKIP, config.onBadStep);
        assertEquals(7, config.maxSteps);
        assertEquals(-1, config.seed);
        assertEquals(Path.of("/tmp/x"), config.saveDir);
        assertNull(config.modelShape());
    }

    /** What is saved with a run names every value, so that the run can be repeated when a default has changed. */
    @Test
    void writesEveryKeyThatHasAValue() throws IOException {
        String text = StrictJson.toText(load("{" + LEAST + "}"));
        for (Field field : TrainConfig.class.getFields()) {
            String key = field.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
            boolean without = List.of("pretrained_model_name_or_path", "dropout_rate", "validation_file",
                    "max_train_samples", "max_eval_samples", "moe_config", "reference_model_name_or_path",
                    "target_exact_match", "max_usable_grad_norm")
                    .contains(key);
            assertEquals(!without, text.contains("\"" + key + "\""), key);
        }
        assertTrue(text.contains("\"lr_scheduler_type\" : \"linear\""), text);
        assertTrue(Arrays.stream(TrainConfig.class.getFields()).noneMatch(f -> Modifier.isStatic(f.getModifiers())));
    }

    @Test
    void takesTheTokenizerOfThePretrainedModel() throws IOException {
        TrainConfig config = load(
                "{'train_file': 'train.json', 'save_dir': 'a', 'pretrained_model_name_or_path': 't5'}");
        assertEquals(directory.resolve("t5"), config.tokenizerNameOrPath);
    }

    @Test
    void scoresEveryEpochWhereThereIsSomethingToScoreOn() throws IOException {
        assertEquals(Strategy.EPOCH, load("{" + LEAST + ", 'validation_file': 'dev.json'}").evaluationStrategy);
        assertEquals(Strategy.NO,
                load("{" + LEAST + ", 'validation_file': 'dev.json', 'eval_strategy': 'no'}").evaluationStrategy);
    }

    @Test
    void takesHuggingFacesOtherNames() throws IOException {
        TrainConfig config = load("{" + LEAST.replace("save_dir", "output_dir")
                + ", 'validation_file': 'dev.json', 'eval_strategy': 'steps'}");
        assertEquals(Strategy.STEPS, config.evaluationStrategy);
        assertEquals(Path.of("runs/a"), config.saveDir);
    }

    @Test
    void countsTheWarmUp() throws IOException {
        assertEquals(0, load("{" + LEAST + "}").warmup(100));
        assertEquals(11, load("{" + LEAST + ", 'warmup_ratio': 0.101}").warmup(100));
        assertEquals(5, load("{" + LEAST + ", 'warmup_ratio': 0.1, 'warmup_steps': 5}").warmup(100));
        assertEquals(0, load("{" + LEAST + ", 'warmup_steps': 5, 'lr_scheduler_type': 'constant'}").warmup(100));
    }

    @Test
    void leavesAdafactorItsRelativeStepUnlessARateIsGiven() throws IOException {
        TrainConfig relative = load("{" + LEAST + ", 'optim': 'adafactor'}");
        assertTrue(relative.usesRelativeStep());
        assertNull(relative.learningRate);
        assertFalse(load("{" + LEAST + ", 'optim': 'adafactor', 'learning_rate': 0.01}").usesRelativeStep());
    }

    @Test
    void buildsTheShapeOfAModel() throws IOException {
        assertEquals(512, shape("'small'").dModel);
        assertEquals(768, shape("'base'").dModel);
        T5Config shape = shape("{'num_layers': 3, 'vocab_size': 1000}");
        assertEquals(512, shape.dModel);
        assertEquals(3, shape.numLayers);
        assertEquals(1000, shape.vocabSize);
        assertEquals("gated-gelu", shape.feedForwardProj);
        assertEquals(64, shape("{'preset': 'tiny', 'd_model': 64}").dModel);
        Files.writeString(directory.resolve("shape.json"), "{\"d_model\": 96, \"model_type\": \"t5\", \"x\": 1}");
        assertEquals(96, shape("'shape.json'").dModel);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "'smal' | key 'model_config' in FILE must be tiny, small, base or the path of a config.json, "
                    + "found \"smal\" and no file DIR/smal",
            "7 | key 'model_config' in FILE must be a preset, a path or an object, found 7",
            "{'d_modl': 7} | unknown key 'model_config.d_modl' in FILE, did you mean 'd_model'?",
            "{'d_model': '7'} | key 'model_config.d_model' in FILE must be a whole number, found the text \"7\"",
            "{'preset': 'huge'} | key 'model_config.preset' in FILE must be tiny, small or base, found \"huge\""})
    void refusesAShapeThatIsNone(String shape, String message) {
        assertFault("{" + LEAST.replace("'tiny'", shape) + "}", message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "'learning_rat': 1 | unknown key 'learning_rat' in FILE, did you mean 'learning_rate'?",
            "'perDeviceTrainBatchSize': 1 | unknown key 'perDeviceTrainBatchSize' in FILE, "
                    + "did you mean 'per_device_train_batch_size'?",
            "'fp16': true | unknown key 'fp16' in FILE, remove it",
            "'model_shape': 1 | unknown key 'model_shape' in FILE, remove it",
            "'seed': 1, 'seed': 2 | FILE has the key 'seed' twice",
            "'learning_rate': 'high' | key 'learning_rate' in FILE must be a number, found the text \"high\"",
            "'max_steps': 10.5 | key 'max_steps' in FILE must be a whole number, found the number 10.5",
            "'group_by_length': 'yes' | key 'group_by_length' in FILE must be true or false, found the text \"yes\"",
            "'train_file': 3 | FILE has the key 'train_file' twice",
            "'validation_file': 3 | key 'validation_file' in FILE must be a path, found the number 3",
            "'lr_scheduler_type': 'cosine' | key 'lr_scheduler_type' in FILE must be one of linear, constant, "
                    + "constant_with_warmup, inverse_sqrt, found the text \"cosine\"",
            "'optim': 'adam' | key 'optim' in FILE must be one of adamw, adafactor, found the text \"adam\", "
                    + "did you mean 'adamw'?",
            "'save_strategy': 'epochs' | key 'save_strategy' in FILE must be one of no, steps, epoch, "
                    + "found the text \"epochs\", did you mean 'epoch'?",
            "'metric': 'f1' | key 'metric' in FILE must be one of official, mixt5, found the text \"f1\"",
            "'device': 'cpu:1' | key 'device' in FILE: there is no device 'cpu:1': cpu has none of that number here; "
                    + "count from cpu:0",
            "'device': 1 | key 'device' in FILE must be a text, found the number 1",
            "'device': 'cpu', 'precision': 'bf16' | key 'precision' in FILE: precision bf16 needs a device that takes "
                    + "BF16, and device 'cpu' does not; "
                    + "use precision fp32, or another device",
            "'precision': 'half' | key 'precision' in FILE must be one of fp32, bf16, fp16, found the text \"half\"",
            "'label_padding': 0 | key 'label_padding' in FILE must be one of ignore, pad, found the number 0",
            "'eval_strategy': 'no', 'evaluation_strategy': 'no' | FILE has both 'evaluation_strategy' and "
                    + "'eval_strategy', which are one key: remove one",
            "'max_steps': 0 | key 'max_steps' in FILE must be at least 1, or -1 for none, found 0",
            "'max_steps': -2 | key 'max_steps' in FILE must be at least 1, or -1 for none, found -2",
            "'num_train_epochs': 0 | key 'num_train_epochs' in FILE must be above 0, found 0.0",
            "'num_train_epochs': 1e999 | key 'num_train_epochs' in FILE must be above 0, found Infinity",
            "'learning_rate': -1e-4 | key 'learning_rate' in FILE must be above 0, found -1.0E-4",
            "'dropout_rate': 1 | key 'dropout_rate' in FILE must be at least 0 and below 1, found 1.0",
            "'adam_beta1': -0.1 | key 'adam_beta1' in FILE must be at least 0 and below 1, found -0.1",
            "'adam_beta2': 1.0 | key 'adam_beta2' in FILE must be at least 0 and below 1, found 1.0",
            "'adam_epsilon': 0 | key 'adam_epsilon' in FILE must be above 0, found 0.0",
            "'weight_decay': -1 | key 'weight_decay' in FILE must be at least 0, found -1.0",
            "'max_grad_norm': -1 | key 'max_grad_norm' in FILE must be at least 0, found -1.0",
            "'warmup_ratio': 1.5 | key 'warmup_ratio' in FILE must be between 0 and 1, found 1.5",
            "'warmup_steps': -1 | key 'warmup_steps' in FILE must be at least 0, found -1",
            "'num_print_samples': -1 | key 'num_print_samples' in FILE must be at least 0, found -1",
            "'pretrained_model_name_or_path': 't5' | FILE has both 'pretrained_model_name_or_path' and 'model_config', "
                    + "but the shape of a pre-trained model is its own: remove one",
            "'evaluation_strategy': 'epoch' "
                    + "| key 'validation_file' is missing in FILE, as 'evaluation_strategy' asks for scores",
            "'validation_file': 'none.json' | key 'validation_file' in FILE: there is no file DIR/none.json",
            "'validation_file': 't5' "
                    + "| key 'validation_file' in FILE: DIR/t5 is a directory, but a file is needed here"})
    void namesTheKeyThatIsWrong(String more, String message) {
        assertFault("{" + LEAST + ", " + more + "}", message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"per_device_train_batch_size", "per_device_eval_batch_size",
            "gradient_accumulation_steps", "max_sequence_length", "max_target_length",
            "max_train_samples", "max_eval_samples", "eval_steps", "save_steps", "logging_steps"})
    void refusesCountsOfZero(String key) {
        assertFault("{" + LEAST + ", '" + key + "': 0}", "key '" + key + "' in FILE must be at least 1, found 0");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{} | key 'save_dir' is missing in FILE", "{'save_dir': 'a'} | key 'train_file' is missing in FILE",
            "{'train_file': 'train.json', 'save_dir': 'a'} | FILE names no model: give "
                    + "'pretrained_model_name_or_path' to start from one, or 'model_config' for random weights",
            "{'train_file': 'train.json', 'save_dir': 'a', 'model_config': 'tiny'} | key 'tokenizer_name_or_path' is "
                    + "missing in FILE, as there is no pre-trained model to take the tokenizer from",
            "{'train_file': 'no.json', 'save_dir': 'a', 'pretrained_model_name_or_path': 't5'} "
                    + "| key 'train_file' in FILE: there is no file DIR/no.json",
            "{'train_file': 'train.json', 'save_dir': 'a', 'pretrained_model_name_or_path': 'google/t5-v1_1-small'} "
                    + "| key 'pretrained_model_name_or_path' in FILE must be a directory with config.json and "
                    + "model.safetensors, as nothing is downloaded: there is no directory DIR/google/t5-v1_1-small",
            "{'train_file': 'train.json', 'save_dir': 'a', 'pretrained_model_name_or_path': 't5', "
                    + "'tokenizer_name_or_path': 'no'} "
                    + "| key 'tokenizer_name_or_path' in FILE: there is no file or directory DIR/no"})
    void namesTheKeyThatIsMissing(String json, String message) {
        assertFault(json, message);
    }

    @Test
    void refusesAMissingFile() {
        assertEquals("there is no file " + file,
                assertThrows(UserException.class, () -> TrainConfig.load(file)).getMessage());
    }

    @Test
    void takesTheQuickstartsDataInPlaceOfFiles() throws IOException {
        TrainConfig config = load("{'dataset': 'quickstart', 'model_config': 'tiny', 'save_dir': 'runs/a'}");
        assertEquals(TrainConfig.Dataset.QUICKSTART, config.dataset);
        assertEquals(Strategy.EPOCH, config.evaluationStrategy);
        assertTrue(config.resumesNewest());
        assertFault("{" + LEAST + ", 'dataset': 'quickstart'}", "key 'train_file' in " + file
                + " has no place beside dataset quickstart, which brings its own: remove it");
    }

    private T5Config shape(String json) throws IOException {
        return load("{" + LEAST.replace("'tiny'", json) + "}").modelShape();
    }

    private TrainConfig load(String json) throws IOException {
        Files.writeString(file, json.replace('\'', '"'));
        return TrainConfig.load(file);
    }

    private void assertFault(String json, String message) {
        assertEquals(message.replace("FILE", file.toString()).replace("DIR", directory.toString()),
                assertThrows(UserException.class, () -> load(json)).getMessage());
    }
}
