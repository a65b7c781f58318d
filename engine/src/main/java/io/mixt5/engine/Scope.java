package io.mixt5.engine;

import java.util.ArrayList;
import java.util.Objects;

/**
 * Owns temporaries and closes them all at once; one per step, or per piece of a step.
 *
 * <p>Not thread-safe: a scope belongs to the thread that runs the step.
 */
public final class Scope implements AutoCloseable {
    private final Device device;
    private final Scope parent;
    private final ArrayList<Tensor> tensors = new ArrayList<>();
    private boolean closed;

    /** A scope of its own on {@code device}. */
    public Scope(Device device) {
        this(device, null);
    }

    private Scope(Device device, Scope parent) {
        Objects.requireNonNull(device, "device");
        this.device = device;
        this.parent = parent;
    }

    /** A scope inside this one; what it keeps goes to this one. Close it first. */
    public Scope child() {
        requireOpen();
        return new Scope(device, this);
    }

    /** The scope around this one; null when there is none. */
    Scope parent() {
        return parent;
    }

    /** Where this scope's tensors live. */
    public Device device() {
        return device;
    }

    /**
     * A tensor of undefined content, closed with this scope; {@code origin} is the op's name for error messages.
     *
     * @throws IllegalStateException when the scope is closed, as every method that makes or keeps a tensor does
     */
    public Tensor allocate(DType dtype, Shape shape, String origin) {
        requireOpen();
        return adopt(new Tensor(device, dtype, shape, origin));
    }

    /** A tensor of zeros, closed with this scope. */
    public Tensor zeros(DType dtype, Shape shape, String origin) {
        Tensor tensor = allocate(dtype, shape, origin);
        tensor.zero();
        return tensor;
    }

    /** An I32 vector with these values. */
    public Tensor ints(int[] values, String origin) {
        return allocate(DType.I32, Shape.of(values.length), origin).upload(values);
    }

    /** An F32 tensor with these values. */
    public Tensor floats(Shape shape, float[] values, String origin) {
        return allocate(DType.F32, shape, origin).upload(values);
    }

    /** Takes over a tensor that nobody owns. */
    Tensor adopt(Tensor tensor) {
        tensor.scope = this;
        tensor.scopeIndex = tensors.size();
        tensors.add(tensor);
        return tensor;
    }

    /**
     * Lets {@code tensor} out, and its gradient with it: to the parent scope, or, where there is none, to the caller,
     * who then closes it.
     */
    public Tensor keep(Tensor tensor) {
        requireOpen();
        if (tensor.scope == this) {
            if (parent != null) {
                parent.requireOpen();
            }
            forget(tensor);
            if (parent != null) {
                parent.adopt(tensor);
            }
            if (tensor.gradBuffer() != null) {
                keep(tensor.gradBuffer());
            }
            if (tensor.rowsBuffer() != null) {
                keep(tensor.rowsBuffer());
            }
        }
        return tensor;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(
                    "a closed scope owns nothing; allocate in it and keep what is to stay before it closes");
        }
    }

    void forget(Tensor tensor) {
        Tensor last = tensors.removeLast();
        if (last != tensor) {
            tensors.set(tensor.scopeIndex, last);
            last.scopeIndex = tensor.scopeIndex;
        }
        tensor.scope = null;
    }

    /** Closes every tensor that has not been kept, and the scope itself. Closing twice is harmless. */
    @Override
    public void close() {
        closed = true;
        while (!tensors.isEmpty()) {
            tensors.getLast().close();
        }
    }
}
