package io.mixt5.ffm;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What became of every attempt to load a native library in this process: where it was looked for, what was found
 * there, and why not. Bindings report here while they load; a diagnostic command prints the list. Any thread may call.
 */
public final class NativeLibraries {
    private static final List<Attempt> ATTEMPTS = new CopyOnWriteArrayList<>();

    /**
     * One place that was tried for one library.
     *
     * @param library the library's plain name, such as {@code OpenBLAS}
     * @param source who named the place, such as {@code environment variable MIXT5_OPENBLAS}
     * @param location the file, resource or soname that was tried
     * @param loaded whether the library in use came from here
     * @param detail what was found (version, core) when loaded, otherwise why this place did not serve
     */
    public record Attempt(String library, String source, String location, boolean loaded, String detail) {
        @Override
        public String toString() {
            return library + (loaded ? " loaded from " : " not loaded from ") + location + " (" + source + "): "
                    + detail;
        }
    }

    private NativeLibraries() {
    }

    /** Every attempt so far, in order; only libraries whose binding has been touched appear. */
    public static List<Attempt> attempts() {
        return List.copyOf(ATTEMPTS);
    }

    /** The attempts for one library, in order; empty when its binding has not been touched. */
    public static List<Attempt> attempts(String library) {
        return ATTEMPTS.stream().filter(attempt -> attempt.library().equals(library)).toList();
    }

    static void report(Attempt attempt) {
        ATTEMPTS.add(attempt);
    }
}
