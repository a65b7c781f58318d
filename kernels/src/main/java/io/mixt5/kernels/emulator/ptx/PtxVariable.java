package io.mixt5.kernels.emulator.ptx;

import java.util.Map;

/**
 * A variable in memory, or a parameter.
 *
 * @param space {@code global}, {@code const}, {@code shared}, {@code local} or {@code param}
 * @param align of its address, in bytes
 * @param bytes its size; 0 for {@code extern .shared x[]}, which is as large as the launch says
 * @param initial its first bytes, the rest being zeros
 * @param references names of variables whose address stands in it, by byte offset
 */
public record PtxVariable(int line, String name, String space, int align, int bytes, byte[] initial,
        Map<Integer, Reference> references) {
    /** The address of another variable, or of a byte behind its start. */
    public record Reference(String name, long offset) {
    }
}
