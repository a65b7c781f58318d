package io.mixt5.kernels.cpu;

import io.mixt5.engine.UserException;
import java.util.Set;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector shapes of every CPU kernel, all of one width: the processor's widest, unless system property
 * {@code mixt5.vectorBits} (128, 256 or 512) says otherwise. They are constants in a class of their own, so that the
 * JIT compiles each vector operation to one instruction. A width that the processor lacks works, slowly.
 */
public final class Lanes {
    /** Vectors of float. */
    public static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED.withShape(shape());

    /** Vectors of int, as many lanes as {@link #F}. */
    public static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED.withShape(shape());

    /** Vectors of long, half as many lanes as {@link #F}. */
    public static final VectorSpecies<Long> L = LongVector.SPECIES_PREFERRED.withShape(shape());

    /** Lanes of {@link #F}: floats in one vector. */
    public static final int FLOATS = F.length();

    /** Addresses in user space are smaller; the JIT, told so by a mask, drops the bounds checks in loops. */
    static final long ADDRESS = (1L << 48) - 1;

    /**
     * 1, but no constant to the JIT. A loop whose step is a multiple of it is not unrolled: C2 moves a body's loads
     * to its front, and for several iterations' operands and constants the registers do not suffice.
     */
    static int one = 1;

    private Lanes() {
    }

    private static VectorShape shape() {
        String bits = System.getProperty("mixt5.vectorBits");
        if (bits == null) {
            return FloatVector.SPECIES_PREFERRED.vectorShape();
        }
        if (!Set.of("128", "256", "512").contains(bits)) {
            throw new UserException("System property mixt5.vectorBits is '" + bits + "': use 128, 256 or 512.");
        }
        return VectorShape.forBitSize(Integer.parseInt(bits));
    }
}
