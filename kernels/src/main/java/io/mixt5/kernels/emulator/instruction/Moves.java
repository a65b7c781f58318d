package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.DeviceMemory;
import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Warp;
import io.mixt5.kernels.emulator.ptx.PtxOperand;
import io.mixt5.kernels.emulator.ptx.PtxType;
import java.util.List;

/** mov, which also takes registers apart and puts them together, and cvta. */
final class Moves {
    private Moves() {
    }

    /** mov of any kind. */
    static Instruction mov(Opcode opcode, Operands operands) {
        operands.requireCount(2);
        if (opcode.has("pred")) {
            return Predicates.logic(opcode, operands);
        }
        int bytes = PtxType.bytes(opcode.type());
        if (operands.at(0) instanceof PtxOperand.Vector vector) {
            return unpack(opcode, operands, vector.elements(), bytes);
        }
        if (operands.at(1) instanceof PtxOperand.Vector vector) {
            return pack(opcode, operands, vector.elements(), bytes);
        }
        Elementwise each = new Elementwise(opcode, operands);
        if (operands.at(1) instanceof PtxOperand.Name name) {
            if (name.text().equals("%clock64") || name.text().equals("%globaltimer")) {
                return new Clock(-1, operands.longTarget(0));
            }
            if (name.text().startsWith("%clock")) {
                return new Clock(operands.intTarget(0), -1);
            }
        }
        return bytes == 8 ? each.long1(a -> a) : each.int1(a -> a);
    }

    /** cvta: addresses of a space to generic ones, and back. Global and constant ones are generic already. */
    static Instruction convertAddress(Opcode opcode, Operands operands) {
        boolean back = opcode.take("to");
        String space = opcode.takeOne("global", "const", "shared", "local", "param");
        opcode.ignorePrefix("shared::");
        opcode.ignorePrefix("param::");
        opcode.ignore("u64");
        long window = space == null || space.equals("shared") ? DeviceMemory.SHARED_WINDOW : switch (space) {
            case "local" -> DeviceMemory.LOCAL_WINDOW;
            case "param" -> DeviceMemory.PARAMETER_WINDOW;
            default -> 0;
        };
        long shift = back ? -window : window;
        return new Elementwise(opcode, operands).long1(a -> a + shift);
    }

    /** isspacep.space p, a: whether a generic address lies in a space. */
    static Instruction isInSpace(Opcode opcode, Operands operands) {
        Functions.LongTest test = switch (opcode.next()) {
            case "shared" -> (a, b) -> a >= DeviceMemory.SHARED_WINDOW && a < DeviceMemory.LOCAL_WINDOW;
            case "local" -> (a, b) -> a >= DeviceMemory.LOCAL_WINDOW && a < DeviceMemory.PARAMETER_WINDOW;
            case "global" -> (a, b) -> a < DeviceMemory.SHARED_WINDOW;
            default -> throw opcode.error("the emulator knows only shared, local and global");
        };
        return Comparisons.question(opcode, operands, test);
    }

    /** The time, of which only order means something here: instructions are not timed. */
    private static final class Clock extends Instruction {
        private final int narrow;
        private final int wide;

        Clock(int narrow, int wide) {
            this.narrow = narrow;
            this.wide = wide;
        }

        @Override
        public void execute(Warp warp, int mask) {
            long now = warp.clock();
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                if (wide >= 0) {
                    warp.longs[wide][lane] = now;
                } else {
                    warp.ints[narrow][lane] = (int) now;
                }
            }
        }
    }

    private static Instruction unpack(Opcode opcode, Operands operands, List<PtxOperand> parts, int bytes) {
        int bits = 8 * bytes / parts.size();
        int[] targets = new int[parts.size()];
        for (int i = 0; i < targets.length; i++) {
            targets[i] = bits == 64 ? operands.longTarget(parts.get(i)) : operands.intTarget(parts.get(i));
        }
        checkParts(opcode, bits, bytes);
        return new Unpack(bytes == 8, bytes == 8 ? operands.longs(1) : operands.ints(1), targets, bits);
    }

    private static Instruction pack(Opcode opcode, Operands operands, List<PtxOperand> parts, int bytes) {
        int bits = 8 * bytes / parts.size();
        int[] sources = new int[parts.size()];
        for (int i = 0; i < sources.length; i++) {
            sources[i] = operands.ints(parts.get(i));
        }
        checkParts(opcode, bits, bytes);
        return new Pack(bytes == 8, bytes == 8 ? operands.longTarget(0) : operands.intTarget(0), sources, bits);
    }

    private static void checkParts(Opcode opcode, int bits, int bytes) {
        if (bytes > 8 || bits > 32 || bits < 8) {
            throw opcode.error("the emulator cannot take " + bytes + " bytes apart into parts of " + bits + " bits");
        }
    }

    private static final class Unpack extends Instruction {
        private final boolean wide;
        private final int source;
        private final int[] targets;
        private final int bits;

        Unpack(boolean wide, int source, int[] targets, int bits) {
            this.wide = wide;
            this.source = source;
            this.targets = targets;
            this.bits = bits;
        }

        @Override
        public void execute(Warp warp, int mask) {
            int low = -1 >>> 32 - bits;
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                long value = wide ? warp.longs[source][lane] : warp.ints[source][lane];
                for (int i = 0; i < targets.length; i++) {
                    warp.ints[targets[i]][lane] = (int) (value >>> bits * i) & low;
                }
            }
        }
    }

    private static final class Pack extends Instruction {
        private final boolean wide;
        private final int target;
        private final int[] sources;
        private final int bits;

        Pack(boolean wide, int target, int[] sources, int bits) {
            this.wide = wide;
            this.target = target;
            this.sources = sources;
            this.bits = bits;
        }

        @Override
        public void execute(Warp warp, int mask) {
            long low = -1L >>> 64 - bits;
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                long value = 0;
                for (int i = 0; i < sources.length; i++) {
                    value |= (warp.ints[sources[i]][lane] & low) << bits * i;
                }
                if (wide) {
                    warp.longs[target][lane] = value;
                } else {
                    warp.ints[target][lane] = (int) value;
                }
            }
        }
    }
}
