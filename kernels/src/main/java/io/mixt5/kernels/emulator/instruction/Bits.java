package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;

/** Logic, shifts and what moves or counts bits. Shifts by more than a width shift everything out. */
final class Bits {
    private static final int LOW_16 = 0xffff;

    private Bits() {
    }

    /** and, or, xor, not, cnot; those of predicates are {@link Predicates}. */
    static Instruction logic(Opcode opcode, Operands operands) {
        if (opcode.has("pred")) {
            return Predicates.logic(opcode, operands);
        }
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (opcode.name() + type) {
            case "andb16" -> each.int2((a, b) -> a & b & LOW_16);
            case "orb16" -> each.int2((a, b) -> (a | b) & LOW_16);
            case "xorb16" -> each.int2((a, b) -> (a ^ b) & LOW_16);
            case "notb16" -> each.int1(a -> ~a & LOW_16);
            case "cnotb16" -> each.int1(a -> (a & LOW_16) == 0 ? 1 : 0);
            case "andb32" -> each.int2((a, b) -> a & b);
            case "orb32" -> each.int2((a, b) -> a | b);
            case "xorb32" -> each.int2((a, b) -> a ^ b);
            case "notb32" -> each.int1(a -> ~a);
            case "cnotb32" -> each.int1(a -> a == 0 ? 1 : 0);
            case "andb64" -> each.long2((a, b) -> a & b);
            case "orb64" -> each.long2((a, b) -> a | b);
            case "xorb64" -> each.long2((a, b) -> a ^ b);
            case "notb64" -> each.long1(a -> ~a);
            case "cnotb64" -> each.long1(a -> a == 0 ? 1 : 0);
            default -> throw opcode.unknownType(type);
        };
    }

    /** lop3: any function of three bits, given as a table. */
    static Instruction lop3(Opcode opcode, Operands operands) {
        opcode.ignore("b32");
        int table = operands.number(4);
        Elementwise each = new Elementwise(opcode, operands);
        // Bit i of the table answers bits a, b, c with i = 4 a + 2 b + c.
        int t0 = -(table & 1);
        int t1 = -(table >> 1 & 1);
        int t2 = -(table >> 2 & 1);
        int t3 = -(table >> 3 & 1);
        int t4 = -(table >> 4 & 1);
        int t5 = -(table >> 5 & 1);
        int t6 = -(table >> 6 & 1);
        int t7 = -(table >> 7 & 1);
        return each.int3((a, b, c) -> ~a & (~b & (~c & t0 | c & t1) | b & (~c & t2 | c & t3))
                | a & (~b & (~c & t4 | c & t5) | b & (~c & t6 | c & t7)));
    }

    /** shl and shr. */
    static Instruction shift(Opcode opcode, Operands operands) {
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (opcode.name() + type) {
            case "shlb16" -> each.int2((a, n) -> outside(n, 16) ? 0 : a << n & LOW_16);
            case "shlb32" -> each.int2((a, n) -> outside(n, 32) ? 0 : a << n);
            case "shlb64" -> each.shift((a, n) -> outside(n, 64) ? 0 : a << n);
            case "shrb16", "shru16" -> each.int2((a, n) -> outside(n, 16) ? 0 : (a & LOW_16) >>> n);
            case "shrs16" -> each.int2((a, n) -> (short) a >> (outside(n, 16) ? 31 : n) & LOW_16);
            case "shrb32", "shru32" -> each.int2((a, n) -> outside(n, 32) ? 0 : a >>> n);
            case "shrs32" -> each.int2((a, n) -> a >> (outside(n, 32) ? 31 : n));
            case "shrb64", "shru64" -> each.shift((a, n) -> outside(n, 64) ? 0 : a >>> n);
            case "shrs64" -> each.shift((a, n) -> a >> (outside(n, 64) ? 63 : n));
            default -> throw opcode.unknownType(type);
        };
    }

    /** Whether an unsigned number of places is not below the width. */
    private static boolean outside(int places, int width) {
        return (places & -width) != 0;
    }

    /** shf: shifts two registers, a being the lower one, and keeps one. */
    static Instruction funnel(Opcode opcode, Operands operands) {
        opcode.ignore("b32");
        boolean left = opcode.takeOne("l", "r").equals("l");
        boolean wrap = opcode.takeOne("wrap", "clamp").equals("wrap");
        Elementwise each = new Elementwise(opcode, operands);
        if (left) {
            return each.int3(wrap
                    ? (a, b, n) -> (int) (join(a, b) << (n & 31) >>> 32)
                    : (a, b, n) -> outside(n, 32) ? a : (int) (join(a, b) << n >>> 32));
        }
        return each.int3(wrap
                ? (a, b, n) -> (int) (join(a, b) >>> (n & 31))
                : (a, b, n) -> outside(n, 32) ? b : (int) (join(a, b) >>> n));
    }

    private static long join(int low, int high) {
        return (long) high << 32 | low & 0xffff_ffffL;
    }

    /** popc, clz and brev. */
    static Instruction count(Opcode opcode, Operands operands) {
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (opcode.name() + type) {
            case "popcb32" -> each.int1(Integer::bitCount);
            case "popcb64" -> each.narrowing(Long::bitCount);
            case "clzb32" -> each.int1(Integer::numberOfLeadingZeros);
            case "clzb64" -> each.narrowing(Long::numberOfLeadingZeros);
            case "brevb32" -> each.int1(Integer::reverse);
            case "brevb64" -> each.long1(Long::reverse);
            default -> throw opcode.unknownType(type);
        };
    }

    /** bfind: the highest bit that differs from the sign, or how far to shift it up; -1 where there is none. */
    static Instruction find(Opcode opcode, Operands operands) {
        boolean amount = opcode.take("shiftamt");
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (type) {
            case "u32" -> each.int1(amount ? a -> shiftAmount(a) : a -> 31 - Integer.numberOfLeadingZeros(a));
            case "s32" -> each.int1(amount
                    ? a -> shiftAmount(a ^ a >> 31)
                    : a -> 31 - Integer.numberOfLeadingZeros(a ^ a >> 31));
            case "u64" -> each.narrowing(amount ? a -> shiftAmount(a) : a -> 63 - Long.numberOfLeadingZeros(a));
            case "s64" -> each.narrowing(amount
                    ? a -> shiftAmount(a ^ a >> 63)
                    : a -> 63 - Long.numberOfLeadingZeros(a ^ a >> 63));
            default -> throw opcode.unknownType(type);
        };
    }

    private static int shiftAmount(int a) {
        return a == 0 ? -1 : Integer.numberOfLeadingZeros(a);
    }

    private static int shiftAmount(long a) {
        return a == 0 ? -1 : Long.numberOfLeadingZeros(a);
    }

    /** bfe: a field of bits. Places beyond the top read as the sign, or 0. */
    static Instruction extract(Opcode opcode, Operands operands) {
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (type) {
            case "u32" -> each.int3((a, at, length) -> (int) field(a & 0xffff_ffffL, at & 0xff, length & 0xff, 32));
            case "s32" -> each.int3((a, at, length) -> (int) signedField(a, at & 0xff, length & 0xff, 32));
            case "u64" -> mixed(opcode, operands, 3, (a, at, length, unused) -> field(a, (int) at & 0xff,
                    (int) length & 0xff, 64));
            case "s64" -> mixed(opcode, operands, 3, (a, at, length, unused) -> signedField(a, (int) at & 0xff,
                    (int) length & 0xff, 64));
            default -> throw opcode.unknownType(type);
        };
    }

    private static long field(long a, int at, int length, int width) {
        long shifted = at >= width ? 0 : a >>> at;
        return length >= 64 ? shifted : shifted & (1L << length) - 1;
    }

    /** From the ISA: the sign is the bit at min(at + length - 1, width - 1), and 0 for a length of 0. */
    private static long signedField(long a, int at, int length, int width) {
        if (length == 0) {
            return 0;
        }
        int top = Math.min(at + length - 1, width - 1);
        long upToTop = a << 63 - top >> 63 - top;
        return upToTop >> Math.min(at, 63);
    }

    /** bfi: puts the lower bits of a into b. */
    static Instruction insert(Opcode opcode, Operands operands) {
        String type = opcode.type();
        return switch (type) {
            case "b32" -> new Elementwise(opcode, operands).int4((a, b, at, length) -> (int) insert(a, b, at & 0xff,
                    length & 0xff));
            case "b64" -> mixed(opcode, operands, 4, (a, b, at, length) -> insert(a, b, (int) at & 0xff,
                    (int) length & 0xff));
            default -> throw opcode.unknownType(type);
        };
    }

    private static long insert(long a, long b, int at, int length) {
        if (at >= 64) {
            return b;
        }
        long places = (length >= 64 ? -1 : (1L << length) - 1) << at;
        return b & ~places | a << at & places;
    }

    /** prmt: picks four bytes out of eight. */
    static Instruction permute(Opcode opcode, Operands operands) {
        opcode.ignore("b32");
        String mode = opcode.takeOne("f4e", "b4e", "rc8", "ecl", "ecr", "rc16");
        Elementwise each = new Elementwise(opcode, operands);
        if (mode == null) {
            return each.int3(Bits::pick);
        }
        return each.int3((a, b, c) -> pick(a, b, selector(mode, c & 3)));
    }

    private static int pick(int a, int b, int selector) {
        long bytes = join(a, b);
        int result = 0;
        for (int i = 0; i < 4; i++) {
            int choice = selector >>> 4 * i;
            int chosen = (int) (bytes >>> 8 * (choice & 7)) & 0xff;
            // Bit 3 asks for the byte's sign in all its places.
            result |= ((choice & 8) == 0 ? chosen : (byte) chosen >> 7 & 0xff) << 8 * i;
        }
        return result;
    }

    /** The bytes that a mode of prmt picks, as the general form's selector. */
    private static int selector(String mode, int c) {
        int selector = 0;
        for (int i = 0; i < 4; i++) {
            int choice = switch (mode) {
                case "f4e" -> c + i;
                case "b4e" -> c - i & 7;
                case "rc8" -> c;
                case "ecl" -> Math.max(c, i);
                case "ecr" -> Math.min(c, i);
                default -> 2 * (c & 1) + (i & 1);
            };
            selector |= choice << 4 * i;
        }
        return selector;
    }

    /** bmsk: as many ones as b says, from place a on. */
    static Instruction mask(Opcode opcode, Operands operands) {
        opcode.ignore("b32");
        boolean wrap = opcode.takeOne("wrap", "clamp").equals("wrap");
        Elementwise each = new Elementwise(opcode, operands);
        return each.int2(wrap
                ? (a, b) -> (int) ((1L << (b & 31)) - 1 << (a & 31))
                : (a, b) -> outside(a, 32) ? 0 : (int) ((outside(b, 32) ? -1L : (1L << b) - 1) << a));
    }

    /** A function whose operands after the first, or the first two, have 32 bits. */
    private static Instruction mixed(Opcode opcode, Operands operands, int count, Functions.Mixed function) {
        int wide = count - 2;
        int[] registers = new int[count + 1];
        registers[0] = operands.longTarget(0);
        for (int i = 1; i <= count; i++) {
            registers[i] = i <= wide ? operands.longs(i) : operands.ints(i);
        }
        return Copies.of(Fields.class, opcode.text(), function, registers);
    }
}
