package io.mixt5.kernels.emulator.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PtxParserTest {
    private static final String HEADER = ".version 7.8\n.target sm_90a, debug\n.address_size 64\n";

    private static PtxModule parse(String text) {
        return PtxParser.parse("file.ptx", HEADER + text);
    }

    private static List<PtxStatement> body(String text) {
        return parse(".visible .entry k()\n{\n" + text + "\n}").functions().get("k").body().statements();
    }

    @Test
    void readsTheHeader() {
        PtxModule module = parse("// nothing else\n/* nor\nhere */");
        assertEquals(78, module.version());
        assertEquals(90, module.target());
        assertEquals("file.ptx", module.name());
    }

    @Test
    void readsVariables() {
        Map<String, PtxVariable> variables = parse("""
                .const .align 4 .b8 table[8] = {0, 0, 128, 63, 255};
                .visible .global .align 8 .u64 pointers[2] = {generic(table), table+4};
                .global .f32 pi = 0f40490FDB;
                .global .s32 grid[2][2] = {{1, -2}, {3, 4}};
                .extern .shared .align 16 .b8 dynamic[];
                .shared .v4 .f32 quad;
                """).variables();
        assertArrayEquals(new byte[]{0, 0, (byte) 128, 63, (byte) 255}, variables.get("table").initial());
        assertEquals(8, variables.get("table").bytes());
        assertEquals(new PtxVariable.Reference("table", 4), variables.get("pointers").references().get(8));
        assertEquals(new PtxVariable.Reference("table", 0), variables.get("pointers").references().get(0));
        assertArrayEquals(new byte[]{(byte) 0xdb, 0x0f, 0x49, 0x40}, variables.get("pi").initial());
        assertArrayEquals(new byte[]{1, 0, 0, 0, -2, -1, -1, -1, 3, 0, 0, 0, 4, 0, 0, 0},
                variables.get("grid").initial());
        assertEquals(0, variables.get("dynamic").bytes());
        assertEquals("shared", variables.get("dynamic").space());
        assertEquals(16, variables.get("quad").bytes());
        assertEquals(16, variables.get("quad").align());
    }

    @Test
    void readsFunctions() {
        Map<String, PtxFunction> functions = parse("""
                .func (.param .b32 result) helper(.param .b64 a, .param .align 8 .b8 b[24]);
                .visible .entry kernel(
                    .param .u64 .ptr .global .align 16 p,
                    .param .u8 q
                )
                .maxntid 256, 1, 1
                .minnctapersm 2
                {
                ret;
                }
                .func (.param .b32 result) helper(.param .b64 a, .param .align 8 .b8 b[24])
                {
                ret;
                }
                """).functions();
        PtxFunction kernel = functions.get("kernel");
        assertTrue(kernel.entry());
        assertEquals(List.of(8, 1), kernel.parameters().stream().map(PtxVariable::bytes).toList());
        PtxFunction helper = functions.get("helper");
        assertFalse(helper.entry());
        assertEquals(1, helper.returned().size());
        assertEquals(24, helper.parameters().get(1).bytes());
        assertEquals(1, helper.body().statements().size());
    }

    @Test
    void readsStatements() {
        List<PtxStatement> statements = body("""
                .reg .pred %p<3>;
                .reg.b32 %a, %b;
                .loc 1 2 3
                .pragma "nounroll";
                $L__BB0_1:
                @!%p1 bra $L__BB0_1;
                { add.s32 %a, %b, -5; }
                T: .branchtargets A, B;
                """);
        assertEquals(new PtxStatement.Registers(6, "pred", "%p", 3), statements.get(0));
        assertEquals(new PtxStatement.Registers(7, "b32", "%b", -1), statements.get(2));
        assertEquals(new PtxStatement.Label(10, "$L__BB0_1"), statements.get(3));
        PtxStatement.Instruction branch = (PtxStatement.Instruction) statements.get(4);
        assertEquals("%p1", branch.guard());
        assertTrue(branch.negated());
        PtxStatement.Scope scope = (PtxStatement.Scope) statements.get(5);
        PtxStatement.Instruction add = (PtxStatement.Instruction) scope.statements().get(0);
        assertEquals("add.s32", add.opcode());
        assertNull(add.guard());
        assertEquals(12, add.line());
        assertEquals(new PtxOperand.Immediate(-5, PtxOperand.Immediate.Form.INTEGER), add.operands().get(2));
        assertEquals(new PtxStatement.Targets(13, "T", List.of("A", "B")), statements.get(6));
    }

    private static PtxOperand operand(String text) {
        return ((PtxStatement.Instruction) body("op " + text + ";").get(0)).operands().get(0);
    }

    @Test
    void readsOperands() {
        PtxOperand.Name r = new PtxOperand.Name("%r1");
        assertEquals(r, operand("%r1"));
        assertEquals(new PtxOperand.Name("%tid.x"), operand("%tid.x"));
        assertEquals(new PtxOperand.Immediate(0x3f800000L, PtxOperand.Immediate.Form.FLOAT), operand("0f3F800000"));
        assertEquals(new PtxOperand.Immediate(0x3ff0000000000000L, PtxOperand.Immediate.Form.DOUBLE),
                operand("0d3FF0000000000000"));
        assertEquals(new PtxOperand.Immediate(255, PtxOperand.Immediate.Form.INTEGER), operand("0xFF"));
        assertEquals(new PtxOperand.Immediate(-1, PtxOperand.Immediate.Form.INTEGER), operand("18446744073709551615U"));
        assertEquals(new PtxOperand.Address(r, 0), operand("[%r1]"));
        assertEquals(new PtxOperand.Address(r, -8), operand("[%r1+-8]"));
        assertEquals(new PtxOperand.Address(r, -8), operand("[%r1-8]"));
        assertEquals(new PtxOperand.Address(new PtxOperand.Name("x"), 4), operand("[x+4]"));
        assertEquals(new PtxOperand.Address(null, 16), operand("[16]"));
        assertEquals(new PtxOperand.Vector(List.of(r, new PtxOperand.Immediate(1, PtxOperand.Immediate.Form.INTEGER))),
                operand("{%r1, 1}"));
        assertEquals(new PtxOperand.Pair(r, new PtxOperand.Name("%p1")), operand("%r1|%p1"));
        assertEquals(new PtxOperand.Not(new PtxOperand.Name("%p1")), operand("!%p1"));
    }

    @Test
    void readsModifiersWithColons() {
        PtxStatement.Instruction load = (PtxStatement.Instruction) body("ld.global.L2::128B.u32 %r, [%a];").get(0);
        assertEquals("ld.global.L2::128B.u32", load.opcode());
    }

    @ParameterizedTest
    @ValueSource(strings = {".visible .entry k()\n{\nadd.s32 %a %b;\n}", ".visible .entry k()\n{\nret;", ".entry k(",
            ".wrong\n", ".visible .entry k()\n{\n.unknown;\n}", ".global .x y;", "\"open", "/* open"})
    void tellsWhereItIsWrong(String text) {
        PtxException failure = assertThrows(PtxException.class, () -> parse(text));
        assertTrue(failure.getMessage().matches("file.ptx, PTX line [4-7]: .*"), failure.getMessage());
    }

    @Test
    void aHeaderIsNeeded() {
        assertThrows(PtxException.class, () -> PtxParser.parse("file.ptx", "// empty"));
        assertThrows(PtxException.class,
                () -> PtxParser.parse("file.ptx", ".version 6.5\n.target sm_75\n.address_size 32"));
    }
}
