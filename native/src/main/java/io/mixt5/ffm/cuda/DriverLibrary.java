package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.mixt5.ffm.NativeLibraries;
import io.mixt5.ffm.Platform;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The file with CUDA's driver: looked for once, in the place that system property {@code mixt5.cuda} names, else
 * environment variable {@code MIXT5_CUDA}, else wherever the dynamic linker finds {@code libcuda.so.1}
 * ({@code nvcuda.dll} on Windows). What came of it is in {@link NativeLibraries}.
 */
@SuppressWarnings("restricted")
final class DriverLibrary {
    private final String location;
    /** Null when the library could not be opened. */
    private final SymbolLookup symbols;
    private final String failure;
    private final List<String> missing = new ArrayList<>();

    private DriverLibrary(String location, SymbolLookup symbols, String failure) {
        this.location = location;
        this.symbols = symbols;
        this.failure = failure;
    }

    static DriverLibrary open() {
        String property = System.getProperty("mixt5.cuda");
        if (property != null) {
            return open("system property mixt5.cuda", property);
        }
        String variable = System.getenv("MIXT5_CUDA");
        if (variable != null && !variable.isEmpty()) {
            return open("environment variable MIXT5_CUDA", variable);
        }
        return open("system", Platform.cuda());
    }

    private static DriverLibrary open(String source, String location) {
        try {
            SymbolLookup symbols = NativeLibraries.open(location);
            report(source, location, true, "opened");
            return new DriverLibrary(location, symbols, null);
        } catch (IllegalArgumentException | IllegalCallerException e) {
            report(source, location, false, e.getMessage());
            return new DriverLibrary(location, null, location + " (" + source + "): " + e.getMessage());
        }
    }

    private static void report(String source, String location, boolean loaded, String detail) {
        NativeLibraries.report(new NativeLibraries.Attempt(LibCuda.NAME, source, location, loaded, detail));
    }

    /** The file or soname that was opened. */
    String location() {
        return location;
    }

    /** Why the library cannot be used at all, as a sentence; null when it was opened and has every function. */
    String unusable() {
        if (symbols == null) {
            return "CUDA's driver cannot be opened, " + failure
                    + "; install NVIDIA's driver (525 or newer; a container "
                    + "has to be started with it), or name its library by system property mixt5.cuda or environment "
                    + "variable MIXT5_CUDA";
        }
        return missing.isEmpty()
                ? null
                : "CUDA's driver in " + location + " has no function " + missing.getFirst()
                        + ": it is too old, install NVIDIA's driver 525 or newer";
    }

    /** A function that returns a CUresult; null when there is none of that name. */
    MethodHandle bind(String name, MemoryLayout... arguments) {
        if (symbols == null) {
            return null;
        }
        Optional<MemorySegment> address = symbols.find(name);
        if (address.isEmpty()) {
            missing.add(name);
            return null;
        }
        return Linker.nativeLinker().downcallHandle(address.get(), FunctionDescriptor.of(JAVA_INT, arguments));
    }
}
