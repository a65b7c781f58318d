package io.mixt5.engine;

/** Element types of a {@link Tensor}. */
public enum DType {
    /** 64-bit floats: the reference backend's gradients are checked in them, and checkpoints may hold them. */
    F64(8),
    /** 32-bit floats. */
    F32(4),
    /** IEEE 754 binary16. */
    F16(2),
    /** The upper half of a 32-bit float. */
    BF16(2),
    /** 32-bit signed integers: token ids and indices. */
    I32(4);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether elements are real numbers. */
    public boolean isFloat() {
        return this != I32;
    }

    /** The type that statistics and sums over this type are kept in: F64 for F64, else F32. */
    public DType accumulator() {
        return this == F64 ? F64 : F32;
    }

    /** The element at {@code address} as a double. */
    public double load(long address) {
        return switch (this) {
            case F64 -> Memory.getDouble(address);
            case F32 -> Memory.getFloat(address);
            case F16 -> Float.float16ToFloat(Memory.getShort(address));
            case BF16 -> Float.intBitsToFloat(Memory.getShort(address) << 16);
            case I32 -> Memory.getInt(address);
        };
    }

    /**
     * Stores {@code value} at {@code address}, rounded to nearest even (integers: truncated). F16 and BF16 are rounded
     * twice, to F32 first, as kernels that compute in F32 round them: a value that F32 takes to the middle of two
     * halves may end at the farther one.
     */
    public void store(long address, double value) {
        switch (this) {
            case F64 -> Memory.setDouble(address, value);
            case F32 -> Memory.setFloat(address, (float) value);
            case F16 -> Memory.setShort(address, Float.floatToFloat16((float) value));
            case BF16 -> Memory.setShort(address, floatToBf16((float) value));
            case I32 -> Memory.setInt(address, (int) value);
        }
    }

    /** {@code value} as bfloat16 bits, rounded to nearest even; NaN stays NaN. */
    public static short floatToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }
}
