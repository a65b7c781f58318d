package io.mixt5.kernels.emulator;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** An emulated device as tests use it: arrays go there and come back, kernels are launched by name. */
final class TestDevice implements AutoCloseable {
    private final Emulator emulator;
    private final Arena arena = Arena.ofConfined();
    private long module;

    TestDevice() {
        this(EmulatorSettings.DEFAULT);
    }

    TestDevice(EmulatorSettings settings) {
        emulator = new Emulator(settings);
        emulator.makeCurrent(emulator.retainPrimaryContext(0));
    }

    Emulator emulator() {
        return emulator;
    }

    /** Loads PTX, from whose kernels {@link #launch} chooses. */
    TestDevice load(String ptx) {
        module = emulator.loadModule(arena.allocateFrom(ptx), "test.ptx");
        return this;
    }

    /** Allocates memory that was never written. */
    long allocate(long bytes) {
        return emulator.allocate(bytes);
    }

    long put(int... values) {
        return upload(arena.allocateFrom(ValueLayout.JAVA_INT, values));
    }

    long put(long... values) {
        return upload(arena.allocateFrom(ValueLayout.JAVA_LONG, values));
    }

    long put(float... values) {
        return upload(arena.allocateFrom(ValueLayout.JAVA_FLOAT, values));
    }

    private long upload(MemorySegment values) {
        long address = emulator.allocate(values.byteSize());
        emulator.upload(values.address(), address, values.byteSize(), 0);
        return address;
    }

    int[] ints(long address, int count) {
        return download(address, 4L * count).toArray(ValueLayout.JAVA_INT);
    }

    long[] longs(long address, int count) {
        return download(address, 8L * count).toArray(ValueLayout.JAVA_LONG);
    }

    float[] floats(long address, int count) {
        return download(address, 4L * count).toArray(ValueLayout.JAVA_FLOAT);
    }

    private MemorySegment download(long address, long bytes) {
        MemorySegment values = arena.allocate(bytes, 8);
        emulator.download(address, values.address(), bytes, 0);
        emulator.synchronize(0);
        return values;
    }

    /** Launches a kernel of the loaded module on one-dimensional grids and blocks. */
    void launch(String kernel, int blocks, int threads, Object... arguments) {
        launch(kernel, new int[]{blocks, 1, 1}, new int[]{threads, 1, 1}, 0, arguments);
    }

    /**
     * Launches a kernel of the loaded module.
     *
     * @param arguments an Integer, Long, Float, Double or byte[] for each parameter
     */
    void launch(String kernel, int[] blocks, int[] threads, int sharedBytes, Object... arguments) {
        MemorySegment values = arena.allocate(ValueLayout.JAVA_LONG, arguments.length);
        for (int i = 0; i < arguments.length; i++) {
            MemorySegment value = switch (arguments[i]) {
                case Integer number -> arena.allocateFrom(ValueLayout.JAVA_INT, number);
                case Long number -> arena.allocateFrom(ValueLayout.JAVA_LONG, number);
                case Float number -> arena.allocateFrom(ValueLayout.JAVA_FLOAT, number);
                case Double number -> arena.allocateFrom(ValueLayout.JAVA_DOUBLE, number);
                case byte[] bytes -> arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
                default -> throw new IllegalArgumentException(Arrays.toString(arguments));
            };
            values.setAtIndex(ValueLayout.JAVA_LONG, i, value.address());
        }
        emulator.launch(emulator.function(module, kernel), kernel, blocks[0], blocks[1], blocks[2], threads[0],
                threads[1], threads[2], sharedBytes, 0, values.address());
    }

    @Override
    public void close() {
        arena.close();
    }
}
