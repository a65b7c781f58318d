package io.mixt5.kernels.cuda;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;

/**
 * NVIDIA's own compiler from PTX to machine code, as it is in the driver for CUDA 12.0. JCuda's natives have it linked
 * in, so that it runs with no GPU, driver or toolkit.
 */
final class PtxCompiler {
    private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+(\\w+)[^{]*");
    private static final Pattern THREADS = Pattern
            .compile("\\.(?:maxntid|reqntid)\\s+(\\d+)(?:\\s*,\\s*(\\d+))?(?:\\s*,\\s*(\\d+))?");

    /**
     * What the machine code of a kernel needs.
     *
     * @param registers of a thread
     * @param sharedBytes static shared memory of a block
     * @param stackBytes local memory of a thread for arrays that do not fit registers
     * @param spillBytes local memory stored and loaded for want of registers
     * @param threads of the largest block that the PTX allows; 0 when it does not say
     */
    record Resources(String kernel, int registers, int sharedBytes, int stackBytes, int spillBytes, int threads) {
    }

    private PtxCompiler() {
    }

    /** Why the compiler cannot be used here; null when it can. */
    static String unavailable() {
        return JCudaNatives.load("JNvPTXCompiler", () -> JNvPTXCompiler.setExceptionsEnabled(false));
    }

    /** The newest CUDA whose PTX it takes, such as {@code 12.0}. */
    static String version() {
        int[] major = new int[1];
        int[] minor = new int[1];
        check(JNvPTXCompiler.nvPTXCompilerGetVersion(major, minor), "its version");
        return major[0] + "." + minor[0];
    }

    /**
     * Compiles all kernels of a PTX text.
     *
     * @param name for messages
     * @param target such as {@code sm_80}
     * @return what each needs, in the text's order
     * @throws IllegalArgumentException with the compiler's words, when it refuses the text
     */
    static List<Resources> compile(String name, String ptx, String target) {
        // Given something else altogether, the compiler takes the process with it.
        if (!ptx.stripLeading().startsWith(".version")) {
            throw new IllegalArgumentException(name + " does not begin with a .version and is no PTX");
        }
        byte[] source = Arrays.copyOf(ptx.getBytes(StandardCharsets.UTF_8),
                ptx.getBytes(StandardCharsets.UTF_8).length + 1);
        nvPTXCompilerHandle handle = new nvPTXCompilerHandle();
        check(JNvPTXCompiler.nvPTXCompilerCreate(handle, source.length, source), name);
        try {
            int status = JNvPTXCompiler.nvPTXCompilerCompile(handle, 2,
                    new String[]{"--gpu-name=" + target, "--verbose"});
            if (status != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
                throw new IllegalArgumentException(name + " does not compile for " + target + ": " + errors(handle));
            }
            return resources(ptx, information(handle));
        } finally {
            check(JNvPTXCompiler.nvPTXCompilerDestroy(handle), name);
        }
    }

    private static List<Resources> resources(String ptx, String log) {
        List<Resources> resources = new ArrayList<>();
        Matcher entry = ENTRY.matcher(ptx);
        while (entry.find()) {
            String kernel = entry.group(1);
            int start = log.indexOf("Compiling entry function '" + kernel + "'");
            if (start < 0) {
                throw new IllegalStateException("the compiler says nothing of " + kernel + ": " + log);
            }
            int end = log.indexOf("Compiling entry function", start + 1);
            String said = log.substring(start, end < 0 ? log.length() : end);
            int spills = number(said, "(\\d+) bytes spill stores") + number(said, "(\\d+) bytes spill loads");
            resources.add(new Resources(kernel, number(said, "Used (\\d+) registers"),
                    number(said, "(\\d+) bytes smem"), number(said, "(\\d+) bytes stack frame"), spills,
                    threads(entry.group())));
        }
        return resources;
    }

    private static int threads(String head) {
        Matcher threads = THREADS.matcher(head);
        if (!threads.find()) {
            return 0;
        }
        int product = 1;
        for (int i = 1; i <= threads.groupCount(); i++) {
            product *= threads.group(i) == null ? 1 : Integer.parseInt(threads.group(i));
        }
        return product;
    }

    /** The number that the pattern's group catches; 0 when there is none, as the compiler leaves out what is not used. */
    private static int number(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    private static String information(nvPTXCompilerHandle handle) {
        long[] size = new long[1];
        check(JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(handle, size), "its log");
        byte[] log = new byte[Math.toIntExact(size[0]) + 1];
        check(JNvPTXCompiler.nvPTXCompilerGetInfoLog(handle, log), "its log");
        return new String(log, StandardCharsets.UTF_8);
    }

    private static String errors(nvPTXCompilerHandle handle) {
        long[] size = new long[1];
        check(JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(handle, size), "its errors");
        byte[] log = new byte[Math.toIntExact(size[0]) + 1];
        check(JNvPTXCompiler.nvPTXCompilerGetErrorLog(handle, log), "its errors");
        return new String(log, StandardCharsets.UTF_8).replace('\0', ' ').strip();
    }

    private static void check(int status, String about) {
        if (status != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
            throw new IllegalStateException(
                    "NVIDIA's PTX compiler: " + nvPTXCompileResult.stringFor(status) + " for " + about);
        }
    }
}
