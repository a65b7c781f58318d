package io.mixt5.kernels.emulator.machine;

import java.util.List;

/** A kernel, decoded: its code, and what a launch must provide for it. Immutable. */
public final class Program {
    /** A register that holds the same bits in all lanes, always. */
    public record Constant(int register, long bits) {
    }

    /** A special register that the kernel reads, and the ordinary one that stands for it. */
    public record Special(int register, SpecialRegister what) {
    }

    /** A parameter's place in parameter memory. */
    public record Parameter(int offset, int bytes) {
    }

    /**
     * How many registers and how much memory a kernel has.
     *
     * @param ints 32-bit registers
     * @param longs 64-bit registers
     * @param predicates predicate registers
     * @param sharedBytes static shared memory of a block
     * @param localBytes local memory of a thread
     * @param parameterBytes memory of all parameters
     */
    public record Sizes(int ints, int longs, int predicates, int sharedBytes, int localBytes, int parameterBytes) {
    }

    final String module;
    final String kernel;
    final Instruction[] code;
    /** For each place in the code, where the next {@link Flow} is. */
    final int[] nextFlow;
    final Sizes sizes;
    final List<Special> specials;
    final List<Parameter> parameters;
    final boolean communicates;
    private final int[][] constantInts;
    private final long[][] constantLongs;
    private final int[] constantPredicates;

    /**
     * Of a kernel.
     *
     * @param module the name its PTX was loaded under
     * @param code ends in a {@link Flow}
     * @param ints constants among the 32-bit registers
     * @param longs constants among the 64-bit registers
     * @param predicates constants among the predicates
     * @param parameters in order
     * @param communicates whether its blocks could tell each other something, so that their order may matter
     */
    public Program(String module, String kernel, List<Instruction> code, Sizes sizes, List<Constant> ints,
            List<Constant> longs, List<Constant> predicates, List<Special> specials, List<Parameter> parameters,
            boolean communicates) {
        this.module = module;
        this.kernel = kernel;
        this.code = code.toArray(new Instruction[0]);
        this.sizes = sizes;
        this.specials = List.copyOf(specials);
        this.parameters = List.copyOf(parameters);
        this.communicates = communicates;
        nextFlow = new int[this.code.length];
        for (int i = nextFlow.length - 1, next = i; i >= 0; i--) {
            next = this.code[i] instanceof Flow ? i : next;
            nextFlow[i] = next;
        }
        constantInts = new int[sizes.ints()][];
        for (Constant constant : ints) {
            constantInts[constant.register()] = Lanes.all((int) constant.bits());
        }
        constantLongs = new long[sizes.longs()][];
        for (Constant constant : longs) {
            constantLongs[constant.register()] = Lanes.all(constant.bits());
        }
        constantPredicates = new int[sizes.predicates()];
        for (Constant constant : predicates) {
            constantPredicates[constant.register()] = (int) constant.bits();
        }
    }

    /** The kernel's name. */
    public String kernel() {
        return kernel;
    }

    /** How many registers and how much memory it has. */
    public Sizes sizes() {
        return sizes;
    }

    /** Its parameters, in order. */
    public List<Parameter> parameters() {
        return parameters;
    }

    int[][] newInts() {
        int[][] registers = constantInts.clone();
        for (int i = 0; i < registers.length; i++) {
            registers[i] = registers[i] == null ? new int[Lanes.COUNT] : registers[i];
        }
        return registers;
    }

    long[][] newLongs() {
        long[][] registers = constantLongs.clone();
        for (int i = 0; i < registers.length; i++) {
            registers[i] = registers[i] == null ? new long[Lanes.COUNT] : registers[i];
        }
        return registers;
    }

    int[] newPredicates() {
        return constantPredicates.clone();
    }
}
