package io.mixt5.kernels.emulator.math;

/** The types between which {@code cvt} converts. */
public enum NumberType {
    /** Unsigned byte. */
    U8(8, false),
    /** Signed byte. */
    S8(8, true),
    /** Unsigned, 16 bits. */
    U16(16, false),
    /** Signed, 16 bits. */
    S16(16, true),
    /** Unsigned, 32 bits. */
    U32(32, false),
    /** Signed, 32 bits. */
    S32(32, true),
    /** Unsigned, 64 bits. */
    U64(64, false),
    /** Signed, 64 bits. */
    S64(64, true),
    /** See {@link Format#F16}. */
    F16(Format.F16),
    /** See {@link Format#BF16}. */
    BF16(Format.BF16),
    /** See {@link Format#TF32}. */
    TF32(Format.TF32),
    /** See {@link Format#F32}. */
    F32(Format.F32),
    /** See {@link Format#F64}. */
    F64(Format.F64);

    private final int width;
    private final boolean signed;
    private final Format format;

    /** An integer. */
    NumberType(int width, boolean signed) {
        this.width = width;
        this.signed = signed;
        format = null;
    }

    /** A floating point number. */
    NumberType(Format format) {
        width = format.width();
        signed = true;
        this.format = format;
    }

    /** The type that a modifier such as {@code s32} names; null for other modifiers. */
    public static NumberType of(String modifier) {
        return switch (modifier) {
            case "u8" -> U8;
            case "s8" -> S8;
            case "u16" -> U16;
            case "s16" -> S16;
            case "u32" -> U32;
            case "s32" -> S32;
            case "u64" -> U64;
            case "s64" -> S64;
            case "f16" -> F16;
            case "bf16" -> BF16;
            case "tf32" -> TF32;
            case "f32" -> F32;
            case "f64" -> F64;
            default -> null;
        };
    }

    /** Bits of a value. */
    public int width() {
        return width;
    }

    /** Whether it has a sign. */
    public boolean signed() {
        return signed;
    }

    /** The format of a floating point number; null for integers. */
    public Format format() {
        return format;
    }

    /** The integer that the lower {@link #width} bits mean, modulo 2^64 for U64. */
    long integer(long bits) {
        int unused = 64 - width;
        return signed ? bits << unused >> unused : bits << unused >>> unused;
    }

    /** The largest integer. */
    long largest() {
        return (signed ? Long.MAX_VALUE : -1) >>> 64 - width;
    }

    /** The smallest integer. */
    long smallest() {
        return signed ? Long.MIN_VALUE >> 64 - width : 0;
    }
}
