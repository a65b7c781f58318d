package io.mixt5.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.SafetensorsType;
import io.mixt5.model.io.StoredTensor;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.TensorSource;
import io.mixt5.model.io.UserFiles;
import io.mixt5.model.io.WeightsFiles;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reads a model from a Hugging Face directory: {@code config.json} and the weights, in any of the forms of
 * {@link WeightsFiles}.
 *
 * <p>A parameter gets its memory only once the file is known to hold its tensor, in its shape, so that a
 * configuration cannot ask for more than the file has; and the elements go through a small buffer, so that nothing is
 * ever in memory twice.
 */
final class CheckpointReader {
    private static final String HEAD = "lm_head.weight";
    /** What the first T5s' files hold although no T5 uses it: cross-attention has no position bias. */
    private static final String UNUSED = "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";

    private final T5Config config;
    private final CheckpointNaming naming;
    private final TensorSource source;
    private long bytes;

    private CheckpointReader(T5Config config, CheckpointNaming naming, TensorSource source) {
        this.config = config;
        this.naming = naming;
        this.source = source;
    }

    static T5Model load(Path directory, Device device) {
        UserFiles.requireDirectory(directory);
        Path configFile = directory.resolve(CheckpointWriter.CONFIG);
        ObjectNode json = StrictJson.readObject(configFile);
        T5Config config = T5Config.of(json, configFile);
        CheckpointNaming naming = CheckpointNaming.of(json.path("model_type").asText());
        try (TensorSource source = WeightsFiles.open(directory)) {
            return new CheckpointReader(config, naming, source).read(device);
        }
    }

    private T5Model read(Device device) {
        // Newer transformers tie whatever the configuration says, so a head of its own is believed before the configuration.
        config.scaleDecoderOutputs = config.outputScale() != 1;
        config.tieWordEmbeddings = !hasHead();
        T5Model model = T5Model.blank(config, device, this::check);
        try {
            refuseOthers(model);
            try (WeightsBuffer buffer = new WeightsBuffer()) {
                for (Parameter parameter : model.parameters().all()) {
                    buffer.fill(parameter.value(), stored(parameter.name()));
                }
                checkCopies(buffer);
            }
            return model;
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** PyTorch's files repeat a tied embedding as the head. */
    private boolean hasHead() {
        Optional<StoredTensor> head = source.find(HEAD);
        return head.isPresent()
                && !source.find(CheckpointWriter.EMBEDDING).filter(head.get()::sharesDataWith).isPresent();
    }

    private StoredTensor stored(String parameter) {
        return source.tensor(naming.onDisk(parameter));
    }

    /** Whether the file can fill the parameter that is about to be made. */
    private void check(String parameter, Shape shape) {
        StoredTensor stored = stored(parameter);
        stored.requireShape(shape.dims());
        if (!stored.type().isFloat()) {
            throw new UserException(stored.file() + ": tensor " + stored.name() + " has type " + stored.type()
                    + ", but weights must be floats");
        }
        bytes += stored.bytes();
        if (bytes > source.bytes()) {
            throw new UserException(source.path() + ": the tensors up to " + stored.name() + " have " + bytes
                    + " bytes, but the file only " + source.bytes()
                    + ", so that they share their data; save it with a copy for each (clone them)");
        }
    }

    private void refuseOthers(T5Model model) {
        Set<String> own = model.parameters().all().stream().map(p -> naming.onDisk(p.name()))
                .collect(Collectors.toSet());
        for (String name : source.names()) {
            boolean tiedHead = name.equals(HEAD) && config.tieWordEmbeddings;
            if (!own.contains(name) && !CheckpointWriter.COPIES.contains(name) && !tiedHead && !name.equals(UNUSED)) {
                throw new UserException(source.path() + " holds a tensor " + name
                        + " that this model does not have; does its " + CheckpointWriter.CONFIG + " belong to it?");
            }
        }
    }

    private void checkCopies(WeightsBuffer buffer) {
        StoredTensor embedding = source.tensor(CheckpointWriter.EMBEDDING);
        for (String name : CheckpointWriter.COPIES) {
            Optional<StoredTensor> copy = source.find(name);
            if (copy.isPresent() && !buffer.equal(copy.get(), embedding)) {
                throw new UserException(
                        source.path() + ": tensor " + name + " differs from " + CheckpointWriter.EMBEDDING
                                + ", but encoder and decoder share one embedding here");
            }
        }
    }
}
