package io.mixt5.kernels.emulator.ptx;

import java.util.List;

/**
 * A kernel or a device function.
 *
 * @param entry whether it is a kernel
 * @param returned what a device function returns
 * @param parameters in order
 * @param body null where it is only declared
 */
public record PtxFunction(int line, String name, boolean entry, List<PtxVariable> returned,
        List<PtxVariable> parameters, PtxStatement.Scope body) {
}
