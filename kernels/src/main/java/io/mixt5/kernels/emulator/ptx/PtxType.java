package io.mixt5.kernels.emulator.ptx;

/** Sizes of PTX's fundamental types. */
public final class PtxType {
    private PtxType() {
    }

    /** Bytes of a type such as {@code u16} or {@code f16x2}; 0 for {@code pred}, -1 for a word that is no type. */
    public static int bytes(String type) {
        return switch (type) {
            case "pred" -> 0;
            case "b8", "u8", "s8" -> 1;
            case "b16", "u16", "s16", "f16", "bf16" -> 2;
            case "b32", "u32", "s32", "f32", "f16x2", "bf16x2", "tf32", "u16x2", "s16x2" -> 4;
            case "b64", "u64", "s64", "f64" -> 8;
            case "b128" -> 16;
            default -> -1;
        };
    }
}
