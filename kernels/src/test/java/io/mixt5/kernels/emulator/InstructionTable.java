package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Instructions and what each must compute. A kernel is made for each of them that loads its operands, executes it and
 * stores the result; it is run on operands at the edges of their types and on random ones.
 */
final class InstructionTable {
    private static final int THREADS = 64;
    private static final int BLOCKS = 12;
    private static final int CASES = THREADS * BLOCKS;

    /** What a register holds. */
    enum Kind {
        B16("b16", 16, 0, 1, 2, 3, 15, 16, 17, 31, 32, 0x7f, 0x80, 0xff, 0x100, 0x1234, 0x7ffe, 0x7fff, 0x8000, 0x8001,
                0xfffe, 0xffff),
        B32("b32", 32, 0, 1, 2, 3, 7, 15, 31, 32, 33, 63, 64, 255, 0x12345678, 0x55555555, 0x7ffffffe, 0x7fffffff,
                0x80000000L, 0x80000001L, 0xfffffffeL, 0xffffffffL),
        B64("b64", 64, 0, 1, 2, 3, 63, 64, 0xffffffffL, 0x100000000L, 0x123456789abcdef0L, 0x5555555555555555L,
                Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1, -1, -2),
        F16("b16", 16, 0, 0x8000, 1, 0x8001, 0x3ff, 0x400, 0x3800, 0x3c00, 0xbc00, 0x3c01, 0x3555, 0x4248, 0x7bff,
                0xfbff, 0x7c00, 0xfc00, 0x7e00, 0x7fff),
        BF16("b16", 16, 0, 0x8000, 1, 0x8001, 0x7f, 0x80, 0x3f00, 0x3f80, 0xbf80, 0x3f81, 0x3eab, 0x4049, 0x7f7f,
                0xff7f, 0x7f80, 0xff80, 0x7fc0, 0x7fff),
        F32("b32", 32, 0, 0x80000000L, 1, 0x80000001L, 0x7fffff, 0x800000, 0x3f000000, 0x3f800000, 0xbf800000L,
                0x3f800001, 0x3eaaaaab, 0x40490fdb, 0xc0490fdbL, 0x4b800000, 0x4b000001, 0x7f7fffff, 0xff7fffffL,
                0x7f800000, 0xff800000L, 0x7fc00000, 0x7fffffff),
        F64("b64", 64, 0, Long.MIN_VALUE, 1, 0x000fffffffffffffL, 0x0010000000000000L, 0x3fe0000000000000L,
                0x3ff0000000000000L, 0xbff0000000000000L, 0x3ff0000000000001L, 0x400921fb54442d18L,
                0x7fefffffffffffffL, 0x7ff0000000000000L, 0xfff0000000000000L, 0x7ff8000000000000L),
        PRED("pred", 1, 0, 1);

        private final String register;
        private final int bits;
        private final long[] edges;

        Kind(String register, int bits, long... edges) {
            this.register = register;
            this.bits = bits;
            this.edges = edges;
        }

        private long next(SplittableRandom random) {
            long value = random.nextInt(4) > 0 ? edges[random.nextInt(edges.length)] : random.nextLong();
            return bits == 64 ? value : value & (1L << bits) - 1;
        }
    }

    /** What an instruction computes, from its operands' bits, zero-extended. Bits beyond its own are ignored. */
    interface Result {
        long of(long[] operands);
    }

    /** Whether a result will do. */
    interface Check {
        boolean good(long expected, long actual);
    }

    /** A row of the table. */
    record Row(String instruction, Kind target, Kind[] operands, Result result, Check check) {
        @Override
        public String toString() {
            return instruction;
        }
    }

    private static final Check EXACT = (expected, actual) -> expected == actual;
    /** How operands are called. */
    private static final String NAMES = "abce";

    private final List<Row> rows = new ArrayList<>();

    static Kind[] kinds(Kind... kinds) {
        return kinds;
    }

    /** {@code opcode d, a, b...} with a result that is known to the last bit. */
    void add(String opcode, Kind target, Kind[] operands, Result result) {
        add(opcode, target, operands, result, EXACT);
    }

    /** {@code opcode d, a, b...} with a result of which a check is enough. */
    void add(String opcode, Kind target, Kind[] operands, Result result, Check check) {
        StringBuilder instruction = new StringBuilder(opcode).append(" $d");
        for (int i = 0; i < operands.length; i++) {
            instruction.append(", $").append(NAMES.charAt(i));
        }
        addText(instruction.toString(), target, operands, result, check);
    }

    /** An instruction written out: {@code $d} is its target, {@code $a}, {@code $b}, {@code $c}, {@code $e} operands. */
    void addText(String instruction, Kind target, Kind[] operands, Result result) {
        addText(instruction, target, operands, result, EXACT);
    }

    private void addText(String instruction, Kind target, Kind[] operands, Result result, Check check) {
        rows.add(new Row(instruction, target, operands, result, check));
    }

    /** The module with a kernel for each row. */
    String ptx() {
        StringBuilder ptx = new StringBuilder(".version 7.8\n.target sm_90\n.address_size 64\n");
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            ptx.append(".visible .entry k").append(i)
                    .append("(.param .u64 from, .param .u64 to) {\n.reg .pred %p<8>;\n.reg .b16 %h<8>;\n.reg .b32 %r<8>;\n")
                    .append(".reg .b64 %l<16>;\nld.param.u64 %l8, [from];\nld.param.u64 %l9, [to];\n")
                    .append("mov.u32 %r6, %ctaid.x;\nmov.u32 %r7, %tid.x;\nmad.lo.u32 %r6, %r6, ").append(THREADS)
                    .append(", %r7;\nmad.wide.u32 %l8, %r6, 32, %l8;\nmad.wide.u32 %l9, %r6, 8, %l9;\n");
            String text = row.instruction();
            for (int o = 0; o < row.operands().length; o++) {
                text = text.replace("$" + NAMES.charAt(o), load(ptx, row.operands()[o], o));
            }
            ptx.append(text.replace("$d", register(row.target(), 5))).append(";\n");
            store(ptx, row.target());
            ptx.append("ret;\n}\n");
        }
        return ptx.toString();
    }

    private static String register(Kind kind, int number) {
        return switch (kind.register) {
            case "pred" -> "%p" + number;
            case "b16" -> "%h" + number;
            case "b32" -> "%r" + number;
            default -> "%l" + number;
        };
    }

    private static String load(StringBuilder ptx, Kind kind, int number) {
        String register = register(kind, number);
        if (kind == Kind.PRED) {
            ptx.append("ld.global.u64 %l").append(number).append(", [%l8+").append(8 * number).append("];\nsetp.ne.u64 ")
                    .append(register).append(", %l").append(number).append(", 0;\n");
        } else {
            ptx.append("ld.global.").append(kind.register).append(' ').append(register).append(", [%l8+")
                    .append(8 * number).append("];\n");
        }
        return register;
    }

    private static void store(StringBuilder ptx, Kind kind) {
        if (kind == Kind.PRED) {
            ptx.append("selp.u64 %l10, 1, 0, %p5;\nst.global.u64 [%l9], %l10;\n");
        } else {
            ptx.append("st.global.").append(kind.register).append(" [%l9], ").append(register(kind, 5)).append(";\n");
        }
    }

    /** Runs all rows. */
    void check() {
        SplittableRandom random = new SplittableRandom(7);
        List<String> wrong = new ArrayList<>();
        try (TestDevice device = new TestDevice(EmulatorSettings.DEFAULT.withCapability(90)).load(ptx())) {
            for (int i = 0; i < rows.size(); i++) {
                check(rows.get(i), "k" + i, device, random, wrong);
            }
        }
        assertEquals(List.of(), wrong);
    }

    private static void check(Row row, String kernel, TestDevice device, SplittableRandom random, List<String> wrong) {
        long[] operands = new long[4 * CASES];
        for (int i = 0; i < operands.length; i++) {
            operands[i] = i % 4 < row.operands().length ? row.operands()[i % 4].next(random) : 0;
        }
        long from = device.put(operands);
        long to = device.put(new long[CASES]);
        device.launch(kernel, BLOCKS, THREADS, from, to);
        long[] results = device.longs(to, CASES);
        for (int i = 0; i < CASES; i++) {
            long[] own = {operands[4 * i], operands[4 * i + 1], operands[4 * i + 2], operands[4 * i + 3]};
            long expected = row.result().of(own);
            int unused = 64 - row.target().bits;
            expected = expected << unused >>> unused;
            if (!row.check().good(expected, results[i])) {
                wrong.add(row + " of " + Long.toHexString(own[0]) + ", " + Long.toHexString(own[1]) + ", "
                        + Long.toHexString(own[2]) + ", " + Long.toHexString(own[3]) + " is "
                        + Long.toHexString(results[i]) + " instead of " + Long.toHexString(expected));
                return;
            }
        }
    }
}
