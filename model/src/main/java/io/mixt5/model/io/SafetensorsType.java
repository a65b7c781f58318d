package io.mixt5.model.io;

/** The element types of safetensors files that are read and written here; the constants are the names on disk. */
public enum SafetensorsType {
    /** IEEE 754 double. */
    F64(8),
    /** IEEE 754 single. */
    F32(4),
    /** IEEE 754 half. */
    F16(2),
    /** The upper half of a single. */
    BF16(2),
    /** Two's complement, 64 bits. */
    I64(8),
    /** Two's complement, 32 bits. */
    I32(4),
    /** Two's complement, 8 bits. */
    I8(1),
    /** Unsigned, 8 bits. */
    U8(1),
    /** One byte, 0 or 1. */
    BOOL(1);

    private final int bytes;

    SafetensorsType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether elements are real numbers. */
    public boolean isFloat() {
        return ordinal() <= BF16.ordinal();
    }

    /**
     * Bytes of a dense tensor of {@code shape}; no dimension makes one element.
     *
     * @throws ArithmeticException if that is 2^63 or more
     */
    public long bytes(long... shape) {
        long total = bytes;
        for (long size : shape) {
            total = Math.multiplyExact(total, size);
        }
        return total;
    }
}
