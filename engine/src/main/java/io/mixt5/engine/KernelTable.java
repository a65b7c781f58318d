package io.mixt5.engine;

import java.util.concurrent.ConcurrentHashMap;

/**
 * Finds a backend's kernels by name: the kernel of op {@code RmsNorm} in the package {@code p} of a backend with prefix
 * {@code Cpu} is the class {@code p.CpuRmsNorm} with a constructor without arguments. So adding a kernel is adding a
 * file, and no list has to be kept.
 */
public final class KernelTable {
    private final ConcurrentHashMap<Class<?>, Kernel> kernels = new ConcurrentHashMap<>();
    private final Class<?> home;
    private final String prefix;

    /** Kernels that live beside {@code home} and whose names start with {@code prefix}. */
    public KernelTable(Class<?> home, String prefix) {
        this.home = home;
        this.prefix = prefix;
    }

    /** The kernel that implements {@code type}, an op's nested {@code Kernel} interface. */
    public <K extends Kernel> K get(Class<K> type) {
        Kernel kernel = kernels.get(type);
        return type.cast(kernel != null ? kernel : kernels.computeIfAbsent(type, this::load));
    }

    private Kernel load(Class<?> type) {
        String name = home.getPackageName() + "." + prefix + type.getEnclosingClass().getSimpleName();
        try {
            return (Kernel) Class.forName(name, true, home.getClassLoader()).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new UnsupportedOperationException("no kernel " + name + " for the op "
                    + type.getEnclosingClass().getSimpleName() + "; add that class or use another device", e);
        }
    }
}
