package io.mixt5.model;

import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.CrossEntropy;
import io.mixt5.engine.op.Scale;
import io.mixt5.engine.op.SequenceLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/**
 * T5, v1.0 and v1.1 (Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer", JMLR
 * 2020; Shazeer, "GLU Variants Improve Transformer", 2020), with the parameter names of Hugging Face's checkpoints.
 *
 * <p>Owns its parameters: close it. One thread at a time.
 */
public final class T5Model implements AutoCloseable {
    private final T5Config config;
    private final Parameters parameters;
    private final Parameter shared;
    private final Stack encoder;
    private final Stack decoder;
    private final Parameter head;
    private Precision precision = Precision.FP32;

    /**
     * What a pass with labels gives.
     *
     * @param loss [1], with the mixtures' losses
     * @param logits [N, V] of the decoder's tokens, in the type of the model's precision
     * @param encoded [Ns, D], the encoder's states, in that type too
     * @param routing what the mixtures did; empty for a dense model
     */
    public record Output(Tensor loss, Tensor logits, Tensor encoded, RoutingTrace routing) {
    }

    private T5Model(T5Config config, Parameters parameters) {
        this.config = config;
        this.parameters = parameters;
        Shape vocabulary = Shape.of(config.vocabSize, config.dModel);
        shared = parameters.create("shared.weight", vocabulary, config.initializerFactor);
        encoder = new Stack(parameters, shared, config, false);
        decoder = new Stack(parameters, shared, config, true);
        head = config.tieWordEmbeddings
                ? shared
                : parameters.create("lm_head.weight", vocabulary, config.initializerFactor);
    }

    /** A model with T5's random initialisation. */
    public static T5Model random(T5Config config, Device device, long seed) {
        Objects.requireNonNull(config, "config");
        Objects.requireNonNull(device, "device");
        config.check("the model's configuration");
        T5Model model = blank(config, device);
        model.parameters.initialize(seed);
        return model;
    }

    /**
     * The model in a Hugging Face directory, of T5, MixT5 or SwitchTransformers: {@code config.json} and, in this order
     * of preference, {@code model.safetensors}, {@code model.safetensors.index.json} with its shards,
     * {@code pytorch_model.bin}, {@code pytorch_model.bin.index.json} with its shards; F32, F16, BF16 or F64.
     *
     * @throws UserException that names the file, and the tensor, when something is missing or does not fit
     */
    public static T5Model load(Path directory, Device device) {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(device, "device");
        return CheckpointReader.load(directory, device);
    }

    /** A model whose parameters are all zero, to be filled. */
    static T5Model blank(T5Config config, Device device) {
        return blank(config, device, (name, shape) -> {
        });
    }

    /**
     * As {@link #blank(T5Config, Device)}.
     *
     * @param check told of every parameter before it is made; what it throws ends the making, and nothing is left over
     */
    static T5Model blank(T5Config config, Device device, Parameters.Check check) {
        Parameters parameters = new Parameters(device, check);
        try {
            return new T5Model(config, parameters);
        } catch (RuntimeException e) {
            parameters.close();
            throw e;
        }
    }

    /**
     * Writes {@code config.json}, {@code generation_config.json} and the weights into a directory, making it. A dense
     * model opens in transformers as {@code T5ForConditionalGeneration}.
     *
     * @throws UserException when it cannot be written
     */
    public void save(Path directory) {
        save(directory, SaveOptions.DEFAULT);
    }

    /**
     * As {@link #save(Path)}, under the names, and with the configuration, of other software, in other types or files.
     *
     * @throws UserException when the naming cannot express what this model computes, or the type not its weights
     */
    public void save(Path directory, SaveOptions options) {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(options, "options");
        CheckpointWriter.write(this, directory, options);
    }

    /** The shape. */
    public T5Config config() {
        return config;
    }

    /** What passes compute in; FP32 unless changed. */
    public Precision precision() {
        return precision;
    }

    /**
     * Makes passes compute in {@code precision} from now on; the weights stay F32.
     *
     * @throws UserException where the model's device cannot
     */
    public T5Model compute(Precision precision) {
        Objects.requireNonNull(precision, "precision");
        precision.requireOn(device());
        this.precision = precision;
        return this;
    }

    /** All weights by name. */
    public Parameters parameters() {
        return parameters;
    }

    /** Where the model lives. */
    public Device device() {
        return parameters.device();
    }

    /** The blocks of the decoder, for the key/value cache. */
    Stack decoder() {
        return decoder;
    }

    /** The encoder's states [N, D] of all tokens of a batch. */
    public Tensor encode(Tape tape, Ragged source) {
        return encode(tape, source, null);
    }

    /** As {@link #encode(Tape, Ragged)}, noting what mixtures do in {@code trace}. */
    public Tensor encode(Tape tape, Ragged source, RoutingTrace trace) {
        Objects.requireNonNull(tape, "tape");
        Objects.requireNonNull(source, "source");
        Tensor ids = ids(tape, source.ids(), "source id");
        Tokens tokens = new Tokens(source.lengths(), null, trace);
        return tape.block(
                () -> encoder.apply(tape, ids, precision, source.selfLayout(), new Memory.Whole(null, null), tokens));
    }

    /** The decoder's states [N, D] of all tokens of {@code target}, given the encoder's states of {@code source}. */
    public Tensor decode(Tape tape, Ragged target, Tensor encoded, Ragged source) {
        Objects.requireNonNull(tape, "tape");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(encoded, "encoded");
        Objects.requireNonNull(source, "source");
        return decode(tape, target, encoded, source, new Tokens(target.lengths(), null, null));
    }

    private Tensor decode(Tape tape, Ragged target, Tensor encoded, Ragged source, Tokens tokens) {
        Memory memory = new Memory.Whole(encoded,
                SequenceLayout.cross(target.lengths(), source.lengths()));
        return decode(tape, ids(tape, target.ids(), "decoder ids"), target.selfLayout(), memory, tokens);
    }

    /** The decoder's states [N, D] of the tokens ids (I32 [N]), which see what {@code memory} has. */
    Tensor decode(Tape tape, Tensor ids, SequenceLayout layout, Memory memory, Tokens tokens) {
        return decoder.apply(tape, ids, precision, layout, memory, tokens);
    }

    /** Scores of every word [N, V] from decoder states [N, D]. */
    public Tensor logits(Tape tape, Tensor states) {
        Objects.requireNonNull(tape, "tape");
        Objects.requireNonNull(states, "states");
        float scale = config.outputScale();
        return Projection.apply(tape, scale == 1 ? states : Scale.apply(tape, states, scale), head);
    }

    /** A whole pass: the mean cross-entropy of the labels and the mixtures' losses, the logits, the encoder's states. */
    public Output forward(Tape tape, T5Batch batch) {
        Objects.requireNonNull(tape, "tape");
        Objects.requireNonNull(batch, "batch");
        RoutingTrace trace = new RoutingTrace();
        Tensor encoded = encode(tape, batch.source(), trace);
        Tokens tokens = new Tokens(batch.decoderInput().lengths(), valid(tape, batch.labels()), trace);
        Tensor logits = logits(tape, decode(tape, batch.decoderInput(), encoded, batch.source(), tokens));
        Tensor labels = tape.scope().ints(checked(batch.labels(), "label"), "labels");
        Tensor loss = trace.addLosses(tape, CrossEntropy.apply(tape, logits, labels),
                config.mixture().routerAuxLossCoef,
                config.mixture().routerZLossCoef);
        return new Output(loss, logits, encoded, trace);
    }

    /** Which decoder tokens count: those whose label does. Null when all do. */
    private static Tensor valid(Tape tape, int[] labels) {
        int[] valid = Arrays.stream(labels).map(label -> label == CrossEntropy.IGNORE ? 0 : 1).toArray();
        return Arrays.stream(valid).allMatch(v -> v == 1) ? null : tape.scope().ints(valid, "valid tokens");
    }

    /** Token ids on the device, checked against the vocabulary. */
    Tensor ids(Tape tape, int[] ids, String what) {
        return tape.scope().ints(checked(ids, what), what);
    }

    private int[] checked(int[] ids, String what) {
        for (int id : ids) {
            if ((id < 0 || id >= config.vocabSize) && !(id == CrossEntropy.IGNORE && what.equals("label"))) {
                throw new UserException(what + " " + id + " lies outside the model's vocabulary of " + config.vocabSize
                        + "; use the tokenizer that belongs to the model");
            }
        }
        return ids;
    }

    @Override
    public void close() {
        parameters.close();
    }
}
