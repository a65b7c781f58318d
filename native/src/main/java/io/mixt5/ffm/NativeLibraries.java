package io.mixt5.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
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

    /** Adds an attempt; for bindings, once they know whether the place serves. */
    public static void report(Attempt attempt) {
        ATTEMPTS.add(attempt);
    }

    /**
     * Opens a library for the rest of the process.
     *
     * @param location a file (when it names one), or a soname that the dynamic linker resolves
     * @throws IllegalArgumentException saying why, when it cannot be opened
     */
    @SuppressWarnings("restricted")
    public static SymbolLookup open(String location) {
        if (!location.contains("/") && !location.contains("\\")) {
            return SymbolLookup.libraryLookup(location, Arena.global());
        }
        Path file = Path.of(location);
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("no such file");
        }
        return SymbolLookup.libraryLookup(file, Arena.global());
    }
}
