package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.ffm.cuda.CudaException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Loads and stores of all spaces, sizes and vectors, and what happens to those that miss. */
class MemoryTest {
    @Test
    void everySizeIsLoadedAndStored() {
        int[] in = {0x80fe7f01, 0x12345678, 0x9abcdef0, 0};
        assertArrayEquals(new int[]{0x01}, Ptx.run(1, store("ld.global.u8 %r0, [%in];"), in));
        assertArrayEquals(new int[]{0xffffff80}, Ptx.run(1, store("ld.global.s8 %r0, [%in+3];"), in));
        assertArrayEquals(new int[]{0x80}, Ptx.run(1, store("ld.global.u8 %h0, [%in+3];\ncvt.u32.u16 %r0, %h0;"), in));
        assertArrayEquals(new int[]{0xff80},
                Ptx.run(1, store("ld.global.s8 %h0, [%in+3];\ncvt.u32.u16 %r0, %h0;"), in));
        assertArrayEquals(new int[]{0x80fe}, Ptx.run(1, store("ld.global.nc.u16 %r0, [%in+2];"), in));
        assertArrayEquals(new int[]{0xffff80fe}, Ptx.run(1, store("ld.volatile.global.s16 %r0, [%in+2];"), in));
        assertArrayEquals(new int[]{0x9abcdef0},
                Ptx.run(1, store("ld.global.u64 %d0, [%in+8];\nld.global.s32 %d1, [%in+8];\n"
                        + "or.b64 %d0, %d0, %d1;\ncvt.u32.u64 %r0, %d0;"), in));
        assertArrayEquals(new int[]{-1},
                Ptx.run(1, store("ld.global.s32 %d1, [%in+8];\nshr.u64 %d1, %d1, 32;\ncvt.u32.u64 %r0, %d1;"), in));
        assertArrayEquals(new int[]{0x5602},
                Ptx.run(1, Ptx.kernel("mov.u32 %r1, 0x5602; st.global.u8 [%mine], %r1; shr.u32 %r1, %r1, 8;"
                        + "st.global.u8 [%mine+1], %r1;"), in));
        assertArrayEquals(new int[]{0x12340000},
                Ptx.run(1, Ptx.kernel("mov.u32 %r1, 0x1234; cvt.u16.u32 %h0, %r1; st.global.u16 [%mine+2], %h0;")));
        assertArrayEquals(new int[]{0x9abcdef0, 0x12345678},
                Ptx.run(2, Ptx.kernel("setp.ne.u32 %p0, %tid, 0;\n@%p0 exit;\nmov.u64 %d0, 0x123456789abcdef0;\n"
                        + "st.global.u64 [%out], %d0;")));
    }

    /** A kernel that stores %r0. */
    private static String store(String body) {
        return Ptx.kernel(body + "\nst.global.u32 [%mine], %r0;");
    }

    @Test
    void vectorsAreLoadedAndStored() {
        String ptx = Ptx.kernel("""
                mul.wide.u32 %d0, %tid, 16;
                add.s64 %d1, %in, %d0;
                add.s64 %d2, %out, %d0;
                ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%d1];
                st.global.v2.u32 [%d2], {%r3, %r2};
                st.global.v2.f32 [%d2+8], {%r1, %r0};
                """);
        try (TestDevice device = new TestDevice()) {
            int[] values = IntStream.range(0, 160).toArray();
            long out = device.put(new int[160]);
            device.load(ptx).launch("probe", 1, 40, out, device.put(values));
            assertArrayEquals(IntStream.range(0, 160).map(i -> i / 4 * 4 + 3 - i % 4).toArray(), device.ints(out, 160));
        }
        assertArrayEquals(new int[]{0x02010004},
                Ptx.run(1, Ptx.kernel("ld.global.v4.u8 {%h0, %h1, %h2, %h3}, [%in];\n"
                        + "st.global.v4.u8 [%out], {%h3, %h0, %h1, %h2};"), 0x04020100));
        assertArrayEquals(new int[]{7, 9},
                Ptx.run(2, Ptx.kernel("ld.global.v2.u64 {%d0, %d1}, [%in];\n@%p0 exit;\nsetp.ne.u32 %p1, %tid, 0;\n"
                        + "@%p1 exit;\nst.global.v2.u32 [%out], {%d1, %d0};"), 9, 0, 7, 0));
    }

    @Test
    void localMemoryIsEachThreadsOwn() {
        String ptx = Ptx.kernel("""
                .local .align 8 .b8 depot[40];
                .reg .b64 %SP, %SPL;
                mov.u64 %SPL, depot;
                cvta.local.u64 %SP, %SPL;
                st.local.u32 [%SPL+4], %tid;
                add.s64 %d0, %SP, 8;
                mul.lo.s32 %r0, %tid, 3;
                st.u32 [%d0], %r0;
                bar.warp.sync -1;
                ld.u32 %r1, [%SP+4];
                ld.local.u32 %r2, [%SPL+8];
                mad.lo.s32 %r1, %r1, 1000, %r2;
                st.global.u32 [%mine], %r1;
                """);
        assertArrayEquals(IntStream.range(0, 64).map(tid -> 1003 * tid).toArray(), Ptx.run(64, ptx));
    }

    @Test
    void genericAddressesSayWhereTheyPoint() {
        String ptx = Ptx.kernel(
                ".const .align 4 .u32 table[3] = {11, 22, 33};\n.global .align 8 .u64 pointer = generic(table)+4;\n"
                        + ".extern .shared .align 4 .b8 dynamic[];",
                """
                        .shared .align 4 .u32 variable;
                        mov.u64 %d0, variable;
                        cvta.shared.u64 %d1, %d0;
                        mov.u32 %r0, 5;
                        st.u32 [%d1], %r0;
                        ld.shared.u32 %r1, [variable];
                        mov.u64 %d2, table;
                        ld.const.u32 %r2, [%d2+8];
                        cvta.const.u64 %d2, %d2;
                        ld.u32 %r3, [%d2];
                        ld.global.u64 %d3, [pointer];
                        ld.global.u32 %r4, [%d3];
                        mov.u32 %r5, dynamic;
                        st.shared.u32 [%r5+12], %r4;
                        ld.shared.u32 %r6, [dynamic+12];
                        cvta.to.shared.u64 %d4, %d1;
                        cvt.u32.u64 %r7, %d4;
                        sub.u32 %r7, %r5, %r7;
                        add.s32 %r1, %r1, %r2; mad.lo.s32 %r1, %r3, 100, %r1; mad.lo.s32 %r1, %r6, 10000, %r1;
                        mad.lo.s32 %r1, %r7, 1000000, %r1;
                        st.global.u32 [%mine], %r1;
                        """);
        try (TestDevice device = new TestDevice()) {
            long out = device.put(0);
            device.load(ptx).launch("probe", new int[]{1, 1, 1}, new int[]{1, 1, 1}, 16, out, 0L);
            // The dynamic shared memory begins 16-byte aligned behind the static one.
            assertEquals(16_000_000 + 220_000 + 1100 + 5 + 33, device.ints(out, 1)[0]);
        }
    }

    @Test
    void addressesTellTheirSpace() {
        String ptx = Ptx.kernel("""
                .shared .align 4 .u32 variable;
                .local .align 4 .u32 own;
                mov.u64 %d0, variable;
                cvta.shared.u64 %d0, %d0;
                mov.u64 %d1, own;
                cvta.local.u64 %d1, %d1;
                isspacep.shared %p0, %d0;
                isspacep.local %p1, %d0;
                isspacep.local %p2, %d1;
                isspacep.global %p3, %out;
                isspacep.shared %p4, %out;
                selp.b32 %r0, 1, 0, %p0; selp.b32 %r1, 2, 0, %p1; selp.b32 %r2, 4, 0, %p2;
                selp.b32 %r3, 8, 0, %p3; selp.b32 %r4, 16, 0, %p4;
                add.s32 %r0, %r0, %r1; add.s32 %r0, %r0, %r2; add.s32 %r0, %r0, %r3; add.s32 %r0, %r0, %r4;
                st.global.u32 [%mine], %r0;
                """);
        assertArrayEquals(new int[]{13}, Ptx.run(1, ptx));
    }

    /** Half of the lanes read one allocation, the others the second, which lies elsewhere. */
    @Test
    void lanesMayAccessSeveralAllocations() {
        String ptx = Ptx.kernel("""
                and.b32 %r0, %tid, 1;
                setp.eq.s32 %p0, %r0, 0;
                selp.b64 %d0, %given, %mine, %p0;
                ld.global.u32 %r1, [%d0];
                st.global.u32 [%mine], %r1;
                """);
        try (TestDevice device = new TestDevice()) {
            long in = device.put(IntStream.range(0, 32).toArray());
            long out = device.put(IntStream.range(100, 132).toArray());
            device.load(ptx).launch("probe", 1, 32, out, in);
            assertArrayEquals(IntStream.range(0, 32).map(i -> i % 2 == 0 ? i : i + 100).toArray(),
                    device.ints(out, 32));
        }
    }

    @Test
    void parametersAreReadByTheirAlignment() {
        String ptx = """
                .version 6.5
                .target sm_75
                .address_size 64
                .visible .entry probe(.param .u8 small, .param .u64 out, .param .align 8 .b8 structure[24], .param .f32 last)
                {
                .reg .b32 %r<5>; .reg .b64 %d<5>;
                ld.param.u8 %r0, [small];
                ld.param.u64 %d0, [out];
                ld.param.v2.u32 {%r1, %r2}, [structure+8];
                mov.b64 %d1, structure;
                ld.param.u64 %d2, [%d1+16];
                ld.param.f32 %r3, [last];
                st.global.v4.u32 [%d0], {%r0, %r1, %r2, %r3};
                st.global.u64 [%d0+16], %d2;
                ret;
                }
                """;
        try (TestDevice device = new TestDevice()) {
            long out = device.put(new int[6]);
            byte[] structure = new byte[24];
            for (int i = 0; i < structure.length; i++) {
                structure[i] = (byte) i;
            }
            device.load(ptx).launch("probe", 1, 1, new byte[]{(byte) 0xfe}, out, structure, 1f);
            assertArrayEquals(new int[]{0xfe, 0x0b0a0908, 0x0f0e0d0c, 0x3f800000, 0x13121110, 0x17161514},
                    device.ints(out, 6));
        }
    }

    private static String fault(String body) {
        CudaException failure = assertThrows(CudaException.class, () -> Ptx.run(32, Ptx.kernel(body), new int[32]));
        assertEquals(CudaException.ILLEGAL_ADDRESS, failure.status());
        return failure.getMessage();
    }

    private static void assertContains(String message, String... parts) {
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void accessesOutOfBoundsAreTold() {
        assertContains(fault("st.global.u32 [%mine+4], %tid;"), "kernel probe of test.ptx, PTX line ",
                "block (0, 0, 0), thread (31, 0, 0)", "st.global.u32 writes 4 bytes", "has 128 bytes");
        assertContains(fault("ld.global.u32 %r0, [%mine-4];"), "thread (0, 0, 0)", "reads 4 bytes");
        assertContains(fault("mov.u64 %d0, 0;\nld.global.u32 %r0, [%d0];"), "null pointer");
        assertContains(fault(".shared .align 4 .b8 s[64];\nmov.u32 %r0, s;\nmad.lo.s32 %r0, %tid, 4, %r0;\n"
                + "ld.shared.u32 %r1, [%r0];"), "thread (16, 0, 0)", "the shared memory of the block has 64 bytes");
        assertContains(fault(".local .align 4 .b8 s[16];\nmov.u64 %d0, s;\nst.local.u32 [%d0+16], %tid;"),
                "the local memory of the thread has 16 bytes");
        assertContains(fault("atom.global.add.u32 %r0, [%out+128], 1;"), "updates 4 bytes");
    }

    @Test
    void misalignedAccessesAreTold() {
        assertContains(fault("ld.global.u32 %r0, [%given+2];"), "no multiple of 4", "thread (0, 0, 0)");
        assertContains(fault("ld.global.v2.u32 {%r0, %r1}, [%mine];"), "no multiple of 8", "thread (1, 0, 0)");
    }

    @Test
    void freedMemoryIsTold() {
        try (TestDevice device = new TestDevice()) {
            long gone = device.put(1, 2, 3);
            device.emulator().free(gone);
            device.load(Ptx.kernel("ld.global.u32 %r0, [%in+8];"));
            CudaException failure = assertThrows(CudaException.class, () -> device.launch("probe", 1, 1, 0L, gone));
            assertContains(failure.getMessage(), "8 bytes into an allocation of 12 bytes that was freed");
        }
    }

    /** The place that the instruction accessed before must not outlive its allocation. */
    @Test
    void memoryFreedBetweenLaunchesIsTold() {
        try (TestDevice device = new TestDevice()) {
            long in = device.put(5);
            device.load(Ptx.kernel("ld.global.u32 %r0, [%in];"));
            device.launch("probe", 1, 1, 0L, in);
            device.emulator().free(in);
            assertThrows(CudaException.class, () -> device.launch("probe", 1, 1, 0L, in));
        }
    }

    @Test
    void unwrittenMemoryHoldsNaNs() {
        String ptx = store(".shared .align 4 .f32 s;\nld.shared.f32 %r0, [s];");
        assertTrue(Float.isNaN(Float.intBitsToFloat(Ptx.run(1, ptx)[0])));
        try (TestDevice device = new TestDevice()) {
            assertTrue(Float.isNaN(device.floats(device.allocate(4), 1)[0]));
        }
    }

    @Test
    void atomicsUpdateAndReturnWhatWas() {
        assertAtomic("add.u32", 10, 5, 15);
        assertAtomic("min.s32", 10, -5, -5);
        assertAtomic("min.u32", 10, -5, 10);
        assertAtomic("max.s32", 10, -5, 10);
        assertAtomic("max.u32", 10, -5, -5);
        assertAtomic("and.b32", 12, 10, 8);
        assertAtomic("or.b32", 12, 10, 14);
        assertAtomic("xor.b32", 12, 10, 6);
        assertAtomic("exch.b32", 12, 10, 10);
        assertAtomic("inc.u32", 3, 7, 4);
        assertAtomic("inc.u32", 7, 7, 0);
        assertAtomic("dec.u32", 0, 7, 7);
        assertAtomic("dec.u32", 9, 7, 7);
        assertAtomic("dec.u32", 5, 7, 4);
        assertAtomic("add.f32", Float.floatToRawIntBits(1.5f), Float.floatToRawIntBits(2),
                Float.floatToRawIntBits(3.5f));
        assertAtomic("add.noftz.f16x2", 0x3c004000, 0x3c003c00, 0x40004200);
    }

    private static void assertAtomic(String operation, int old, int operand, int expected) {
        for (String space : new String[]{"global", "shared"}) {
            String ptx = Ptx.kernel("""
                    .shared .align 4 .u32 place;
                    ld.global.u32 %%r0, [%%in];
                    ld.global.u32 %%r1, [%%in+4];
                    st.shared.u32 [place], %%r0;
                    mov.u64 %%d0, place;
                    cvta.shared.u64 %%d1, %%d0;
                    st.global.u32 [%%out], %%r0;
                    atom.%s.%s %%r2, [%s], %%r1;
                    ld.u32 %%r3, [%s];
                    st.global.v2.u32 [%%out], {%%r2, %%r3};
                    """.formatted(space, operation, space.equals("global") ? "%out" : "place",
                    space.equals("global") ? "%out" : "%d1"));
            try (TestDevice device = new TestDevice()) {
                long out = device.put(0, 0);
                device.load(ptx).launch("probe", 1, 1, out, device.put(old, operand));
                assertArrayEquals(new int[]{old, expected}, device.ints(out, 2), operation + " in " + space);
            }
        }
    }

    @Test
    void everyLaneAndBlockAddsItsPart() {
        String ptx = Ptx.kernel("""
                red.global.add.u32 [%out], %tid;
                mov.f64 %d0, 0d3ff8000000000000;
                red.global.add.f64 [%out+8], %d0;
                mov.u64 %d1, 3;
                atom.global.add.u64 %d2, [%out+16], %d1;
                atom.global.cas.b32 %r0, [%out+24], %tid, 77;
                """);
        try (TestDevice device = new TestDevice()) {
            long out = device.put(0L, 0L, 0L, 40L);
            device.load(ptx).launch("probe", 50, 64, out, 0L);
            assertArrayEquals(new long[]{50 * 64 * 63 / 2, Double.doubleToRawLongBits(1.5 * 3200), 9600, 77},
                    device.longs(out, 4));
        }
    }

    @Test
    void packingTakesPartsInOrder() {
        String ptx = Ptx.kernel("""
                mov.u32 %r0, 0x12345678;
                mov.b32 {%h0, %h1}, %r0;
                mov.b32 %r1, {%h1, %h0};
                mov.b64 %d0, {%r1, %tid};
                mov.b64 {%r2, %r3}, %d0;
                mov.b64 {%h4, %h5, %h6, %h7}, %d0;
                mov.b64 %d1, {%h7, %h6, %h5, %h4};
                shr.u64 %d1, %d1, 32;
                cvt.u32.u64 %r4, %d1;
                xor.b32 %r4, %r4, %r2;
                st.global.u32 [%mine], %r4;
                """);
        // {h5, h4} are 0x5678, 0x1234 swapped once more, and so the original number.
        int[] expected = new int[32];
        Arrays.fill(expected, 0x12345678 ^ 0x56781234);
        assertArrayEquals(expected, Ptx.run(32, ptx));
    }
}
