package io.mixt5.engine;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Finds a backend's kernels by name: the kernel of op {@code RmsNorm} in the package {@code p} of a backend with prefix
 * {@code Cpu} is the class {@code p.CpuRmsNorm}. Its constructor takes what the table was given for all of them, or
 * nothing. So adding a kernel is adding a file, and no list has to be kept.
 */
public final class KernelTable {
    private final ConcurrentHashMap<Class<?>, Kernel> kernels = new ConcurrentHashMap<>();
    private final Class<?> home;
    private final String prefix;
    private final Object[] arguments;

    /**
     * Kernels that live beside {@code home} and whose names start with {@code prefix}.
     *
     * @param arguments what each kernel's only constructor is called with
     */
    public KernelTable(Class<?> home, String prefix, Object... arguments) {
        this.home = home;
        this.prefix = prefix;
        this.arguments = arguments;
    }

    /**
     * The kernel that implements {@code type}, an op's nested {@code Kernel} interface.
     *
     * @throws UnsupportedOperationException when there is no such class
     * @throws IllegalStateException when there is one that cannot be used, saying why
     */
    public <K extends Kernel> K get(Class<K> type) {
        Kernel kernel = kernels.get(type);
        return type.cast(kernel != null ? kernel : kernels.computeIfAbsent(type, this::load));
    }

    private Kernel load(Class<?> type) {
        String op = type.getEnclosingClass().getSimpleName();
        String name = home.getPackageName() + "." + prefix + op;
        try {
            Class<?> found = Class.forName(name, true, home.getClassLoader());
            if (!type.isAssignableFrom(found)) {
                throw new IllegalStateException("the kernel " + name + " does not implement " + op + ".Kernel");
            }
            return (Kernel) found.getDeclaredConstructor(types()).newInstance(arguments);
        } catch (ClassNotFoundException e) {
            throw new UnsupportedOperationException(
                    "no kernel " + name + " for the op " + op + "; add that class or use another device", e);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException("the constructor of the kernel " + name + " failed: " + e.getCause(),
                    e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(
                    "the kernel " + name + " cannot be made; give it a public constructor"
                            + (arguments.length == 0 ? " without arguments" : " of " + Arrays.toString(types())),
                    e);
        }
    }

    private Class<?>[] types() {
        return Stream.of(arguments).map(Object::getClass).toArray(Class<?>[]::new);
    }
}
