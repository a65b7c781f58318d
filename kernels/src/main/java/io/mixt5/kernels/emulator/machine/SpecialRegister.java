package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.emulator.Launch;
import java.util.Locale;

/** Special registers of 32 bits that keep their value while a block runs. */
public enum SpecialRegister {
    /** %tid.x and so on. */
    TID_X, TID_Y, TID_Z, NTID_X, NTID_Y, NTID_Z, CTAID_X, CTAID_Y, CTAID_Z, NCTAID_X, NCTAID_Y, NCTAID_Z,
    /** %laneid and so on. */
    LANEID, WARPID, NWARPID, LANEMASK_EQ, LANEMASK_LT, LANEMASK_LE, LANEMASK_GT, LANEMASK_GE,
    /** %smid: which multiprocessor runs the block; the emulator has one. */
    SMID, NSMID,
    /** %dynamic_smem_size and so on, in bytes. */
    DYNAMIC_SMEM_SIZE, TOTAL_SMEM_SIZE;

    /** The one a PTX name such as {@code %tid.x} stands for; null for other names. */
    public static SpecialRegister of(String name) {
        if (!name.startsWith("%")) {
            return null;
        }
        String constant = name.substring(1).toUpperCase(Locale.ROOT).replace('.', '_');
        for (SpecialRegister register : values()) {
            if (register.name().equals(constant)) {
                return register;
            }
        }
        return null;
    }

    /** Its value in one lane. */
    int value(Launch launch, long block, int warp, int lane, int staticSharedBytes) {
        int thread = Lanes.COUNT * warp + lane;
        return switch (this) {
            case TID_X -> thread % launch.blockX();
            case TID_Y -> thread / launch.blockX() % launch.blockY();
            case TID_Z -> thread / launch.blockX() / launch.blockY();
            case NTID_X -> launch.blockX();
            case NTID_Y -> launch.blockY();
            case NTID_Z -> launch.blockZ();
            case CTAID_X -> (int) (block % launch.gridX());
            case CTAID_Y -> (int) (block / launch.gridX() % launch.gridY());
            case CTAID_Z -> (int) (block / launch.gridX() / launch.gridY());
            case NCTAID_X -> launch.gridX();
            case NCTAID_Y -> launch.gridY();
            case NCTAID_Z -> launch.gridZ();
            case LANEID -> lane;
            case WARPID -> warp;
            case NWARPID -> launch.warps();
            case LANEMASK_EQ -> 1 << lane;
            case LANEMASK_LT -> (1 << lane) - 1;
            case LANEMASK_LE -> (2 << lane) - 1;
            case LANEMASK_GT -> -(2 << lane);
            case LANEMASK_GE -> -(1 << lane);
            case SMID -> 0;
            case NSMID -> 1;
            case DYNAMIC_SMEM_SIZE -> launch.sharedBytes() - staticSharedBytes;
            case TOTAL_SMEM_SIZE -> launch.sharedBytes();
        };
    }

    /** Whether it differs between blocks of a launch. */
    boolean ofBlock() {
        return this == CTAID_X || this == CTAID_Y || this == CTAID_Z;
    }
}
