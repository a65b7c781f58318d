package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The bytes of each of a kernel's parameters, as its PTX declares them: what a driver copies at a launch. */
@SuppressWarnings("restricted")
final class KernelParameters {
    private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+([\\w$]+)\\s*\\(([^)]*)\\)");
    private static final Pattern PARAMETER = Pattern.compile("\\.[busf](\\d+)\\s[^,\\[]*(?:\\[(\\d+)])?");

    private final int[] sizes;

    private KernelParameters(String declarations) {
        sizes = PARAMETER.matcher(declarations).results().mapToInt(parameter -> Integer.parseInt(parameter.group(1)) / 8
                * (parameter.group(2) == null ? 1 : Integer.parseInt(parameter.group(2)))).toArray();
    }

    /** Those of all kernels of a module, by their names. */
    static Map<String, KernelParameters> of(String ptx) {
        Map<String, KernelParameters> kernels = new HashMap<>();
        for (Matcher entry = ENTRY.matcher(ptx); entry.find();) {
            kernels.put(entry.group(1), new KernelParameters(entry.group(2)));
        }
        return kernels;
    }

    /** Copies the values behind an array of addresses, and returns what gives {@code launch} an array of copies' addresses. */
    Runnable copied(long parameters, LongConsumer launch) {
        byte[][] values = new byte[sizes.length][];
        MemorySegment addresses = MemorySegment.ofAddress(parameters).reinterpret((long) Long.BYTES * sizes.length);
        for (int i = 0; i < sizes.length; i++) {
            values[i] = MemorySegment.ofAddress(addresses.getAtIndex(JAVA_LONG, i)).reinterpret(sizes[i])
                    .toArray(ValueLayout.JAVA_BYTE);
        }
        return () -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment copies = arena.allocate(JAVA_LONG, sizes.length + 1L);
                for (int i = 0; i < values.length; i++) {
                    MemorySegment copy = arena.allocate(values[i].length, Long.BYTES);
                    copies.setAtIndex(JAVA_LONG, i, copy.copyFrom(MemorySegment.ofArray(values[i])).address());
                }
                launch.accept(copies.address());
            }
        };
    }
}
