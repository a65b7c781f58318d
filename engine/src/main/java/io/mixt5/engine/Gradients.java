package io.mixt5.engine;

import io.mixt5.engine.op.Add;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** What a node's backward sees of the gradients: those of its outputs, and places for those of its inputs. */
public final class Gradients {
    private final Tape tape;
    private final Set<Tensor> kept = Collections.newSetFromMap(new IdentityHashMap<>());
    /** The inputs whose places the node at work has asked for. */
    private final Set<Tensor> asked = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<Share> shares = new ArrayList<>();

    /** A part of an input's gradient in a place of its own, to be added once the node is done. */
    private record Share(Tensor gradient, Tensor input) {
    }

    /**
     * Where a kernel puts the gradient of an input.
     *
     * @param tensor the buffer, shaped like the input
     * @param accumulate whether to add to what is there; otherwise every element is to be written, as the content is
     * undefined
     */
    public record Target(Tensor tensor, boolean accumulate) {
    }

    /**
     * Where a kernel puts the gradient of an input that is there only if it comes from at least one row.
     *
     * @param gradient as {@link #into} gives it
     * @param rows I32 [1], to which, or in which, the kernel counts the rows; null when the gradient is there whatever
     * they are
     */
    public record Counted(Target gradient, Target rows) {
    }

    Gradients(Tape tape) {
        this.tape = tape;
    }

    /** The gradient of a node's output; zeros where the loss does not depend on it. */
    public Tensor of(Tensor output) {
        if (output.grad() == null) {
            place(output);
            output.markGradSet(false);
            output.gradBuffer().zero();
        }
        return output.grad();
    }

    /**
     * Where to put the gradient of {@code input}; null when it (or the input itself) is not wanted. A node that asks
     * for one tensor several times, having it for several inputs, gets several places, whose contents are added up when
     * it is done.
     */
    public Target into(Tensor input) {
        return into(input, false);
    }

    /**
     * Like {@link #into} for an op that knows on the device alone whether it has a gradient for {@code input}. It writes
     * zeros where it has none, and counts the rows from which the gradient comes.
     */
    public Counted intoCounted(Tensor input) {
        boolean counts = input != null && (input.grad() == null || input.gradRows() != null);
        Target target = into(input, counts);
        return target == null ? null : new Counted(target, counts ? input.countRows() : null);
    }

    /**
     * Like {@link #into} for an op whose input has a gradient exactly where its output has one: rows counted for a
     * {@linkplain Tape#cast weight's cast} are those of the weight.
     */
    public Target through(Tensor output, Tensor input) {
        boolean counts = output.gradRows() != null && output.countsRowsOf(input)
                && (input.grad() == null || input.gradRows() != null);
        return into(input, counts);
    }

    /** @param counted whether the input's gradient, with what is added now, is there only if rows are counted */
    private Target into(Tensor input, boolean counted) {
        if (input == null || !input.requiresGrad()) {
            return null;
        }
        if (!asked.add(input)) {
            Tensor share = tape.allocate(input.dtype(), input.shape(), "share of grad of " + input.origin());
            shares.add(new Share(share, input));
            input.markGradSet(counted);
            return new Target(share, false);
        }
        boolean accumulate = input.grad() != null;
        place(input);
        input.markGradSet(counted);
        return new Target(input.grad(), accumulate);
    }

    /**
     * Like {@link #into} for kernels that can only add: the buffer is zeroed when it is new, and
     * {@link Target#accumulate} is always true.
     */
    public Target addTo(Tensor input) {
        Target target = into(input);
        if (target != null && !target.accumulate) {
            target.tensor.zero();
        }
        return target == null ? null : new Target(target.tensor, true);
    }

    /**
     * Adds the gradient of a node's output to that of one of its inputs, unchanged. Where the input has none yet the
     * tensor itself changes hands, so call this last, when nothing else reads the output's gradient.
     */
    public void pass(Tensor output, Tensor input) {
        if (!input.requiresGrad()) {
            return;
        }
        Tensor gradient = of(output);
        if (stays(output) || !give(gradient, input)) {
            add(gradient, input);
        } else {
            output.setGrad(null);
        }
    }

    /** Starts with {@code gradient} at an output, which stays; the tape owns the gradient from now on. */
    void seed(Tensor output, Tensor gradient) {
        kept.add(output);
        if (!give(gradient, output)) {
            add(gradient, output);
            gradient.close();
        }
    }

    void keep(Tensor tensor) {
        kept.add(tensor);
    }

    /** Adds up what a node has put into several places for one tensor, once its backward has run. */
    void settle() {
        for (Share share : shares) {
            tape.kernel(Add.Kernel.class, share.gradient.dtype()).accumulate(share.gradient, share.input.grad());
            share.gradient.close();
        }
        shares.clear();
        asked.clear();
    }

    /** Closes a tensor that a node leaves behind once it is done, unless it is to stay. */
    void finish(Tensor tensor) {
        if (!stays(tensor)) {
            tensor.close();
        }
    }

    /** Gives the content of a tensor back now, unless it is to stay. */
    void release(Tensor tensor) {
        if (!stays(tensor)) {
            tensor.release();
        }
    }

    /** Whether a tensor outlives backward: it was kept, or the tape's scope does not own it (any more). */
    private boolean stays(Tensor tensor) {
        return kept.contains(tensor) || tensor.scope != tape.scope();
    }

    /** Makes {@code gradient} that of {@code input}, if that has none and is closed by the same scope. */
    private static boolean give(Tensor gradient, Tensor input) {
        if (input.gradBuffer() != null || input.scope == null || input.scope != gradient.scope) {
            return false;
        }
        input.setGrad(gradient);
        return true;
    }

    private void add(Tensor gradient, Tensor input) {
        if (input.grad() != null) {
            tape.kernel(Add.Kernel.class, gradient.dtype()).accumulate(gradient, input.grad());
        } else {
            place(input);
            input.gradBuffer().copyFrom(gradient);
        }
        input.markGradSet(false);
    }

    /** Makes a place for the gradient that lives as long as the input. */
    private static void place(Tensor input) {
        if (input.gradBuffer() == null) {
            String origin = "grad of " + input.origin();
            input.setGrad(input.scope == null
                    ? new Tensor(input.device(), input.dtype(), input.shape(), origin)
                    : input.scope.allocate(input.dtype(), input.shape(), origin));
        }
    }
}
