package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/** Instructions and what each must compute, tried on operands at the edges of their types and on random ones. */
final class InstructionTable {
    private static final int CASES = 768;

    /** What a register holds. */
    enum Kind {
        B16("b16", 16, 0, 1, 2, 3, 15, 16, 17, 31, 32, 0x7f, 0x80, 0xff, 0x100, 0x1234, 0x7ffe, 0x7fff, 0x8000, 0x8001,
                0xfffe, 0xffff), B32("b32", 32, 0, 1, 2, 3, 7, 15, 31, 32, 33, 63, 64, 255, 0x12345678, 0x55555555,
                        0x7ffffffe, 0x7fffffff,
                        0x80000000L, 0x80000001L, 0xfffffffeL, 0xffffffffL), B64("b64", 64, 0, 1, 2, 3, 63, 64,
                                0xffffffffL, 0x100000000L, 0x123456789abcdef0L, 0x5555555555555555L,
                                Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1, -1, -2), F16("b16", 16, 0, 0x8000,
                                        1, 0x8001, 0x3ff, 0x400, 0x3800, 0x3c00, 0xbc00, 0x3c01, 0x3555, 0x4248, 0x7bff,
                                        0xfbff, 0x7c00, 0xfc00, 0x7e00, 0x7fff), BF16("b16", 16, 0, 0x8000, 1, 0x8001,
                                                0x7f, 0x80, 0x3f00, 0x3f80, 0xbf80, 0x3f81, 0x3eab, 0x4049, 0x7f7f,
                                                0xff7f, 0x7f80, 0xff80, 0x7fc0,
                                                0x7fff), F32("b32", 32, 0, 0x80000000L, 1, 0x80000001L, 0x7fffff,
                                                        0x800000, 0x3f000000, 0x3f800000, 0xbf800000L,
                                                        0x3f800001, 0x3eaaaaab, 0x40490fdb, 0xc0490fdbL, 0x4b800000,
                                                        0x4b000001, 0x7f7fffff, 0xff7fffffL,
                                                        0x7f800000, 0xff800000L, 0x7fc00000, 0x7fffffff), F64("b64", 64,
                                                                0, Long.MIN_VALUE, 1, 0x000fffffffffffffL,
                                                                0x0010000000000000L, 0x3fe0000000000000L,
                                                                0x3ff0000000000000L, 0xbff0000000000000L,
                                                                0x3ff0000000000001L, 0x400921fb54442d18L,
                                                                0x7fefffffffffffffL, 0x7ff0000000000000L,
                                                                0xfff0000000000000L,
                                                                0x7ff8000000000000L), PRED("pred", 1, 0, 1);

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
    private record Row(String instruction, Kind target, Kind[] operands, Result result, Check check) {
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
        StringBuilder instruction = new StringBuilder(opcode).append(" %d");
        for (int i = 0; i < operands.length; i++) {
            instruction.append(", %").append(NAMES.charAt(i));
        }
        addText(instruction.append(';').toString(), target, operands, result, check);
    }

    /** An instruction written out: {@code %d} is its target, {@code %a}, {@code %b} and so on are its operands. */
    void addText(String instruction, Kind target, Kind[] operands, Result result) {
        addText(instruction, target, operands, result, EXACT);
    }

    private void addText(String instruction, Kind target, Kind[] operands, Result result, Check check) {
        rows.add(new Row(instruction, target, operands, result, check));
    }

    /** Runs all rows. */
    void check() {
        SplittableRandom random = new SplittableRandom(7);
        List<String> wrong = new ArrayList<>();
        for (Row row : rows) {
            check(row, random, wrong);
        }
        assertEquals(List.of(), wrong);
    }

    private static void check(Row row, SplittableRandom random, List<String> wrong) {
        StringBuilder types = new StringBuilder(row.target().register);
        long[][] columns = new long[row.operands().length][CASES];
        for (int o = 0; o < columns.length; o++) {
            Kind kind = row.operands()[o];
            types.append(' ').append(kind.register);
            Arrays.setAll(columns[o], i -> kind.next(random));
        }
        long[] results = OpcodeRunner.run(row.instruction(), types.toString(), columns);
        for (int i = 0; i < CASES; i++) {
            long[] operands = new long[columns.length];
            for (int o = 0; o < columns.length; o++) {
                operands[o] = columns[o][i];
            }
            int unused = 64 - row.target().bits;
            long expected = row.result().of(operands) << unused >>> unused;
            if (!row.check().good(expected, results[i])) {
                wrong.add(row.instruction() + " of " + hex(operands) + " is " + hex(results[i]) + " instead of "
                        + hex(expected));
                return;
            }
        }
    }

    private static String hex(long... values) {
        return Arrays.stream(values).mapToObj(Long::toHexString).collect(Collectors.joining(", "));
    }
}
