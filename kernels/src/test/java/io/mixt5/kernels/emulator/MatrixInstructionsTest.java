package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.ffm.cuda.CudaException;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** ldmatrix, mma and cp.async as kernels use them together. */
class MatrixInstructionsTest {
    /**
     * Multiplies 16 x 16 by 16 x 8, both row by row in shared memory, where a cp.async puts them: A comes out of
     * ldmatrix as it is, B transposed, as mma wants its columns.
     */
    @Test
    void aWarpMultipliesMatrices() {
        String ptx = Ptx.kernel("""
                .shared .align 16 .b8 a[512];
                .shared .align 16 .b8 b[256];
                mov.u32 %r0, a;
                mov.u32 %r1, b;
                mul.lo.s32 %r2, %tid, 16;
                cvt.u64.u32 %d0, %r2;
                add.s64 %d1, %in, %d0;
                add.s32 %r3, %r0, %r2;
                cp.async.cg.shared.global [%r3], [%d1], 16;
                setp.ge.u32 %p0, %tid, 16;
                @%p0 bra COPIED;
                add.s32 %r4, %r1, %r2;
                cp.async.ca.shared.global [%r4], [%d1+512], 16;
                COPIED:
                cp.async.commit_group;
                cp.async.wait_group 0;
                bar.sync 0;
                and.b32 %r5, %tid, 15;
                shr.u32 %r6, %tid, 4;
                mul.lo.s32 %r7, %r5, 32;
                mad.lo.s32 %r7, %r6, 16, %r7;
                add.s32 %r7, %r7, %r0;
                ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%r7];
                mad.lo.s32 %r8, %r5, 16, %r1;
                ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r14, %r15}, [%r8];
                mov.f32 %f0, 0f3F800000;
                mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f4, %f5, %f6, %f7}, {%r10, %r11, %r12, %r13},
                    {%r14, %r15}, {%f0, %f0, %f0, %f0};
                shr.u32 %r16, %tid, 2;
                and.b32 %r17, %tid, 3;
                mul.lo.s32 %r18, %r16, 32;
                mad.lo.s32 %r18, %r17, 8, %r18;
                cvt.u64.u32 %d2, %r18;
                add.s64 %d2, %d2, %out;
                st.global.v2.f32 [%d2], {%f4, %f5};
                st.global.v2.f32 [%d2+256], {%f6, %f7};
                """);
        Random random = new Random(5);
        int[] in = new int[192];
        float[] a = new float[256];
        float[] b = new float[128];
        for (int i = 0; i < 384; i++) {
            float value = random.nextInt(-8, 9);
            in[i / 2] |= (Float.floatToFloat16(value) & 0xffff) << i % 2 * 16;
            if (i < 256) {
                a[i] = value;
            } else {
                b[i - 256] = value;
            }
        }
        float[] expected = new float[128];
        for (int row = 0; row < 16; row++) {
            for (int column = 0; column < 8; column++) {
                float sum = 1;
                for (int k = 0; k < 16; k++) {
                    sum += a[row * 16 + k] * b[k * 8 + column];
                }
                expected[row * 8 + column] = sum;
            }
        }
        try (TestDevice device = new TestDevice()) {
            long out = device.put(new float[128]);
            device.load(ptx).launch("probe", 1, 32, out, device.put(in));
            assertArrayEquals(expected, device.floats(out, 128));
        }
    }

    @Test
    void aProductNeedsAFullWarp() {
        String ptx = Ptx.kernel("""
                mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16 {%r0, %r1}, {%r2, %r3}, {%r4}, {%r0, %r1};
                """);
        CudaException failure = assertThrows(CudaException.class, () -> Ptx.run(31, ptx));
        assertTrue(failure.getMessage().contains("exited"), failure.getMessage());
    }

    /** Bytes arrive at the wait, not before; of three groups all but the latest one do; what is not read is zero. */
    @Test
    void copiesArriveAtTheWait() {
        String ptx = Ptx.kernel("""
                .shared .align 16 .b8 s[64];
                mov.u32 %r0, s;
                mov.u32 %r1, 5;
                st.shared.u32 [%r0], %r1;
                st.shared.u32 [%r0+16], %r1;
                st.shared.u32 [%r0+32], %r1;
                cp.async.ca.shared.global [%r0], [%in], 4;
                cp.async.commit_group;
                mov.u32 %r9, 4;
                cp.async.ca.shared.global [%r0+16], [%in], 8, %r9;
                cp.async.commit_group;
                cp.async.ca.shared.global [%r0+32], [%in+8], 4;
                cp.async.commit_group;
                ld.shared.u32 %r2, [%r0];
                cp.async.wait_group 1;
                ld.shared.u32 %r3, [%r0];
                ld.shared.v2.u32 {%r4, %r5}, [%r0+16];
                ld.shared.u32 %r6, [%r0+32];
                cp.async.wait_all;
                ld.shared.u32 %r7, [%r0+32];
                st.global.v4.u32 [%out], {%r2, %r3, %r4, %r5};
                st.global.v2.u32 [%out+16], {%r6, %r7};
                """);
        try (TestDevice device = new TestDevice()) {
            long out = device.put(new int[6]);
            device.load(ptx).launch("probe", 1, 1, out, device.put(100, 200, 300));
            assertArrayEquals(new int[]{5, 100, 100, 0, 5, 300}, device.ints(out, 6));
        }
    }

    @Test
    void copiesAreChecked() {
        CudaException failure = assertThrows(CudaException.class, () -> Ptx.run(1, Ptx.kernel("""
                .shared .align 16 .b8 s[16];
                mov.u32 %r0, s;
                cp.async.cg.shared.global [%r0], [%in], 16;
                """)));
        assertEquals(CudaException.ILLEGAL_ADDRESS, failure.status());
        assertTrue(failure.getMessage().contains("copies 16 bytes"), failure.getMessage());
    }
}
