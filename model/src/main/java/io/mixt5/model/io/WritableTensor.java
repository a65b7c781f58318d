package io.mixt5.model.io;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A tensor on its way into a file. Its content is asked for when its turn to be written comes and forgotten afterwards,
 * so that of what must be copied or converted no more than one tensor is in memory.
 *
 * @param name any text but {@code __metadata__}
 * @param type of the elements
 * @param shape sizes of the dimensions, each at least 0; none for a scalar; not copied, not to be changed
 * @param content gives the elements
 */
public record WritableTensor(String name, SafetensorsType type, long[] shape, Content content) {
    /** Gives a tensor's elements. */
    @FunctionalInterface
    public interface Content {
        /**
         * The elements, dense, row-major, little-endian, in native memory or in a {@code byte[]}.
         *
         * @param arena owner of whatever is made for them; closed when they are written
         */
        MemorySegment in(Arena arena);
    }

    /** Checks that all parts are there. */
    public WritableTensor {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(shape, "shape");
        Objects.requireNonNull(content, "content");
    }

    /** A tensor whose elements lie in memory already. */
    public static WritableTensor of(SafetensorsTensor tensor) {
        return new WritableTensor(tensor.name(), tensor.type(), tensor.shape(), arena -> tensor.data());
    }

    /** Bytes of the elements. */
    public long bytes() {
        return type.bytes(shape);
    }
}
