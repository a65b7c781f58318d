package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;

/** What lanes tell each other, against the pseudo-code of the PTX ISA. The lower lanes take part, or all. */
class ExchangeInstructionsTest {
    private static final int[] LANES = {32, 16, 5};

    private final Random random = new Random(8);

    /** Values of the lanes and a second operand; the third result is what the predicate is. */
    private record Lanes(int[] values, int[] others, int[] results, int[] predicates) {
    }

    /**
     * Runs an instruction for the first {@code count} lanes of a warp.
     *
     * @param instruction with %r0 the lane's value, %r1 its other operand, %r4 the member mask, %r5 the result and %p5
     * the predicate of the result
     */
    private Lanes run(String instruction, int count, int[] values, int[] others) {
        String ptx = ".version 7.8\n.target sm_90\n.address_size 64\n.visible .entry k(.param .u64 a, .param .u64 b) {\n"
                + ".reg .pred %p<8>;\n.reg .b32 %r<8>;\n.reg .b64 %l<4>;\nld.param.u64 %l0, [a];\nld.param.u64 %l1, [b];\n"
                + "mov.u32 %r7, %tid.x;\nmad.wide.u32 %l0, %r7, 8, %l0;\nmad.wide.u32 %l1, %r7, 8, %l1;\n"
                + "ld.global.v2.u32 {%r0, %r1}, [%l0];\nsetp.ge.u32 %p0, %r7, " + count + ";\nsetp.eq.u32 %p5, %r7, 77;\n"
                + "setp.ne.u32 %p1, %r1, 0;\nmov.u32 %r5, 0;\nmov.u32 %r4, " + mask(count) + ";\n@%p0 bra END;\n"
                + instruction + ";\nselp.u32 %r6, 1, 0, %p5;\nst.global.v2.u32 [%l1], {%r5, %r6};\nEND:\nret;\n}\n";
        try (TestDevice device = new TestDevice(EmulatorSettings.DEFAULT.withCapability(90)).load(ptx)) {
            int[] pairs = new int[64];
            for (int i = 0; i < 32; i++) {
                pairs[2 * i] = values[i];
                pairs[2 * i + 1] = others[i];
            }
            long to = device.put(new int[64]);
            device.launch("k", 1, 32, device.put(pairs), to);
            int[] stored = device.ints(to, 64);
            int[] results = new int[count];
            int[] predicates = new int[count];
            for (int i = 0; i < count; i++) {
                results[i] = stored[2 * i];
                predicates[i] = stored[2 * i + 1];
            }
            return new Lanes(values, others, results, predicates);
        }
    }

    private static int mask(int count) {
        return count == 32 ? -1 : (1 << count) - 1;
    }

    private int[] random(int bound) {
        int[] values = new int[32];
        Arrays.setAll(values, i -> bound == 0 ? random.nextInt() : random.nextInt(bound));
        return values;
    }

    @Test
    void shuffles() {
        for (String mode : new String[]{"up", "down", "bfly", "idx"}) {
            for (int width : new int[]{32, 16, 8, 4, 2}) {
                for (int distance = 0; distance < 8; distance++) {
                    int clamp = 32 - width << 8 | (mode.equals("up") ? 0 : 31);
                    int[] distances = new int[32];
                    Arrays.fill(distances, distance);
                    checkShuffle(mode, clamp, 32, distances);
                }
                checkShuffle(mode, 32 - width << 8 | (mode.equals("up") ? 0 : 31), 32, random(32));
            }
        }
        checkShuffle("bfly", 31, 16, random(16));
    }

    private void checkShuffle(String mode, int clamp, int count, int[] distances) {
        String instruction = "shfl.sync." + mode + ".b32 %r5|%p5, %r0, %r1, " + clamp + ", %r4";
        Lanes lanes = run(instruction, count, random(0), distances);
        for (int lane = 0; lane < count; lane++) {
            int segment = clamp >> 8 & 31;
            int b = distances[lane] & 31;
            int least = lane & segment;
            int most = least | clamp & 31 & ~segment;
            int from = switch (mode) {
                case "up" -> lane - b;
                case "down" -> lane + b;
                case "bfly" -> lane ^ b;
                default -> least | b & ~segment;
            };
            boolean inRange = mode.equals("up") ? from >= most : from <= most;
            String what = instruction + ", lane " + lane + ", distance " + distances[lane];
            assertEquals(lanes.values()[inRange ? from : lane], lanes.results()[lane], what);
            assertEquals(inRange ? 1 : 0, lanes.predicates()[lane], what);
        }
    }

    private static int ballot(int[] others, int count) {
        int ballot = 0;
        for (int lane = 0; lane < count; lane++) {
            ballot |= others[lane] != 0 ? 1 << lane : 0;
        }
        return ballot;
    }

    private void checkAll(int expected, int[] results) {
        int[] all = new int[results.length];
        Arrays.fill(all, expected);
        assertArrayEquals(all, results);
    }

    @Test
    void votes() {
        for (int count : LANES) {
            for (int[] others : new int[][]{random(2), new int[32], random(2), ones()}) {
                int ballot = ballot(others, count);
                boolean all = ballot == mask(count);
                boolean none = ballot == 0;
                checkAll(ballot, run("vote.sync.ballot.b32 %r5, %p1, %r4", count, others, others).results());
                checkAll(all ? 1 : 0, run("vote.sync.all.pred %p5, %p1, %r4", count, others, others).predicates());
                checkAll(none ? 0 : 1, run("vote.sync.any.pred %p5, %p1, %r4", count, others, others).predicates());
                checkAll(all || none ? 1 : 0,
                        run("vote.sync.uni.pred %p5, %p1, %r4", count, others, others).predicates());
                checkAll(none ? 1 : 0, run("vote.sync.all.pred %p5, !%p1, %r4", count, others, others).predicates());
            }
            checkAll(mask(count), run("activemask.b32 %r5", count, new int[32], new int[32]).results());
        }
    }

    private static int[] ones() {
        int[] ones = new int[32];
        Arrays.fill(ones, 1);
        return ones;
    }

    @Test
    void matches() {
        for (int count : LANES) {
            int[] values = random(4);
            int[] same = new int[count];
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < count; j++) {
                    same[i] |= values[i] == values[j] ? 1 << j : 0;
                }
            }
            assertArrayEquals(same, run("match.any.sync.b32 %r5, %r0, %r4", count, values, values).results());
            Lanes differ = run("match.all.sync.b32 %r5|%p5, %r0, %r4", count, values, values);
            checkAll(0, differ.results());
            checkAll(0, differ.predicates());
            Lanes agree = run("match.all.sync.b32 %r5|%p5, %r0, %r4", count, ones(), values);
            checkAll(mask(count), agree.results());
            checkAll(1, agree.predicates());
        }
    }

    @Test
    void reductions() {
        checkReduction("add.s32", Integer::sum);
        checkReduction("min.s32", Math::min);
        checkReduction("max.s32", Math::max);
        checkReduction("min.u32", (a, b) -> Integer.compareUnsigned(a, b) < 0 ? a : b);
        checkReduction("max.u32", (a, b) -> Integer.compareUnsigned(a, b) > 0 ? a : b);
        checkReduction("and.b32", (a, b) -> a & b);
        checkReduction("or.b32", (a, b) -> a | b);
        checkReduction("xor.b32", (a, b) -> a ^ b);
    }

    private void checkReduction(String operation, IntBinaryOperator operator) {
        for (int count : LANES) {
            int[] values = random(0);
            int expected = Arrays.stream(values, 0, count).reduce(operator).getAsInt();
            checkAll(expected, run("redux.sync." + operation + " %r5, %r0, %r4", count, values, values).results());
        }
    }
}
