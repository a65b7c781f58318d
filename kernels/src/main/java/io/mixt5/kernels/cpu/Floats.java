package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Vectors of float in raw memory. Addresses are absolute and need no alignment. */
final class Floats {
    private Floats() {
    }

    /** A whole vector from {@code address}. */
    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(Lanes.F, Memory.ALL, address, ByteOrder.nativeOrder());
    }

    /** The lanes that {@code mask} selects, the others 0; nothing else is read. */
    static FloatVector load(long address, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(Lanes.F, Memory.ALL, address, ByteOrder.nativeOrder(), mask);
    }

    /** Stores a whole vector. */
    static void store(long address, FloatVector value) {
        value.intoMemorySegment(Memory.ALL, address, ByteOrder.nativeOrder());
    }

    /** Stores the lanes that {@code mask} selects. */
    static void store(long address, FloatVector value, VectorMask<Float> mask) {
        value.intoMemorySegment(Memory.ALL, address, ByteOrder.nativeOrder(), mask);
    }

    /** Stores a whole vector or adds it to what is there. */
    static void put(long address, FloatVector value, boolean accumulate) {
        store(address, accumulate ? value.add(load(address)) : value);
    }

    /** Stores the lanes that {@code mask} selects or adds them to what is there. */
    static void put(long address, FloatVector value, boolean accumulate, VectorMask<Float> mask) {
        store(address, accumulate ? value.add(load(address, mask)) : value, mask);
    }

    /** {@code value} times the vector at {@code factors + 4 i}; itself when {@code factors} is 0. */
    static FloatVector times(FloatVector value, long factors, int i) {
        return factors == 0 ? value : value.mul(load(factors + 4L * i));
    }

    /** Selects the first {@code n} lanes, all of them when there are not so many. */
    static VectorMask<Float> first(int n) {
        return Lanes.F.indexInRange(0, n);
    }

    /** The same value in every lane. */
    static FloatVector all(float value) {
        return FloatVector.broadcast(Lanes.F, value);
    }
}
