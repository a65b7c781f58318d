package io.mixt5.kernels.emulator;

/** Frames for kernels in tests. */
final class Ptx {
    private static final String HEADER = ".version 7.0\n.target sm_80\n.address_size 64\n";

    private Ptx() {
    }

    /**
     * A module with a kernel {@code probe(u64 out, u64 in)}, which finds them in {@code %out} and {@code %in}, its
     * thread's number in the block in {@code %tid}, and the addresses of its own 4 bytes of both in {@code %mine} and
     * {@code %given}. There are registers %r0 to %r31, %f0 to %f31, %h0 to %h31, %d0 to %d31 and predicates %p0 to %p31.
     */
    static String kernel(String body) {
        return kernel("", body);
    }

    /** The same with variables of the module. */
    static String kernel(String variables, String body) {
        return HEADER + variables + "\n.visible .entry probe(.param .u64 out, .param .u64 in)\n{\n"
                + ".reg .b64 %out, %in, %mine, %given;\n.reg .b32 %tid, %r<32>;\n.reg .f32 %f<32>;\n.reg .b16 %h<32>;\n"
                + ".reg .b64 %d<32>;\n.reg .pred %p<32>;\n"
                + "ld.param.u64 %out, [out];\nld.param.u64 %in, [in];\nmov.u32 %tid, %tid.x;\n"
                + "mul.wide.u32 %d31, %tid, 4;\nadd.s64 %mine, %out, %d31;\nadd.s64 %given, %in, %d31;\n" + body
                + "\nret;\n}\n";
    }

    /** What one block of threads writes to {@code %out}, one int for each thread, given {@code in}. */
    static int[] run(int threads, String ptx, int... in) {
        try (TestDevice device = new TestDevice()) {
            long out = device.put(new int[Math.max(threads, 1)]);
            device.load(ptx).launch("probe", 1, threads, out, device.put(in.length == 0 ? new int[1] : in));
            return device.ints(out, threads);
        }
    }
}
