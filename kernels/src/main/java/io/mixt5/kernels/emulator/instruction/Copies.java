package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Constructor;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A copy of a loop's class for each opcode. HotSpot inlines what a loop calls as long as it always calls the same
 * thing; a class shared by all opcodes calls something else each time, and is some ten times slower.
 */
final class Copies {
    private record Key(Class<?> loop, String opcode) {
    }

    private static final Map<Key, Constructor<?>> COPIES = new ConcurrentHashMap<>();

    private Copies() {
    }

    /**
     * A loop that applies a function.
     *
     * @param loop a class such as those of {@link IntLoops}, with a constructor of the function and the registers
     * @param opcode instructions of the same opcode share a copy
     * @param registers the target first
     */
    static Instruction of(Class<? extends Instruction> loop, String opcode, Object function, int... registers) {
        try {
            return (Instruction) COPIES.computeIfAbsent(new Key(loop, opcode), Copies::copy).newInstance(function,
                    registers);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Constructor<?> copy(Key key) {
        String name = key.loop().getName();
        String file = name.substring(name.lastIndexOf('.') + 1) + ".class";
        try (InputStream in = key.loop().getResourceAsStream(file)) {
            Constructor<?> constructor = MethodHandles.lookup().defineHiddenClass(in.readAllBytes(), true).lookupClass()
                    .getDeclaredConstructors()[0];
            constructor.setAccessible(true);
            return constructor;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
