package io.mixt5.ffm.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** How numbers lie in device memory: the cudaDataType values that products are done in. */
enum ElementType {
    /** CUDA_R_32F. */
    FLOAT(0, Float.BYTES) {
        @Override
        float get(MemorySegment memory, long index) {
            return memory.getAtIndex(ValueLayout.JAVA_FLOAT, index);
        }

        @Override
        void set(MemorySegment memory, long index, float value) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
        }
    },
    /** CUDA_R_16F: IEEE's binary16. */
    HALF(2, Short.BYTES) {
        @Override
        float get(MemorySegment memory, long index) {
            return Float.float16ToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, index));
        }

        @Override
        void set(MemorySegment memory, long index, float value) {
            memory.setAtIndex(ValueLayout.JAVA_SHORT, index, Float.floatToFloat16(value));
        }
    },
    /** CUDA_R_16BF: the upper half of a float. */
    BFLOAT(14, Short.BYTES) {
        @Override
        float get(MemorySegment memory, long index) {
            return Float.intBitsToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, index) << 16);
        }

        /** Rounds to nearest, ties to even. */
        @Override
        void set(MemorySegment memory, long index, float value) {
            int bits = Float.floatToIntBits(value);
            int rounded = Float.isNaN(value) ? bits : bits + 0x7fff + (bits >>> 16 & 1);
            memory.setAtIndex(ValueLayout.JAVA_SHORT, index, (short) (rounded >>> 16));
        }
    };

    private final int code;
    private final int bytes;

    ElementType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** Of a cudaDataType. */
    static ElementType of(int code) {
        for (ElementType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        throw new IllegalArgumentException("no products of cudaDataType " + code);
    }

    int bytes() {
        return bytes;
    }

    abstract float get(MemorySegment memory, long index);

    abstract void set(MemorySegment memory, long index, float value);
}
