package io.mixt5.train.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.config.TrainConfig.Optim;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.optim.Schedule;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What the weights after each step depend on, besides the step before: kept in a checkpoint, so that a run which goes on
 * under other settings says so.
 *
 * @param values by the key of the configuration, in its order
 */
record RunSettings(ObjectNode values) {
    /** Without these the place in the run means nothing. */
    private static final List<String> FIXED = List.of("model_config", "moe_config", "optim",
            "per_device_train_batch_size", "group_by_length");
    private static final String DATA = "train_data";
    /** What the data are made by; whoever changes one may get the same data all the same. */
    private static final List<
            String> OF_DATA = List.of("max_train_samples", "max_sequence_length", "max_target_length");

    /** Of a run over {@code pairs}. */
    static RunSettings of(TrainConfig config, T5Model model, List<TextPair> pairs, Schedule schedule) {
        ObjectNode values = JsonNodeFactory.instance.objectNode();
        values.set("model_config", config.modelConfig);
        values.set("moe_config", config.moeConfig);
        values.put("optim", config.optim.name());
        values.put("per_device_train_batch_size", config.perDeviceTrainBatchSize);
        values.put("group_by_length", config.groupByLength);
        values.put(DATA, fingerprint(pairs));
        values.put("max_train_samples", config.maxTrainSamples);
        values.put("max_sequence_length", config.maxSequenceLength);
        values.put("max_target_length", config.maxTargetLength);
        values.put("label_padding", config.labelPadding.name());
        values.put("gradient_accumulation_steps", config.gradientAccumulationSteps);
        values.put("device", model.device().name());
        values.put("precision", model.precision().toString());
        values.put("dropout_rate", model.config().dropoutRate);
        values.put("learning_rate", described(schedule));
        values.put("weight_decay", config.weightDecay);
        if (config.optim == Optim.ADAMW) {
            values.put("adam_beta1", config.adamBeta1).put("adam_beta2", config.adamBeta2);
            values.put("adam_epsilon", config.adamEpsilon);
        }
        values.put("max_grad_norm", config.maxGradNorm).put("max_usable_grad_norm", config.maxUsableGradNorm);
        return new RunSettings(values);
    }

    private static String described(Schedule schedule) {
        String warmup = " after " + schedule.warmupSteps() + " steps of warm-up";
        return switch (schedule.kind()) {
            case LINEAR -> schedule.peak() + warmup + ", falling linearly until step " + schedule.totalSteps();
            case CONSTANT -> schedule.peak() + warmup;
            case INVERSE_SQRT -> schedule.peak() + warmup + ", falling with the root of the steps";
            case RELATIVE_STEP -> "by Adafactor's relative step";
        };
    }

    /** SHA-256 of all ids. */
    private static String fingerprint(List<TextPair> pairs) {
        MessageDigest digest = Checksums.sha256();
        for (TextPair pair : pairs) {
            for (int[] ids : List.of(pair.source(), pair.target())) {
                ByteBuffer bytes = ByteBuffer.allocate((ids.length + 1) * Integer.BYTES).putInt(ids.length);
                bytes.asIntBuffer().put(ids);
                digest.update(bytes.array());
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /**
     * Checks that a run with these settings can go on from {@code checkpoint}.
     *
     * @param notes told of what will make it another run than the one that was interrupted
     * @throws UserException when the checkpoint's place in the data, or its optimiser, fits these settings not at all
     */
    void continueFrom(Path checkpoint, RunSettings saved, Consumer<String> notes) {
        for (String key : FIXED) {
            if (differs(saved, key)) {
                throw new UserException(checkpoint + " was trained with " + change(saved, key, ", not ")
                        + "; use the same, another save_dir, or resume: never");
            }
        }
        if (differs(saved, DATA)) {
            List<String> causes = OF_DATA.stream().filter(key -> differs(saved, key))
                    .map(key -> change(saved, key, ", not ")).toList();
            throw new UserException(checkpoint + " was trained on other data" + (causes.isEmpty()
                    ? " than these: train_file, its questions or the tokenizer have changed"
                    : ": with " + String.join(", ", causes)) + "; use the same, another save_dir, or resume: never");
        }
        Set<String> keys = new LinkedHashSet<>();
        values.fieldNames().forEachRemaining(keys::add);
        saved.values.fieldNames().forEachRemaining(keys::add);
        keys.removeAll(OF_DATA);
        for (String key : keys) {
            if (differs(saved, key)) {
                notes.accept(checkpoint + " was trained with " + change(saved, key, ", and the run goes on with ")
                        + ", so it will not end as it would have");
            }
        }
    }

    private String change(RunSettings saved, String key, String between) {
        return key + " " + shown(saved.values.get(key)) + between + shown(values.get(key));
    }

    private boolean differs(RunSettings saved, String key) {
        return !shown(values.get(key)).equals(shown(saved.values.get(key)));
    }

    private static String shown(JsonNode value) {
        return value == null || value.isNull() ? "not given" : value.isTextual() ? value.textValue() : value.toString();
    }
}
