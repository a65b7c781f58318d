package io.mixt5.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;

/**
 * OpenBLAS, bound with the foreign function interface.
 *
 * <p>The library is looked for once, when this class is first used, in this order:
 * <ol>
 * <li>the file named by system property {@code mixt5.openblas}, else by environment variable {@code MIXT5_OPENBLAS};
 * <li>the native inside the {@code org.bytedeco:openblas} jar of this platform, when that is on the class path;
 * <li>the system's own, by its soname ({@code libopenblas.so.0} on Linux).
 * </ol>
 * Every try is in {@link NativeLibraries}. OpenBLAS is told to use one thread, since callers bring their own: any
 * number of threads may call {@link #sgemm} at once. Its environment variables are left as the user set them.
 */
@SuppressWarnings("restricted")
public final class OpenBlas {
    /** The name under which {@link NativeLibraries} lists the attempts. */
    public static final String NAME = "OpenBLAS";

    /** What the native in the Linux jars wants beside it: the run time of the Fortran it was compiled with. */
    private static final List<String> COMPANIONS = List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5");

    private static final int ROW_MAJOR = 101;
    private static final int NO_TRANS = 111;
    private static final int TRANS = 112;

    /** sgemm holds its thread for milliseconds, so this is a plain downcall and not a critical one. */
    private static final MethodHandle SGEMM;
    private static final String CONFIG;
    private static final String CORE;
    private static final int PARALLEL;

    static {
        Binding binding = load();
        SGEMM = binding == null ? null : binding.sgemm;
        CONFIG = binding == null ? "" : binding.config;
        CORE = binding == null ? "" : binding.core;
        PARALLEL = binding == null ? -1 : binding.parallel;
    }

    private OpenBlas() {
    }

    /** Whether OpenBLAS loaded; when false, {@link #sgemm} must not be called. */
    public static boolean available() {
        return SGEMM != null;
    }

    /** OpenBLAS's own description: version, build options, core; empty when it did not load or does not say. */
    public static String config() {
        return CONFIG;
    }

    /** The processor whose kernels are in use, such as {@code Haswell} or {@code SkylakeX}; empty when unknown. */
    public static String coreName() {
        return CORE;
    }

    /** How the build does threads: 0 not at all, 1 pthreads, 2 OpenMP; -1 when unknown. */
    public static int parallel() {
        return PARALLEL;
    }

    /**
     * C = alpha op(A) op(B) + beta C in single precision, row-major; op transposes where the flag says so. Arguments
     * are those of {@code cblas_sgemm} and are not checked here; m, n and k must not be negative and C is not read
     * when beta is 0.
     *
     * @param a address of A: m x k, or k x m when transposed, rows {@code lda} floats apart
     * @param b address of B: k x n, or n x k when transposed, rows {@code ldb} floats apart
     * @param c address of C: m x n, rows {@code ldc} floats apart
     */
    public static void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda,
            long b, int ldb, float beta, long c, int ldc) {
        try {
            SGEMM.invokeExact(ROW_MAJOR, transA ? TRANS : NO_TRANS, transB ? TRANS : NO_TRANS, m, n, k, alpha, a, lda,
                    b, ldb, beta, c, ldc);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a downcall throws nothing checked", e);
        }
    }

    private static Binding load() {
        String property = System.getProperty("mixt5.openblas");
        if (property != null) {
            return open("system property mixt5.openblas", property);
        }
        String variable = System.getenv("MIXT5_OPENBLAS");
        if (variable != null && !variable.isEmpty()) {
            return open("environment variable MIXT5_OPENBLAS", variable);
        }
        Binding bundled = loadBundled();
        return bundled != null ? bundled : open("system", Platform.openBlas());
    }

    private static Binding loadBundled() {
        String source = "jar org.bytedeco:openblas";
        String folder = "org/bytedeco/openblas/" + Platform.name();
        String file = Platform.openBlas();
        try {
            Path unpacked = BundledLibrary.unpack(folder, file, COMPANIONS);
            if (unpacked != null) {
                return open(source, unpacked.toString());
            }
            failed(source, folder + "/" + file, "no such resource on the class path");
        } catch (IOException e) {
            failed(source, folder + "/" + file, e.toString());
        }
        return null;
    }

    /** Opens a file (when it names one) or a soname that the dynamic linker resolves; null when it does not serve. */
    private static Binding open(String source, String location) {
        try {
            Binding binding = new Binding(NativeLibraries.open(location));
            String detail = binding.config.isEmpty() ? "no version given" : binding.config;
            NativeLibraries.report(new NativeLibraries.Attempt(NAME, source, location, true, detail));
            return binding;
        } catch (IllegalArgumentException | IllegalCallerException e) {
            failed(source, location, e.getMessage());
            return null;
        }
    }

    private static void failed(String source, String location, String reason) {
        NativeLibraries.report(new NativeLibraries.Attempt(NAME, source, location, false, reason));
    }

    /** The functions of one opened library; refuses one that lacks sgemm. */
    private static final class Binding {
        final MethodHandle sgemm;
        final String config;
        final String core;
        final int parallel;

        Binding(SymbolLookup library) {
            MemorySegment address = library.find("cblas_sgemm").orElseThrow(
                    () -> new IllegalArgumentException("the library has no function cblas_sgemm"));
            sgemm = Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT,
                    JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_FLOAT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT,
                    JAVA_FLOAT, JAVA_LONG, JAVA_INT));
            config = text(library, "openblas_get_config");
            core = text(library, "openblas_get_corename");
            MethodHandle getParallel = find(library, "openblas_get_parallel", FunctionDescriptor.of(JAVA_INT));
            MethodHandle setThreads = find(library, "openblas_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT));
            try {
                parallel = getParallel == null ? -1 : (int) getParallel.invokeExact();
                if (setThreads != null) {
                    setThreads.invokeExact(1);
                }
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("a downcall throws nothing checked", e);
            }
        }

        private static String text(SymbolLookup library, String function) {
            MemoryLayout chars = MemoryLayout.sequenceLayout(Long.MAX_VALUE, JAVA_BYTE);
            MethodHandle handle = find(library, function, FunctionDescriptor.of(ADDRESS.withTargetLayout(chars)));
            if (handle == null) {
                return "";
            }
            try {
                return ((MemorySegment) handle.invokeExact()).getString(0).strip();
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("a downcall throws nothing checked", e);
            }
        }

        private static MethodHandle find(SymbolLookup library, String function, FunctionDescriptor descriptor) {
            return library.find(function)
                    .map(address -> Linker.nativeLinker().downcallHandle(address, descriptor))
                    .orElse(null);
        }
    }
}
