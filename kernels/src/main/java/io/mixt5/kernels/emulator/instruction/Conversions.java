package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.math.Bfloats;
import io.mixt5.kernels.emulator.math.Conversion;
import io.mixt5.kernels.emulator.math.Floats;
import io.mixt5.kernels.emulator.math.Halves;
import io.mixt5.kernels.emulator.ptx.PtxType;
import java.util.Set;

/** cvt. Registers may be wider than the types: a source is cut off, a result extended by its sign or zeros. */
final class Conversions {
    private static final Set<String> PAIRS = Set.of("f16x2", "bf16x2");

    private Conversions() {
    }

    /** cvt of one number, or of two to a pair. */
    static Instruction decode(Opcode opcode, Operands operands) {
        Conversion conversion;
        try {
            conversion = Conversion.of(opcode.text());
        } catch (IllegalArgumentException e) {
            throw opcode.error(e.getMessage());
        }
        boolean pair = PAIRS.stream().anyMatch(opcode::has);
        opcode.takeAll();
        Elementwise each = new Elementwise(opcode, operands);
        if (opcode.text().equals("cvt.rn.f16x2.f32")) {
            return each.int2((a, b) -> Halves.bits(Float.intBitsToFloat(a)) << 16
                    | Halves.bits(Float.intBitsToFloat(b)));
        }
        if (opcode.text().equals("cvt.rn.bf16x2.f32")) {
            return each.int2((a, b) -> Bfloats.bits(Float.intBitsToFloat(a)) << 16
                    | Bfloats.bits(Float.intBitsToFloat(b)));
        }
        if (pair) {
            // The first operand goes into the upper half.
            return each.int2((a, b) -> (int) conversion.apply(a) << 16 | (int) conversion.apply(b) & 0xffff);
        }
        Instruction fast = frequent(opcode, each, operands);
        if (fast != null) {
            return fast;
        }
        Register target = operands.register(operands.at(0));
        Register source = operands.register(operands.at(1));
        boolean wideTarget = target != null && target.kind() == Register.Kind.LONG;
        boolean wideSource = source == null ? conversion.from().width() == 64 : source.kind() == Register.Kind.LONG;
        int shown = target == null ? -1 : -1 >>> 32 - Math.min(32, target.bits());
        if (wideTarget) {
            return wideSource ? each.long1(conversion::apply) : each.widening(a -> conversion.apply(a));
        }
        return wideSource
                ? each.narrowing(a -> (int) conversion.apply(a) & shown)
                : each.int1(a -> (int) conversion.apply(a) & shown);
    }

    /** Those that fill kernels, spelled out so that they compile to little; null for others. */
    private static Instruction frequent(Opcode opcode, Elementwise each, Operands operands) {
        if (!(exact(operands, 0, opcode) && exact(operands, 1, opcode))) {
            return null;
        }
        return switch (opcode.text()) {
            case "cvt.f32.f16" -> each.int1(a -> bits(Halves.value(a)));
            case "cvt.rn.f16.f32" -> each.int1(a -> Halves.bits(Float.intBitsToFloat(a)));
            case "cvt.f32.bf16" -> each.int1(a -> bits(Bfloats.value(a)));
            case "cvt.rn.bf16.f32" -> each.int1(a -> Bfloats.bits(Float.intBitsToFloat(a)));
            case "cvt.rn.f32.s32" -> each.int1(a -> Float.floatToRawIntBits(a));
            case "cvt.u64.u32" -> each.widening(a -> a & 0xffff_ffffL);
            case "cvt.s64.s32" -> each.widening(a -> a);
            case "cvt.u32.u64" -> each.narrowing(a -> (int) a);
            case "cvt.u32.u16" -> each.int1(a -> a & 0xffff);
            case "cvt.u16.u32" -> each.int1(a -> a & 0xffff);
            default -> null;
        };
    }

    private static int bits(float value) {
        return value != value ? Floats.NAN : Float.floatToRawIntBits(value);
    }

    /** Whether a register is as wide as its type says. */
    private static boolean exact(Operands operands, int i, Opcode opcode) {
        Register register = operands.register(operands.at(i));
        String[] words = opcode.text().split("\\.");
        return register != null && 8 * PtxType.bytes(words[words.length - (i == 0 ? 2 : 1)]) == register.bits();
    }
}
