package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.ptx.PtxFunction;
import io.mixt5.kernels.emulator.ptx.PtxOperand;
import io.mixt5.kernels.emulator.ptx.PtxStatement;
import io.mixt5.kernels.emulator.ptx.PtxType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A kernel's instructions in a row: which registers each reads and writes, and where it may go on. */
final class FlowGraph {
    /** A register as declared: a name in a scope. */
    record Variable(PtxStatement.Scope scope, String name, int bytes) {
    }

    /**
     * An instruction.
     *
     * @param reads indices of variables
     * @param writes indices of variables
     * @param sure whether every lane that comes here writes
     * @param falls whether a lane may go on behind it
     */
    record Step(int[] reads, int[] writes, boolean sure, boolean falls) {
    }

    /** Opcodes whose first operand is no result. */
    private static final Set<String> WITHOUT_RESULT = Set.of("st", "red", "bra", "brx", "bar", "barrier", "cp",
            "membar",
            "fence", "exit", "ret", "trap", "call", "prefetch", "prefetchu", "nanosleep", "discard", "applypriority");

    private record Frame(PtxStatement.Scope scope, List<PtxStatement.Registers> declared, Map<String, Integer> found) {
    }

    private final List<Variable> variables = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private final List<List<String>> jumps = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>();
    private final Map<String, List<String>> tables = new HashMap<>();
    private final Deque<Frame> frames = new ArrayDeque<>();

    FlowGraph(PtxFunction kernel) {
        add(kernel.body());
    }

    /** The registers that the kernel mentions; functions that it calls have their own. */
    List<Variable> variables() {
        return variables;
    }

    int size() {
        return steps.size();
    }

    Step step(int i) {
        return steps.get(i);
    }

    /** Where lanes may go on after instruction {@code i}; the kernel's end is {@link #size}. */
    List<Integer> successors(int i) {
        List<Integer> next = new ArrayList<>();
        if (steps.get(i).falls()) {
            next.add(i + 1);
        }
        for (String label : jumps.get(i)) {
            // A label that is missing is an error that the assembler tells.
            next.add(labels.getOrDefault(label, steps.size()));
        }
        return next;
    }

    private void add(PtxStatement.Scope scope) {
        frames.push(new Frame(scope, new ArrayList<>(), new HashMap<>()));
        for (PtxStatement statement : scope.statements()) {
            switch (statement) {
                case PtxStatement.Registers registers -> frames.peek().declared().add(registers);
                case PtxStatement.Label label -> labels.put(label.name(), steps.size());
                case PtxStatement.Targets targets -> tables.put(targets.name(), targets.labels());
                case PtxStatement.Scope inner -> add(inner);
                case PtxStatement.Instruction instruction -> add(instruction);
                case PtxStatement.Declaration declaration -> {
                    // No register.
                }
            }
        }
        frames.pop();
    }

    private void add(PtxStatement.Instruction instruction) {
        String opcode = instruction.opcode();
        String name = opcode.indexOf('.') < 0 ? opcode : opcode.substring(0, opcode.indexOf('.'));
        boolean result = !WITHOUT_RESULT.contains(name) || opcode.contains(".red.");
        List<Integer> reads = new ArrayList<>();
        List<Integer> writes = new ArrayList<>();
        if (instruction.guard() != null) {
            addName(instruction.guard(), reads);
        }
        List<PtxOperand> operands = instruction.operands();
        for (int i = 0; i < operands.size(); i++) {
            addOperand(operands.get(i), i == 0 && result ? writes : reads);
        }
        boolean leaves = name.equals("bra") || name.equals("brx") || name.equals("ret") || name.equals("exit");
        steps.add(new Step(array(reads), array(writes), instruction.guard() == null,
                !leaves || instruction.guard() != null));
        jumps.add(switch (name) {
            case "bra" -> List.of(operands.get(0).toString());
            case "brx" -> tables.getOrDefault(operands.get(1).toString(), List.of());
            default -> List.of();
        });
    }

    private static int[] array(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }

    private void addOperand(PtxOperand operand, List<Integer> to) {
        switch (operand) {
            case PtxOperand.Name name -> addName(name.text(), to);
            case PtxOperand.Not not -> addName(not.operand().text(), to);
            case PtxOperand.Vector vector -> vector.elements().forEach(element -> addOperand(element, to));
            case PtxOperand.Pair pair -> {
                addOperand(pair.first(), to);
                addOperand(pair.second(), to);
            }
            case PtxOperand.Address address -> {
                if (address.base() != null) {
                    addName(address.base().text(), to);
                }
            }
            case PtxOperand.Immediate immediate -> {
                // No register.
            }
        }
    }

    private void addName(String name, List<Integer> to) {
        for (Frame frame : frames) {
            Integer found = frame.found().computeIfAbsent(name, absent -> declare(frame, name));
            if (found != null) {
                to.add(found);
                return;
            }
        }
    }

    /** The index of a register that this frame declares; null if it declares none of that name. */
    private Integer declare(Frame frame, String name) {
        for (PtxStatement.Registers registers : frame.declared()) {
            if (Scope.declares(registers.name(), registers.count(), name)) {
                variables.add(new Variable(frame.scope(), name, PtxType.bytes(registers.type())));
                return variables.size() - 1;
            }
        }
        return null;
    }
}
