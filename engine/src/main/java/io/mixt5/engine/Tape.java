package io.mixt5.engine;

import io.mixt5.engine.op.Cast;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Records the ops of one forward pass as they run and differentiates them in reverse.
 *
 * <p>A tape belongs to one thread and one pass. While recording, an op whose inputs require gradients leaves a node
 * with a closure for its backward. {@link #backward} visits the nodes from last to first and, to keep memory low,
 * closes each node's outputs and saved tensors as soon as nobody can need them; what is to be read afterwards is let
 * out by {@link #keep}. A tape that does not record ({@link #inference}) keeps nothing but its scope's temporaries.
 */
public final class Tape {
    private final Scope scope;
    private final boolean recording;
    private final long seed;
    private final int step;
    private final ArrayList<Node> nodes = new ArrayList<>();
    private final Gradients gradients = new Gradients(this);
    /** What {@link #cast} has made, which lives as long as {@link #castScope}. */
    private final Map<Tensor, Tensor> casts;
    private final Scope castScope;
    private Scope current;
    private int streams;
    private boolean training;
    private boolean done;

    /** How a node differentiates itself: reads its outputs' gradients and adds to its inputs'. */
    @FunctionalInterface
    public interface Backward {
        /** Computes the gradients of the inputs. */
        void run(Gradients gradients);
    }

    private record Node(String op, Tensor[] outputs, Tensor[] saved, Backward backward) {
    }

    private Tape(Scope scope, boolean recording, boolean training, long seed, int step) {
        this(scope, recording, training, seed, step, new IdentityHashMap<>(), scope);
    }

    private Tape(Scope scope, boolean recording, boolean training, long seed, int step, Map<Tensor, Tensor> casts,
            Scope castScope) {
        Objects.requireNonNull(scope, "scope");
        this.casts = casts;
        this.castScope = castScope;
        this.scope = scope;
        this.current = scope;
        this.recording = recording;
        this.training = training;
        this.seed = seed;
        this.step = step;
    }

    /**
     * A tape that records, with dropout and other noise drawn for {@code step} of the run with {@code seed}. Steps
     * count from 0; negative ones are set apart for numbers drawn outside of training, as initial weights are.
     */
    public static Tape training(Scope scope, long seed, int step) {
        if (step < 0) {
            throw new IllegalArgumentException("steps of training count from 0, so there is no step " + step);
        }
        return new Tape(scope, true, true, seed, step);
    }

    /** A tape that records but draws no noise: gradients of the model as it is evaluated. */
    public static Tape recording(Scope scope) {
        return new Tape(scope, true, false, 0, 0);
    }

    /** A tape that only runs the ops. */
    public static Tape inference(Scope scope) {
        return new Tape(scope, false, false, 0, 0);
    }

    /**
     * An inference tape for a further pass that reads this one's {@link #cast}s in place of making its own: for the
     * many passes of a generation, between which no weight changes. This tape's scope must outlive it.
     */
    public Tape next(Scope inner) {
        if (recording) {
            throw new IllegalStateException("a tape that records has casts of its own, as gradients go through them");
        }
        return new Tape(inner, false, false, 0, 0, casts, castScope);
    }

    /** Where the ops run. */
    public Device device() {
        return scope.device();
    }

    /** Owner of this pass's temporaries. */
    public Scope scope() {
        return current;
    }

    /** Whether {@link #backward} can be called. */
    public boolean recording() {
        return recording;
    }

    /** Whether dropout and other training noise is on. */
    public boolean training() {
        return training;
    }

    /**
     * The dropout of the next site in this pass: none unless training. Sites are numbered in the order of the calls.
     */
    public Dropout dropout(float rate) {
        RandomStream stream = randomStream();
        return stream != null && rate > 0 ? new Dropout(rate, seed, stream.id(), step) : Dropout.NONE;
    }

    /** The jitter of the next site in this pass, as {@link #dropout} numbers them: none unless training. */
    public Jitter jitter(float eps) {
        RandomStream stream = randomStream();
        return stream != null && eps > 0 ? new Jitter(eps, stream) : Jitter.NONE;
    }

    /** The random numbers of the next site in this pass, as {@link #dropout} numbers them: null unless training. */
    public RandomStream randomStream() {
        int id = streams++;
        return training ? new RandomStream(seed, id, step) : null;
    }

    /** The device's kernel for tensors of {@code dtype}. */
    public <K extends Kernel> K kernel(Class<K> type, DType dtype) {
        return device().kernel(type, dtype);
    }

    /** An op's output or work space, content undefined. */
    public Tensor allocate(DType dtype, Shape shape, String op) {
        return current.allocate(dtype, shape, op);
    }

    /**
     * A weight in the type that this pass computes in, cast once however often the pass reads it; the weight itself
     * where it has that type. The gradient is cast back and added to the weight's own.
     *
     * @param dtype one and the same for all casts of a weight on a tape
     */
    public Tensor cast(Tensor weight, DType dtype) {
        if (weight.dtype() == dtype) {
            return weight;
        }
        Tensor cast = casts.get(weight);
        if (cast == null) {
            Scope inner = current;
            current = castScope;
            try {
                cast = Cast.apply(this, weight, dtype);
                if (tracks(weight)) {
                    cast.countRowsOf(weight);
                }
            } finally {
                current = inner;
            }
            casts.put(weight, cast);
        }
        return cast;
    }

    /** Whether a node with this input must be recorded. */
    public boolean tracks(Tensor input) {
        return recording && input != null && input.requiresGrad();
    }

    /** Whether a node with any of these inputs (null ones aside) must be recorded. */
    public boolean tracks(Tensor... inputs) {
        for (Tensor input : inputs) {
            if (tracks(input)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Records a node with one output, which from now on requires a gradient. Call it only when {@link #tracks} said
     * yes.
     *
     * @param saved tensors that only this node's backward reads; closed after it
     */
    public void record(String op, Tensor output, Backward backward, Tensor... saved) {
        nodes.add(new Node(op, new Tensor[]{output.requireGrad()}, saved, backward));
    }

    /** As {@link #record(String, Tensor, Backward, Tensor...)} for several outputs. */
    public void record(String op, Tensor[] outputs, Backward backward, Tensor... saved) {
        for (Tensor output : outputs) {
            output.requireGrad();
        }
        nodes.add(new Node(op, outputs, saved, backward));
    }

    /**
     * Runs a piece of a pass. While not recording, all of its temporaries but the result are closed at once; while
     * recording this is just a call.
     */
    public Tensor block(Supplier<Tensor> body) {
        if (recording) {
            return body.get();
        }
        Scope outer = current;
        try (Scope inner = outer.child()) {
            current = inner;
            return inner.keep(body.get());
        } finally {
            current = outer;
        }
    }

    /**
     * Lets a tensor and its gradient outlive {@link #backward} (until the scope closes). One that the tape's scope has
     * let out by {@link Scope#keep} outlives it too. While not recording, the tensor outlives every {@link #block}
     * that is running.
     */
    public Tensor keep(Tensor tensor) {
        gradients.keep(tensor);
        for (Scope inner = current; inner != scope; inner = inner.parent()) {
            inner.keep(tensor);
        }
        return tensor;
    }

    /**
     * Gives the content of a tensor back ahead of backward, on the caller's word that neither the caller nor the
     * backward of any node reads it again; its gradient is computed as ever. What reads it all the same gets the error
     * of a closed tensor. A tensor that is kept, or that this tape's scope does not own, stays as it is.
     */
    public void release(Tensor tensor) {
        gradients.release(tensor);
    }

    /**
     * Differentiates {@code loss}, a tensor of one element, with respect to every tensor that requires a gradient. A
     * tape goes backward once.
     */
    public void backward(Tensor loss) {
        backward(loss, 1);
    }

    /** Differentiates {@code factor * loss}; a factor of 1 / n averages over n accumulated passes. */
    public void backward(Tensor loss, double factor) {
        if (loss.count() != 1) {
            throw new IllegalArgumentException("backward starts from one number, not from " + loss);
        }
        checkBackward(loss);
        Tensor seed = allocate(loss.dtype(), loss.shape(), "seed of backward");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(seed.bytes(), 8);
            loss.dtype().store(value.address(), factor);
            seed.upload(value);
        }
        backward(new Tensor[]{loss}, new Tensor[]{seed});
    }

    /**
     * Differentiates the sum over i of the inner product of outputs[i] and seeds[i]. The tape takes the seeds over, so
     * each is a tensor of its own.
     *
     * @throws IllegalArgumentException when an output needs no gradient or a seed does not fit its output
     * @throws IllegalStateException when the tape does not record or has gone backward before
     */
    public void backward(Tensor[] outputs, Tensor[] seeds) {
        checkBackward(outputs);
        for (int i = 0; i < outputs.length; i++) {
            if (!seeds[i].shape().equals(outputs[i].shape()) || seeds[i].dtype() != outputs[i].dtype()) {
                throw new IllegalArgumentException("backward cannot start from " + outputs[i] + " with " + seeds[i]);
            }
        }
        done = true;
        for (int i = 0; i < outputs.length; i++) {
            gradients.seed(outputs[i], seeds[i]);
        }
        while (!nodes.isEmpty()) {
            Node node = nodes.removeLast();
            boolean reached = false;
            for (Tensor output : node.outputs) {
                reached |= output.grad() != null;
            }
            if (reached) {
                node.backward.run(gradients);
                gradients.settle();
            }
            for (Tensor output : node.outputs) {
                gradients.finish(output);
            }
            for (Tensor saved : node.saved) {
                gradients.finish(saved);
            }
        }
    }

    private void checkBackward(Tensor... outputs) {
        if (!recording) {
            throw new IllegalStateException(
                    "an inference tape cannot go backward; record with Tape.training or Tape.recording");
        }
        if (done) {
            throw new IllegalStateException("a tape goes backward once, and this one has; record the pass again on a "
                    + "tape of its own, or give all outputs to one backward");
        }
        for (Tensor output : outputs) {
            if (!output.requiresGrad()) {
                throw new IllegalArgumentException("backward cannot start from " + output
                        + ", which depends on no tensor that requires a gradient");
            }
        }
    }
}
