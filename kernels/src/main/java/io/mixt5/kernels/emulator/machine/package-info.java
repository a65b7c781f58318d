/**
 * What runs decoded kernels: device memory, blocks, warps with their registers, and the scheduling of diverged lanes.
 * Nothing here knows single opcodes, except those that steer: branches, barriers and exits are {@link
 * io.mixt5.kernels.emulator.machine.Flow}.
 */
package io.mixt5.kernels.emulator.machine;
