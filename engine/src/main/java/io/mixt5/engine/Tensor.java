package io.mixt5.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A dense row-major array on a {@link Device}, 64-byte aligned, outside the Java heap.
 *
 * <p>A tensor is owned by a {@link Scope}, which closes it, or by whoever created it with {@link #create}, who must
 * close it. Using a closed tensor throws an error that names the op that made it and its shape (and where it was made,
 * when assertions are on). Content is not synchronised: one thread at a time works on a tensor.
 */
public final class Tensor implements AutoCloseable {
    private static final boolean TRACE = Tensor.class.desiredAssertionStatus();

    private final Device device;
    private final DType dtype;
    private final Shape shape;
    private final String origin;
    private final Throwable madeAt;
    private BlockCache.Block block;
    private boolean requiresGrad;
    /** Gradient of the loss with respect to this tensor; null when there is none. */
    private Tensor grad;
    /** Whether {@link #grad} holds something; a retained buffer may be there and yet be empty. */
    private boolean gradSet;
    /** Whether {@link #grad} counts only where {@link #rows} is not 0. */
    private boolean gradCounted;
    /** I32 [1], from how many rows the gradient comes; made when an op first counts them. */
    private Tensor rows;
    /** Whether {@link #rows} has been written since the gradient was forgotten. */
    private boolean rowsSet;
    /** The tensor that {@link #rows} is taken from: this one, or the weight that this one is a cast of. */
    private Tensor rowsOwner = this;
    /** The scope that closes this tensor and the place in its list; null for a tensor that somebody owns. */
    Scope scope;
    int scopeIndex;

    Tensor(Device device, DType dtype, Shape shape, String origin) {
        this.device = device;
        this.dtype = dtype;
        this.shape = shape;
        this.origin = origin;
        this.madeAt = TRACE ? new Throwable("made here") : null;
        this.block = device.allocate(Math.max(1, bytes()));
    }

    /** A tensor of zeros that the caller owns and closes. */
    public static Tensor create(Device device, DType dtype, Shape shape, String name) {
        Tensor tensor = new Tensor(device, dtype, shape, name);
        tensor.zero();
        return tensor;
    }

    /** Where the elements are. */
    public Device device() {
        return device;
    }

    /** The type of the elements. */
    public DType dtype() {
        return dtype;
    }

    /** The sizes. */
    public Shape shape() {
        return shape;
    }

    /** Number of elements. */
    public long count() {
        return shape.count();
    }

    /** Bytes of the content. Throws ArithmeticException past 2^63, which making such a tensor does first. */
    public long bytes() {
        return Math.multiplyExact(shape.count(), (long) dtype.bytes());
    }

    /** The op or the name that made this tensor. */
    public String origin() {
        return origin;
    }

    /** The device address of element 0. Throws IllegalStateException after close. */
    public long address() {
        if (block == null) {
            throw new IllegalStateException(
                    "tensor " + origin + " " + dtype + shape
                            + " is used after it was closed; keep() it or copy it before",
                    madeAt);
        }
        return block.address();
    }

    /** The device address of row {@code row}, the rows being counted over all dimensions but the last. */
    public long rowAddress(long row) {
        return address() + row * shape.columns() * dtype.bytes();
    }

    /** Whether the content is gone, by {@link #close} or {@link Tape#release}. */
    public boolean closed() {
        return block == null;
    }

    /** Fills with zeros. */
    public void zero() {
        device.backend().zero(address(), bytes());
    }

    /** Copies the content of {@code source}, of the same type and count, on the same device. */
    public void copyFrom(Tensor source) {
        if (source.dtype != dtype || source.count() != count() || source.device != device) {
            throw new IllegalArgumentException("cannot copy " + source + " into " + this);
        }
        device.backend().copy(source.address(), address(), bytes());
    }

    /** Fills from host memory of exactly {@link #bytes()} bytes, already of this type. */
    public Tensor upload(MemorySegment source) {
        if (source.byteSize() != bytes()) {
            throw new IllegalArgumentException(source.byteSize() + " bytes given for " + this);
        }
        device.backend().upload(source, address());
        return this;
    }

    /** Fills an I32 tensor. */
    public Tensor upload(int[] values) {
        require(DType.I32);
        return upload(MemorySegment.ofArray(values));
    }

    /** Fills an F32 tensor. */
    public Tensor upload(float[] values) {
        require(DType.F32);
        return upload(MemorySegment.ofArray(values));
    }

    /** The content as floats; F32 only. */
    public float[] toFloats() {
        require(DType.F32);
        float[] values = new float[Math.toIntExact(count())];
        device.backend().download(address(), MemorySegment.ofArray(values));
        return values;
    }

    /** The content of any type as doubles, on any device. */
    public double[] toDoubles() {
        double[] values = new double[Math.toIntExact(count())];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(Math.max(1, bytes()));
            device.backend().download(address(), host.asSlice(0, bytes()));
            for (int i = 0; i < values.length; i++) {
                values[i] = dtype.load(host.address() + (long) i * dtype.bytes());
            }
        }
        return values;
    }

    /** Fills a tensor of any type, rounding to it, on any device. */
    public Tensor upload(double[] values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(Math.max(1, (long) values.length * dtype.bytes()));
            for (int i = 0; i < values.length; i++) {
                dtype.store(host.address() + (long) i * dtype.bytes(), values[i]);
            }
            return upload(host.asSlice(0, (long) values.length * dtype.bytes()));
        }
    }

    /** The content as ints; I32 only. */
    public int[] toInts() {
        require(DType.I32);
        int[] values = new int[Math.toIntExact(count())];
        device.backend().download(address(), MemorySegment.ofArray(values));
        return values;
    }

    /** The bytes of the content in host memory: themselves where the host sees them, else a copy made in {@code arena}. */
    public MemorySegment toHost(Arena arena) {
        if (device.backend().hostVisible()) {
            return Memory.ALL.asSlice(address(), bytes());
        }
        MemorySegment copy = arena.allocate(Math.max(1, bytes()), 64).asSlice(0, bytes());
        device.backend().download(address(), copy);
        return copy;
    }

    /** Element {@code index} in row-major order, of any type; on a host-visible device only. */
    public double get(long index) {
        return dtype.load(hostAddress(index));
    }

    /** Stores element {@code index}, rounded to the type; on a host-visible device only. */
    public void set(long index, double value) {
        dtype.store(hostAddress(index), value);
    }

    private long hostAddress(long index) {
        if (!device.backend().hostVisible()) {
            throw new IllegalStateException("elements of " + this + " cannot be read one by one; download() them");
        }
        return address() + java.util.Objects.checkIndex(index, count()) * dtype.bytes();
    }

    private void require(DType wanted) {
        if (dtype != wanted) {
            throw new IllegalArgumentException(this + " is not " + wanted);
        }
    }

    /** Whether a tape computes a gradient for this tensor. */
    public boolean requiresGrad() {
        return requiresGrad;
    }

    /** Asks tapes to compute a gradient for this tensor; floats only. */
    public Tensor requireGrad() {
        if (!dtype.isFloat()) {
            throw new IllegalArgumentException(this + " cannot have a gradient");
        }
        requiresGrad = true;
        return this;
    }

    /**
     * The gradient that backward passes have left here, or null. It lives until {@link #clearGrad} or close. Where
     * {@link #gradRows} counts 0 it holds zeros and stands for none.
     */
    public Tensor grad() {
        return gradSet ? grad : null;
    }

    /**
     * I32 [1], from how many rows the gradient comes, where that is known to the device alone, as with the weight of an
     * expert: if from none, there is no gradient, as an optimiser has to notice. Null when there is one whatever the
     * rows, or {@link #grad} is null. The count adds up and is forgotten as the gradient is.
     */
    public Tensor gradRows() {
        return gradSet && gradCounted ? rowsOwner.rows : null;
    }

    /** Forgets the gradient but keeps its memory for the next one. */
    public void clearGrad() {
        gradSet = false;
        gradCounted = false;
        rowsSet = false;
    }

    /** The gradient buffer whether or not it is filled, or null. */
    Tensor gradBuffer() {
        return grad;
    }

    void setGrad(Tensor gradient) {
        grad = gradient;
        gradSet = gradient != null;
        gradCounted = false;
    }

    /** Says that the gradient is filled, and whether its rows are counted or do not matter. */
    void markGradSet(boolean counted) {
        gradSet = true;
        gradCounted = counted;
    }

    /** Counts the rows of this tensor's gradient as those of {@code weight}'s, to which the gradient will be added. */
    void countRowsOf(Tensor weight) {
        rowsOwner = weight;
    }

    /** Whether rows counted for this tensor are counted for {@code weight}. */
    boolean countsRowsOf(Tensor weight) {
        return rowsOwner == weight;
    }

    /** Where to count rows: a place that lives as long as the tensor whose they are, and whether it is in use already. */
    Gradients.Target countRows() {
        Tensor owner = rowsOwner;
        if (owner.rows == null) {
            String name = "rows of grad of " + owner.origin;
            owner.rows = owner.scope == null
                    ? new Tensor(owner.device, DType.I32, Shape.of(1), name)
                    : owner.scope.allocate(DType.I32, Shape.of(1), name);
        }
        Gradients.Target target = new Gradients.Target(owner.rows, owner.rowsSet);
        owner.rowsSet = true;
        return target;
    }

    /** The count of rows whether or not it is filled, or null. */
    Tensor rowsBuffer() {
        return rows;
    }

    /** Gives the memory back. Closing twice is harmless. */
    @Override
    public void close() {
        if (scope != null) {
            scope.forget(this);
        }
        if (grad != null) {
            grad.close();
            setGrad(null);
        }
        if (rows != null) {
            rows.close();
            rows = null;
        }
        release();
    }

    /** Gives the memory of the content back, but leaves the tensor its owner and its gradient. */
    void release() {
        if (block != null) {
            device.free(block);
            block = null;
        }
    }

    @Override
    public String toString() {
        return origin + " " + dtype + shape + " on " + device.name();
    }
}
