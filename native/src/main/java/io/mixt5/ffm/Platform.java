package io.mixt5.ffm;

import java.util.Locale;

/** Names that differ between operating systems and processors. */
public final class Platform {
    private Platform() {
    }

    /** The classifier that the org.bytedeco jars use, such as {@code linux-x86_64}. */
    static String name() {
        String arch = System.getProperty("os.arch");
        return os() + "-" + switch (arch) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64" -> "arm64";
            default -> arch;
        };
    }

    /** OpenBLAS's file name, under which the dynamic linker finds an installed one. */
    static String openBlas() {
        return switch (os()) {
            case "macosx" -> "libopenblas.dylib";
            case "windows" -> "libopenblas.dll";
            default -> "libopenblas.so.0";
        };
    }

    /** The file name of CUDA's driver, under which the dynamic linker finds an installed one. */
    public static String cuda() {
        return os().equals("windows") ? "nvcuda.dll" : "libcuda.so.1";
    }

    private static String os() {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (name.startsWith("mac")) {
            return "macosx";
        }
        return name.startsWith("windows") ? "windows" : "linux";
    }
}
