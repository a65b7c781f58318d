package io.mixt5.kernels.emulator.ptx;

import java.util.Map;

/**
 * A file of PTX.
 *
 * @param name it was loaded under, a file
 * @param version of PTX, 10 * major + minor
 * @param target compute capability, 10 * major + minor
 * @param variables of the module, by name
 * @param functions kernels and device functions, by name
 */
public record PtxModule(String name, int version, int target, Map<String, PtxVariable> variables,
        Map<String, PtxFunction> functions) {
}
