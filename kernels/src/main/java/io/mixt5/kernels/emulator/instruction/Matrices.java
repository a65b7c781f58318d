package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.Monitor.Access;
import io.mixt5.kernels.emulator.Monitor.Space;
import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Lanes;
import io.mixt5.kernels.emulator.machine.MemorySite;
import io.mixt5.kernels.emulator.machine.Segment;
import io.mixt5.kernels.emulator.machine.Warp;
import io.mixt5.kernels.emulator.machine.WarpSync;
import io.mixt5.kernels.emulator.math.Format;
import io.mixt5.kernels.emulator.math.MatrixFragments;
import io.mixt5.kernels.emulator.math.MatrixShape;
import io.mixt5.kernels.emulator.ptx.PtxOperand;
import java.util.List;

/** ldmatrix and mma: what a warp's lanes do to matrices together. */
final class Matrices {
    private Matrices() {
    }

    /** ldmatrix.sync.aligned.m8n8.x1, .x2 or .x4(.trans)(.shared).b16 {d, ...}, [a]. */
    static Instruction load(Opcode opcode, Operands operands) {
        opcode.ignore("sync", "aligned", "m8n8", "x1", "x2", "x4");
        boolean transposed = opcode.take("trans");
        Space space = AddressOperand.space(opcode);
        opcode.ignore("b16");
        return new Load(AddressOperand.of(opcode, operands, 1, space), transposed, targets(operands, 0),
                operands.constant(-1));
    }

    /** mma.sync.aligned.shape.row.col.dtype.atype.btype.ctype d, a, b, c. */
    static Instruction multiply(Opcode opcode, Operands operands) {
        opcode.ignore("sync", "aligned", "row", "col");
        String shape = opcode.next();
        String result = opcode.type();
        String elements = opcode.type();
        String others = opcode.type() + opcode.type();
        if (!others.equals(elements + result)) {
            throw opcode.error("the emulator knows it only with A and B of one type, and C and D of one");
        }
        Format format = switch (elements) {
            case "f16" -> Format.F16;
            case "bf16" -> Format.BF16;
            case "tf32" -> Format.TF32;
            default -> throw opcode.unknownType(elements);
        };
        boolean tf32 = format == Format.TF32;
        MatrixShape matrixShape = switch (shape) {
            case "m16n8k4" -> MatrixShape.TF32_K4;
            case "m16n8k8" -> tf32 ? MatrixShape.TF32_K8 : MatrixShape.K8;
            case "m16n8k16" -> MatrixShape.K16;
            default -> throw opcode.error("the emulator does not know the shape " + shape);
        };
        boolean half = result.equals("f16");
        if (!half && !result.equals("f32")) {
            throw opcode.unknownType(result);
        }
        try {
            new MatrixFragments(matrixShape, format, half);
        } catch (IllegalArgumentException e) {
            throw opcode.error(e.getMessage());
        }
        int count = half ? 2 : 4;
        return new Product(matrixShape, format, half, registers(opcode, targets(operands, 0), count),
                registers(opcode, sources(operands, 1), matrixShape.registersA()),
                registers(opcode, sources(operands, 2), matrixShape.registersB()),
                registers(opcode, sources(operands, 3), count), operands.constant(-1));
    }

    private static int[] registers(Opcode opcode, int[] registers, int count) {
        if (registers.length != count) {
            throw opcode.error("a fragment has " + registers.length + " registers instead of " + count);
        }
        return registers;
    }

    private static int[] targets(Operands operands, int i) {
        List<PtxOperand> elements = operands.elements(i);
        int[] targets = new int[elements.size()];
        for (int e = 0; e < targets.length; e++) {
            targets[e] = operands.intTarget(elements.get(e));
        }
        return targets;
    }

    private static int[] sources(Operands operands, int i) {
        List<PtxOperand> elements = operands.elements(i);
        int[] sources = new int[elements.size()];
        for (int e = 0; e < sources.length; e++) {
            sources[e] = operands.ints(elements.get(e));
        }
        return sources;
    }

    /** Lanes 8 i to 8 i + 7 give the addresses of the rows of matrix i. */
    private static final class Load extends WarpSync {
        private static final int ROWS = 8;
        private static final int ROW_BYTES = 16;

        private final AddressOperand address;
        private final MemorySite site;
        private final boolean transposed;
        private final int[] targets;

        Load(AddressOperand address, boolean transposed, int[] targets, int members) {
            super(members, new Object());
            this.address = address;
            this.site = new MemorySite(this, address.space());
            this.transposed = transposed;
            this.targets = targets;
        }

        @Override
        protected void give(Warp warp, int mask) {
            // The addresses are read once all have met.
        }

        @Override
        protected void take(Warp warp, int mask, int met) {
            address.compute(warp);
            int[] rows = new int[4 * ROWS * targets.length];
            int readers = -1 >>> Lanes.COUNT - ROWS * targets.length;
            if ((met & readers) != readers) {
                throw warp.failed(this, Integer.numberOfTrailingZeros(met),
                        "some of the lanes that give addresses have "
                                + "exited");
            }
            int rest = readers;
            while (rest != 0) {
                int part = warp.memory.locate(site, rest, ROW_BYTES, ROW_BYTES, Access.READ);
                for (int m = part; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    for (int i = 0; i < 4; i++) {
                        rows[4 * lane + i] = (int) Segment.INT.get(warp.memory.data, warp.memory.offsets[lane] + 4 * i);
                    }
                }
                rest &= ~part;
            }
            int[] matrix = new int[4 * ROWS];
            for (int i = 0; i < targets.length; i++) {
                System.arraycopy(rows, 4 * ROWS * i, matrix, 0, matrix.length);
                MatrixFragments.loadMatrix(matrix, transposed, warp.ints[targets[i]]);
            }
        }
    }

    private static final class Product extends WarpSync {
        private final ThreadLocal<MatrixFragments> fragments;
        private final int[] d;
        private final int[] a;
        private final int[] b;
        private final int[] c;

        Product(MatrixShape shape, Format format, boolean half, int[] d, int[] a, int[] b, int[] c, int members) {
            super(members, new Object());
            this.fragments = ThreadLocal.withInitial(() -> new MatrixFragments(shape, format, half));
            this.d = d;
            this.a = a;
            this.b = b;
            this.c = c;
        }

        @Override
        protected void give(Warp warp, int mask) {
            // The fragments are read once all have met.
        }

        @Override
        protected void take(Warp warp, int mask, int met) {
            if (met != -1) {
                throw warp.failed(this, Integer.numberOfTrailingZeros(met), "some of the warp's lanes have exited");
            }
            fragments.get().multiply(of(warp, d), of(warp, a), of(warp, b), of(warp, c));
        }

        private static int[][] of(Warp warp, int[] registers) {
            int[][] fragment = new int[registers.length][];
            for (int i = 0; i < fragment.length; i++) {
                fragment[i] = warp.ints[registers[i]];
            }
            return fragment;
        }
    }
}
