package io.mixt5.kernels.cuda;

import io.mixt5.ffm.BundledLibrary;
import io.mixt5.ffm.NativeLibraries;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.JCudaVersion;
import jcuda.LibUtils;

/**
 * Loads the native side of JCuda's classes out of its jars.
 *
 * <p>JCuda itself unpacks it under a fixed name into the folder for temporary files, or takes what already lies there,
 * whoever put it there. Here it is unpacked into this user's private cache, and JCuda is told for as long as it loads
 * that this is that folder.
 */
public final class JCudaNatives {
    private static final String TEMPORARY = "java.io.tmpdir";

    /** What came of each library: why not, or null. A class whose library failed to load cannot be tried again. */
    private static final Map<String, String> OUTCOMES = new HashMap<>();

    private JCudaNatives() {
    }

    /**
     * Loads one library; what came of it is in {@link NativeLibraries}.
     *
     * @param library JCuda's name for it, such as {@code JCublas2}
     * @param initialize makes JCuda load it, such as {@code JCublas2::initialize}
     * @return why it cannot be used, as a part of a sentence; null when it can
     */
    static String load(String library, Runnable initialize) {
        return load(library, JCudaVersion.get(), initialize);
    }

    /**
     * As {@link #load(String, Runnable)}, for a library that has another version than JCuda, which looks for it under its
     * own.
     */
    public static synchronized String load(String library, String version, Runnable initialize) {
        if (!OUTCOMES.containsKey(library)) {
            OUTCOMES.put(library, tryToLoad(library, version, initialize));
        }
        return OUTCOMES.get(library);
    }

    private static String file(String library, String version) {
        return System.mapLibraryName(LibUtils.createPlatformLibraryName(library + "-" + version));
    }

    private static String tryToLoad(String library, String version, Runnable initialize) {
        String file = file(library, version);
        try {
            Path unpacked = BundledLibrary.unpack("lib", file, List.of());
            if (unpacked == null) {
                return report(library, file, "JCuda has no " + file + " on the class path, which it has for Linux and "
                        + "Windows on x86-64");
            }
            Path wanted = unpacked.resolveSibling(file(library, JCudaVersion.get()));
            if (!Files.exists(wanted)) {
                Files.createSymbolicLink(wanted, unpacked.getFileName());
            }
            String before = System.setProperty(TEMPORARY, unpacked.getParent().toString());
            try {
                initialize.run();
            } finally {
                System.setProperty(TEMPORARY, before);
            }
            return report(library, unpacked.toString(), null);
        } catch (IOException e) {
            return report(library, file, e.toString());
        } catch (LinkageError e) {
            return report(library, file, cause(e, file));
        }
    }

    private static String report(String library, String location, String failure) {
        NativeLibraries.report(new NativeLibraries.Attempt(library, "jar of JCuda", location, failure == null,
                failure == null ? "JCuda " + JCudaVersion.get() : failure));
        return failure;
    }

    /** The linker's own words, which JCuda puts inside a stack trace inside its message. */
    private static String cause(LinkageError error, String file) {
        String words = String.valueOf(error.getMessage()).lines()
                .filter(line -> line.contains("cannot open shared object") || line.contains("dependent libraries"))
                .reduce((first, last) -> last).orElse(error.toString());
        int place = words.lastIndexOf(file + ": ");
        return place < 0 ? words.strip() : words.substring(place + file.length() + 2).strip();
    }
}
