package io.mixt5.model.io;

import java.lang.foreign.MemorySegment;

/**
 * A tensor in a safetensors file or on its way there.
 *
 * @param name any text but {@code __metadata__}
 * @param type of the elements
 * @param shape sizes of the dimensions, each at least 0; none for a scalar; not copied, not to be changed
 * @param data the elements, dense, row-major, little-endian; need not be aligned to the size of an element
 */
public record SafetensorsTensor(String name, SafetensorsType type, long[] shape, MemorySegment data) {
}
