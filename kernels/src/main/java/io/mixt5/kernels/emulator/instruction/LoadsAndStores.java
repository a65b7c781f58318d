package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.Monitor.Access;
import io.mixt5.kernels.emulator.Monitor.Space;
import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Lanes;
import io.mixt5.kernels.emulator.machine.MemorySite;
import io.mixt5.kernels.emulator.machine.Segment;
import io.mixt5.kernels.emulator.machine.Warp;
import io.mixt5.kernels.emulator.ptx.PtxOperand;
import io.mixt5.kernels.emulator.ptx.PtxType;
import java.util.Arrays;
import java.util.List;

/** ld and st. Registers may be wider than the type: what is loaded is extended by its sign or zeros. */
final class LoadsAndStores {
    private LoadsAndStores() {
    }

    /** ld and ldu. */
    static Instruction load(Opcode opcode, Operands operands) {
        AddressOperand address = address(opcode, operands, 1);
        String type = opcode.type();
        List<PtxOperand> elements = operands.elements(0);
        int bytes = PtxType.bytes(type);
        boolean signed = type.startsWith("s");
        int[] ints = new int[elements.size()];
        int[] longs = new int[elements.size()];
        int width = 32;
        for (int i = 0; i < ints.length; i++) {
            Register register = operands.register(elements.get(i));
            boolean wide = register == null ? bytes == 8 : register.kind() == Register.Kind.LONG;
            ints[i] = wide ? -1 : operands.intTarget(elements.get(i));
            longs[i] = wide ? operands.longTarget(elements.get(i)) : -1;
            width = register == null || wide ? width : register.bits();
            if (8 * bytes > (wide ? 64 : 32)) {
                throw opcode.error(elements.get(i) + " is too narrow");
            }
        }
        if (address.space() == Space.PARAMETER && address.fixed()) {
            return new ParameterLoad((int) address.offset(), bytes, signed, ints, longs, -1 >>> 32 - width);
        }
        return new Load(address, bytes, signed, ints, longs, -1 >>> 32 - width);
    }

    /** st. */
    static Instruction store(Opcode opcode, Operands operands) {
        AddressOperand address = address(opcode, operands, 0);
        int bytes = PtxType.bytes(opcode.type());
        List<PtxOperand> elements = operands.elements(1);
        int[] ints = new int[elements.size()];
        int[] longs = new int[elements.size()];
        for (int i = 0; i < ints.length; i++) {
            Register register = operands.register(elements.get(i));
            boolean wide = register == null ? bytes == 8 : register.kind() == Register.Kind.LONG;
            ints[i] = wide ? -1 : operands.ints(elements.get(i));
            longs[i] = wide ? operands.longs(elements.get(i)) : -1;
            if (8 * bytes > (wide ? 64 : 32)) {
                throw opcode.error(elements.get(i) + " is too narrow");
            }
        }
        return new Store(address, bytes, ints, longs);
    }

    private static AddressOperand address(Opcode opcode, Operands operands, int i) {
        Space space = AddressOperand.space(opcode);
        AddressOperand.ignoreCaches(opcode);
        opcode.ignore("v2", "v4", "v8");
        return AddressOperand.of(opcode, operands, i, space);
    }

    /** Extends what was loaded. */
    private static long extend(long bits, int bytes, boolean signed) {
        int unused = 64 - 8 * bytes;
        return signed ? bits << unused >> unused : bits << unused >>> unused;
    }

    private static long read(byte[] data, int at, int bytes) {
        return switch (bytes) {
            case 1 -> data[at];
            case 2 -> (short) Segment.SHORT.get(data, at);
            case 4 -> (int) Segment.INT.get(data, at);
            default -> (long) Segment.LONG.get(data, at);
        };
    }

    /** From a place in parameter memory that is the same for all lanes. */
    private static final class ParameterLoad extends Instruction {
        private final int at;
        private final int bytes;
        private final boolean signed;
        private final int[] ints;
        private final int[] longs;
        private final int shown;

        ParameterLoad(int at, int bytes, boolean signed, int[] ints, int[] longs, int shown) {
            this.at = at;
            this.bytes = bytes;
            this.signed = signed;
            this.ints = ints;
            this.longs = longs;
            this.shown = shown;
        }

        @Override
        public void execute(Warp warp, int mask) {
            for (int i = 0; i < ints.length; i++) {
                long value = extend(read(warp.memory.parameters(), at + i * bytes, bytes), bytes, signed);
                if (mask == -1) {
                    if (ints[i] >= 0) {
                        Arrays.fill(warp.ints[ints[i]], (int) value & shown);
                    } else {
                        Arrays.fill(warp.longs[longs[i]], value);
                    }
                    continue;
                }
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    if (ints[i] >= 0) {
                        warp.ints[ints[i]][lane] = (int) value & shown;
                    } else {
                        warp.longs[longs[i]][lane] = value;
                    }
                }
            }
        }
    }

    private static final class Load extends Instruction {
        private final AddressOperand address;
        private final MemorySite site;
        private final int bytes;
        private final boolean signed;
        private final int[] ints;
        private final int[] longs;
        private final int shown;

        Load(AddressOperand address, int bytes, boolean signed, int[] ints, int[] longs, int shown) {
            this.address = address;
            this.site = new MemorySite(this, address.space());
            this.bytes = bytes;
            this.signed = signed;
            this.ints = ints;
            this.longs = longs;
            this.shown = shown;
        }

        @Override
        public void execute(Warp warp, int mask) {
            address.compute(warp);
            int all = bytes * ints.length;
            int rest = mask;
            while (rest != 0) {
                int part = warp.memory.locate(site, rest, all, all, Access.READ);
                byte[] data = warp.memory.data;
                int[] offsets = warp.memory.offsets;
                for (int i = 0; i < ints.length; i++) {
                    if (ints[i] < 0) {
                        loadLongs(warp.longs[longs[i]], data, offsets, i * bytes, part);
                    } else if (bytes == 4 && part == -1) {
                        loadAll(warp.ints[ints[i]], data, offsets, 4 * i);
                    } else {
                        loadInts(warp.ints[ints[i]], data, offsets, i * bytes, part);
                    }
                }
                rest &= ~part;
            }
        }

        private static void loadAll(int[] to, byte[] data, int[] offsets, int shift) {
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                to[lane] = (int) Segment.INT.get(data, offsets[lane] + shift);
            }
        }

        private void loadInts(int[] to, byte[] data, int[] offsets, int shift, int part) {
            for (int m = part; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                int at = offsets[lane] + shift;
                int value = switch (bytes) {
                    case 1 -> signed ? data[at] : data[at] & 0xff;
                    case 2 ->
                        signed ? (short) Segment.SHORT.get(data, at) : (short) Segment.SHORT.get(data, at) & 0xffff;
                    default -> (int) Segment.INT.get(data, at);
                };
                to[lane] = value & shown;
            }
        }

        private void loadLongs(long[] to, byte[] data, int[] offsets, int shift, int part) {
            for (int m = part; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = extend(read(data, offsets[lane] + shift, bytes), bytes, signed);
            }
        }
    }

    private static final class Store extends Instruction {
        private final AddressOperand address;
        private final MemorySite site;
        private final int bytes;
        private final int[] ints;
        private final int[] longs;

        Store(AddressOperand address, int bytes, int[] ints, int[] longs) {
            this.address = address;
            this.site = new MemorySite(this, address.space());
            this.bytes = bytes;
            this.ints = ints;
            this.longs = longs;
        }

        @Override
        public void execute(Warp warp, int mask) {
            address.compute(warp);
            int all = bytes * ints.length;
            int rest = mask;
            while (rest != 0) {
                int part = warp.memory.locate(site, rest, all, all, Access.WRITE);
                byte[] data = warp.memory.data;
                int[] offsets = warp.memory.offsets;
                for (int i = 0; i < ints.length; i++) {
                    if (ints[i] < 0) {
                        storeLongs(warp.longs[longs[i]], data, offsets, i * bytes, part);
                    } else if (bytes == 4 && part == -1) {
                        storeAll(warp.ints[ints[i]], data, offsets, 4 * i);
                    } else {
                        storeInts(warp.ints[ints[i]], data, offsets, i * bytes, part);
                    }
                }
                rest &= ~part;
            }
        }

        private static void storeAll(int[] from, byte[] data, int[] offsets, int shift) {
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                Segment.INT.set(data, offsets[lane] + shift, from[lane]);
            }
        }

        private void storeInts(int[] from, byte[] data, int[] offsets, int shift, int part) {
            for (int m = part; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                int at = offsets[lane] + shift;
                switch (bytes) {
                    case 1 -> data[at] = (byte) from[lane];
                    case 2 -> Segment.SHORT.set(data, at, (short) from[lane]);
                    default -> Segment.INT.set(data, at, from[lane]);
                }
            }
        }

        private void storeLongs(long[] from, byte[] data, int[] offsets, int shift, int part) {
            for (int m = part; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                int at = offsets[lane] + shift;
                switch (bytes) {
                    case 1 -> data[at] = (byte) from[lane];
                    case 2 -> Segment.SHORT.set(data, at, (short) from[lane]);
                    case 4 -> Segment.INT.set(data, at, (int) from[lane]);
                    default -> Segment.LONG.set(data, at, from[lane]);
                }
            }
        }
    }
}
