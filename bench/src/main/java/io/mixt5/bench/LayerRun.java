package io.mixt5.bench;

import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.model.FeedForward;
import io.mixt5.model.Parameters;
import io.mixt5.model.T5Config;
import io.mixt5.model.Tokens;

/** A feed-forward layer in training, as the model has it: passes forward, with dropout, and back. */
final class LayerRun implements AutoCloseable {
    private static final String PREFIX = "layer.1.";

    private final Device device;
    private final Parameters parameters;
    private final FeedForward layer;
    private final Tensor x;
    private final Tensor dy;
    private final long flops;
    private final long bytes;
    private Scope scope;
    private Tape tape;
    private Tensor y;

    /** A layer of such a model for {@code tokens} tokens. */
    LayerRun(Device device, T5Config model, LayerKind kind, int tokens) {
        this.device = device;
        T5Config config = kind.mixture() ? model.with(kind.config()) : model;
        if (!kind.mixture()) {
            config.dFf *= kind.products();
        }
        parameters = new Parameters(device);
        layer = FeedForward.create(parameters, PREFIX, config, kind.mixture());
        parameters.initialize(RandomData.SEED);
        parameters.all().forEach(parameter -> parameter.value().requireGrad());
        x = RandomData.matrix(device, 1, tokens, config.dModel);
        dy = RandomData.matrix(device, 2, tokens, config.dModel);
        if (kind.skewed()) {
            skew();
        }
        x.requireGrad();
        flops = parameters.all().stream()
                .filter(parameter -> !kind.mixture() || parameter.name().contains(".experts.0."))
                .mapToLong(parameter -> 2 * tokens * parameter.value().count()).sum()
                * (kind.mixture() ? kind.products() : 1);
        bytes = leastBytes(parameters, kind, x);
    }

    /** Weights of all experts that tokens reach, what comes in and what goes out. */
    private static long leastBytes(Parameters parameters, LayerKind kind, Tensor x) {
        long weights = parameters.all().stream().mapToLong(parameter -> parameter.value().bytes()).sum();
        long reached = Math.min(kind.experts(), kind.products() * x.shape().rows());
        return 2 * x.bytes() + (kind.mixture() ? weights * reached / kind.experts() : weights);
    }

    /**
     * Sends about half of all tokens to the first expert: the first number of each is set to 1, and the router's weight for
     * it favours the expert.
     */
    private void skew() {
        float[] states = x.toFloats();
        int width = (int) x.shape().columns();
        for (int i = 0; i < states.length; i += width) {
            states[i] = 1;
        }
        x.upload(states);
        Tensor router = parameters.get(PREFIX + "gate.weight").value();
        float[] weights = router.toFloats();
        // Weights deviate by 0.02 and states by sqrt(1 / 12), logits so by 0.02 sqrt(width / 12): this is 1.5 times that.
        weights[0] = (float) (1.5 * 0.02 * Math.sqrt(width / 12.0));
        router.upload(weights);
    }

    /** Floating-point operations of the layer's products forward, the router's aside; backward they are twice as many. */
    long flops() {
        return flops;
    }

    /** Bytes moved at least forward: weights, input and output; backward it is twice as many. */
    long bytes() {
        return bytes;
    }

    /** Tokens of a pass. */
    long tokens() {
        return x.shape().rows();
    }

    /** Starts a pass. */
    Tensor forward() {
        parameters.clearGradients();
        x.clearGrad();
        scope = new Scope(device);
        tape = Tape.training(scope, RandomData.SEED, 0);
        y = layer.apply(tape, x, new Tokens(new int[]{(int) tokens()}, null, null));
        return y;
    }

    /** Goes back to the gradients of the input, which is the result, and of all weights. */
    Tensor backward() {
        Tensor seed = scope.allocate(dy.dtype(), dy.shape(), "seed");
        seed.copyFrom(dy);
        tape.backward(new Tensor[]{y}, new Tensor[]{seed});
        return x.grad();
    }

    /** Ends a pass and frees what it left. */
    void end() {
        scope.close();
    }

    @Override
    public void close() {
        parameters.close();
        x.close();
        dy.close();
    }
}
