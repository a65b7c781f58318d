package io.mixt5.engine;

import java.util.Arrays;

/** The sizes of a dense row-major tensor, outermost first. Immutable. */
public final class Shape {
    private final long[] dims;
    private final long count;

    private Shape(long[] dims) {
        this.dims = dims;
        boolean empty = false;
        for (long dim : dims) {
            if (dim < 0) {
                throw new IllegalArgumentException("a shape has a negative size: " + Arrays.toString(dims));
            }
            empty |= dim == 0;
        }
        this.count = empty ? 0 : product(dims.length);
    }

    /** The shape with these sizes; none at all is a scalar. Throws ArithmeticException past 2^63 elements. */
    public static Shape of(long... dims) {
        return new Shape(dims.clone());
    }

    /** Number of dimensions. */
    public int rank() {
        return dims.length;
    }

    /** Size of dimension {@code axis}; a negative axis counts from the end. */
    public long dim(int axis) {
        return dims[axis < 0 ? axis + dims.length : axis];
    }

    /** Number of elements. */
    public long count() {
        return count;
    }

    /** Product of all sizes but the last: the rows of the matrix that ops see. A scalar has one row. */
    public long rows() {
        return dims.length == 0 ? 1 : columns() == 0 ? product(dims.length - 1) : count / columns();
    }

    /** Size of the last dimension; 1 for a scalar. */
    public long columns() {
        return dims.length == 0 ? 1 : dims[dims.length - 1];
    }

    /** This shape with its last size replaced by {@code columns}; not for scalars, which have none. */
    public Shape withColumns(long columns) {
        if (dims.length == 0) {
            throw new IllegalArgumentException("a scalar has no columns to replace");
        }
        long[] changed = dims.clone();
        changed[changed.length - 1] = columns;
        return new Shape(changed);
    }

    /** The sizes, a copy. */
    public long[] dims() {
        return dims.clone();
    }

    private long product(int axes) {
        long product = 1;
        for (int i = 0; i < axes; i++) {
            product = Math.multiplyExact(product, dims[i]);
        }
        return product;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    @Override
    public String toString() {
        return Arrays.toString(dims);
    }
}
