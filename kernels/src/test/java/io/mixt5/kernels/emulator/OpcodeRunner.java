package io.mixt5.kernels.emulator;

import java.util.ArrayList;
import java.util.List;

/**
 * Executes single instructions on many operands: one thread for each. An instruction names its operands d (the result),
 * a, b, c and e, as in {@code add.s32 %d, %a, %b;}.
 */
final class OpcodeRunner {
    private static final String NAMES = "dabce";
    private static final int THREADS = 64;

    private OpcodeRunner() {
    }

    /**
     * The results, extended by zeros; 1 and 0 for a predicate.
     *
     * @param types of d, a, b, ... as registers have them: {@code pred}, {@code b16}, {@code b32}, {@code b64}
     * @param operands values of a, b, ..., each with as many as there are threads
     */
    static long[] run(String instruction, String types, long[]... operands) {
        String[] type = types.split(" ");
        int count = operands.length == 0 ? THREADS : operands[0].length;
        try (TestDevice device = new TestDevice()) {
            List<Object> arguments = new ArrayList<>();
            long results = device.put(new long[count]);
            arguments.add(results);
            for (long[] values : operands) {
                arguments.add(device.put(values));
            }
            arguments.add(count);
            device.load(module(instruction, type));
            device.launch("probe", (count + THREADS - 1) / THREADS, THREADS, arguments.toArray());
            return device.longs(results, count);
        }
    }

    private static String module(String instruction, String[] type) {
        StringBuilder ptx = new StringBuilder(".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry probe(");
        for (int i = 0; i < type.length; i++) {
            ptx.append(".param .u64 p").append(i).append(", ");
        }
        ptx.append(".param .u32 count) {\n.reg .b32 %t<8>;\n.reg .b64 %at<8>;\n.reg .pred %outside;\n");
        for (int i = 0; i < type.length; i++) {
            ptx.append(".reg .").append(type[i]).append(" %").append(NAMES.charAt(i)).append(";\n");
        }
        ptx.append("mov.u32 %t0, %ctaid.x;\nmov.u32 %t1, %ntid.x;\nmov.u32 %t2, %tid.x;\n"
                + "mad.lo.s32 %t0, %t0, %t1, %t2;\nld.param.u32 %t1, [count];\nsetp.ge.u32 %outside, %t0, %t1;\n"
                + "@%outside ret;\nmul.wide.u32 %at7, %t0, 8;\n");
        for (int i = 0; i < type.length; i++) {
            ptx.append("ld.param.u64 %at").append(i).append(", [p").append(i).append("];\nadd.s64 %at").append(i)
                    .append(", %at").append(i).append(", %at7;\n");
            if (i > 0) {
                load(ptx, type[i], i);
            }
        }
        ptx.append(instruction).append('\n');
        if (type[0].equals("pred")) {
            ptx.append("selp.b32 %t3, 1, 0, %d;\nst.global.b32 [%at0], %t3;\n");
        } else {
            ptx.append("st.global.").append(type[0]).append(" [%at0], %d;\n");
        }
        return ptx.append("ret;\n}\n").toString();
    }

    private static void load(StringBuilder ptx, String type, int i) {
        char name = NAMES.charAt(i);
        if (type.equals("pred")) {
            ptx.append("ld.global.b32 %t3, [%at").append(i).append("];\nsetp.ne.s32 %").append(name)
                    .append(", %t3, 0;\n");
        } else {
            ptx.append("ld.global.").append(type).append(" %").append(name).append(", [%at").append(i).append("];\n");
        }
    }
}
