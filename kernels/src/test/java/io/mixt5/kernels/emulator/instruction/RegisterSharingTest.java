package io.mixt5.kernels.emulator.instruction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.kernels.emulator.ptx.PtxFunction;
import io.mixt5.kernels.emulator.ptx.PtxParser;
import io.mixt5.kernels.emulator.ptx.PtxStatement;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which registers may share a place. */
class RegisterSharingTest {
    private final RegisterFile file = new RegisterFile();
    private PtxFunction kernel;

    private Map<String, Register> places(String body) {
        kernel = PtxParser.parse("k.ptx", ".version 7.0\n.target sm_80\n.visible .entry k()\n{\n.reg .b32 %r<100>;\n"
                + ".reg .b64 %d<9>;\n.reg .pred %p<9>;\n" + body + "\n}").functions().get("k");
        return new RegisterSharing(kernel, file).of(kernel.body());
    }

    private static void assertShared(Map<String, Register> places, String a, String b) {
        assertEquals(places.get(a), places.get(b));
    }

    private static void assertApart(Map<String, Register> places, String a, String b) {
        assertNotEquals(places.get(a), places.get(b));
    }

    @Test
    void aChainNeedsTwoPlaces() {
        StringBuilder body = new StringBuilder("mov.u32 %r0, 1;\n");
        for (int i = 1; i < 100; i++) {
            body.append("add.s32 %r").append(i).append(", %r").append(i - 1).append(", 1;\n");
        }
        places(body.toString());
        assertEquals(2, file.ints());
    }

    @Test
    void kindsHaveTheirOwnPlaces() {
        Map<String, Register> places = places("mov.u32 %r0, 1;\nmov.u64 %d0, 2;\nsetp.eq.s32 %p0, %r0, 0;\n"
                + "@%p0 st.global.u32 [%d0], %r0;");
        assertEquals(Register.Kind.LONG, places.get("%d0").kind());
        assertEquals(Register.Kind.PREDICATE, places.get("%p0").kind());
        // Predicate 0 is the constant true.
        assertTrue(places.get("%p0").index() > 0);
        assertEquals(32, places.get("%r0").bits());
    }

    @Test
    void whatIsReadBehindALoopOutlivesIt() {
        Map<String, Register> places = places("""
                mov.u32 %r0, 1;
                mov.u32 %r1, 2;
                LOOP:
                add.s32 %r2, %r1, 1;
                setp.lt.s32 %p0, %r2, 5;
                @%p0 bra LOOP;
                add.s32 %r3, %r0, 1;
                add.s32 %r4, %r3, 1;
                """);
        assertApart(places, "%r0", "%r2");
        assertApart(places, "%r1", "%r2");
        assertShared(places, "%r0", "%r4");
    }

    /** %r1 is read at the loop's start: each round needs it until its end, though it is not read there. */
    @Test
    void whatTheNextRoundReadsLivesToTheLoopsEnd() {
        Map<String, Register> places = places("""
                mov.u32 %r1, 2;
                LOOP:
                add.s32 %r2, %r1, 1;
                mov.u32 %r3, 7;
                setp.lt.s32 %p0, %r3, %r2;
                @%p0 bra LOOP;
                """);
        assertApart(places, "%r1", "%r3");
    }

    /** Lanes that do not write keep what they have. */
    @Test
    void aGuardedWriteKeepsTheOldValue() {
        Map<String, Register> places = places("""
                mov.u32 %r0, 1;
                setp.eq.s32 %p0, %r0, 0;
                mov.u32 %r1, 5;
                mov.u32 %r2, 6;
                @%p0 mov.u32 %r1, 7;
                st.global.u32 [%d0], %r1;
                """);
        assertApart(places, "%r1", "%r2");
    }

    /** Lanes take both ways of a branch at once, but no lane needs the registers of both. */
    @Test
    void bothWaysOfABranchMayShare() {
        Map<String, Register> places = places("""
                setp.eq.s32 %p0, %r0, 0;
                @%p0 bra ELSE;
                mov.u32 %r1, 1;
                st.global.u32 [%d0], %r1;
                bra.uni END;
                ELSE:
                mov.u32 %r2, 1;
                st.global.u32 [%d0], %r2;
                END:
                ret;
                """);
        assertShared(places, "%r1", "%r2");
    }

    @Test
    void tablesOfTargetsAreFollowed() {
        Map<String, Register> places = places("""
                mov.u32 %r1, 1;
                T: .branchtargets A, B;
                brx.idx %r0, T;
                B:
                mov.u32 %r2, 1;
                st.global.u32 [%d0], %r2;
                ret;
                A:
                st.global.u32 [%d0], %r1;
                """);
        assertApart(places, "%r1", "%r2");
    }

    @Test
    void namesBelongToTheirScope() {
        places("mov.u32 %r0, 1;\n{ .reg .b32 %r0;\nmov.u32 %r0, 2;\nst.global.u32 [%d0], %r0; }\n"
                + "st.global.u32 [%d0], %r0;");
        PtxStatement.Scope inner = (PtxStatement.Scope) kernel.body().statements().get(4);
        RegisterSharing sharing = new RegisterSharing(kernel, new RegisterFile());
        assertApart(Map.of("outer", sharing.of(kernel.body()).get("%r0"), "inner", sharing.of(inner).get("%r0")),
                "outer",
                "inner");
    }
}
