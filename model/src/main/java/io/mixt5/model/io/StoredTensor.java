package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A tensor in a file, its elements still on the disk.
 *
 * <p>Element [i, j, ...] lies {@code i * strides[0] + j * strides[1] + ...} elements behind the first. Usable as long
 * as the {@link TensorSource} that gave it is open. Safe for use by several threads.
 */
public final class StoredTensor {
    private final String name;
    private final SafetensorsType type;
    private final long[] shape;
    private final DataFile file;
    private final long start;
    private final long[] strides;
    private final ByteOrder order;

    /**
     * Whoever makes one has checked that all its elements lie in the file and that its size is below 2^63 bytes.
     *
     * @param start place in the file of the first element, in bytes
     * @param strides one for each dimension, in elements
     * @param order of the bytes of an element
     */
    StoredTensor(String name, SafetensorsType type, long[] shape, DataFile file, long start, long[] strides,
            ByteOrder order) {
        this.name = name;
        this.type = type;
        this.shape = shape;
        this.file = file;
        this.start = start;
        this.strides = strides;
        this.order = order;
    }

    /** A dense, little-endian one. */
    static StoredTensor dense(String name, SafetensorsType type, long[] shape, DataFile file, long start) {
        return new StoredTensor(name, type, shape, file, start, denseStrides(shape), ByteOrder.LITTLE_ENDIAN);
    }

    /** The strides of a dense row-major tensor. Sizes may multiply past 2^63 only where one of them is 0. */
    static long[] denseStrides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= Math.max(1, shape[i]);
        }
        return strides;
    }

    /** Its name in the file. */
    public String name() {
        return name;
    }

    /** Of the elements. */
    public SafetensorsType type() {
        return type;
    }

    /** Sizes of the dimensions, a copy. */
    public long[] shape() {
        return shape.clone();
    }

    /** The file that holds the elements. */
    public Path file() {
        return file.path();
    }

    /** Number of elements. */
    public long count() {
        return bytes() / type.bytes();
    }

    /** Size of the elements, as if dense. */
    public long bytes() {
        return type.bytes(shape);
    }

    /** Whether {@code other} is these very bytes under another name, as where PyTorch ties two parameters. */
    public boolean sharesDataWith(StoredTensor other) {
        return file == other.file && start == other.start && type == other.type && Arrays.equals(shape, other.shape)
                && Arrays.equals(strides, other.strides);
    }

    /**
     * Checks the shape.
     *
     * @throws UserException if it is not {@code wanted}
     */
    public void requireShape(long... wanted) {
        if (!Arrays.equals(shape, wanted)) {
            throw new UserException("tensor '" + name + "' in " + file() + " has the shape " + Arrays.toString(shape)
                    + ", but the model needs " + Arrays.toString(wanted));
        }
    }

    /**
     * Fills {@code target} with elements, in row-major order and little-endian, from element {@code first} on.
     *
     * @param target native memory, a whole number of elements, less than 2^31 bytes
     * @throws UserException if the file cannot be read
     */
    public void read(long first, MemorySegment target) {
        if (Arrays.equals(strides, denseStrides(shape))) {
            file.read(start + first * type.bytes(), target);
        } else {
            gather(first, target);
        }
        if (order == ByteOrder.BIG_ENDIAN) {
            reverse(target);
        }
    }

    /** Element by element from a mapping: the system holds it only as long as this takes. */
    private void gather(long first, MemorySegment target) {
        int bytes = type.bytes();
        long last = 0;
        for (int i = 0; i < shape.length; i++) {
            last += (shape[i] - 1) * strides[i];
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = file.map(start, (last + 1) * bytes, arena);
            long[] index = index(first);
            for (long to = 0; to < target.byteSize(); to += bytes) {
                long from = 0;
                for (int i = 0; i < index.length; i++) {
                    from += index[i] * strides[i];
                }
                MemorySegment.copy(data, from * bytes, target, to, bytes);
                for (int i = index.length - 1; i >= 0 && ++index[i] == shape[i]; i--) {
                    index[i] = 0;
                }
            }
        }
    }

    private long[] index(long element) {
        long[] index = new long[shape.length];
        for (int i = shape.length - 1; i >= 0; i--) {
            index[i] = element % shape[i];
            element /= shape[i];
        }
        return index;
    }

    private void reverse(MemorySegment elements) {
        int bytes = type.bytes();
        for (long at = 0; at < elements.byteSize(); at += bytes) {
            for (int low = 0, high = bytes - 1; low < high; low++, high--) {
                byte kept = elements.get(ValueLayout.JAVA_BYTE, at + low);
                elements.set(ValueLayout.JAVA_BYTE, at + low, elements.get(ValueLayout.JAVA_BYTE, at + high));
                elements.set(ValueLayout.JAVA_BYTE, at + high, kept);
            }
        }
    }
}
