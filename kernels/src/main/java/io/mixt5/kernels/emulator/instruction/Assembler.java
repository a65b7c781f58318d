package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.Monitor.Space;
import io.mixt5.kernels.emulator.Monitor.Work;
import io.mixt5.kernels.emulator.machine.Branches;
import io.mixt5.kernels.emulator.machine.Flow;
import io.mixt5.kernels.emulator.machine.Guarded;
import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Program;
import io.mixt5.kernels.emulator.ptx.PtxException;
import io.mixt5.kernels.emulator.ptx.PtxFunction;
import io.mixt5.kernels.emulator.ptx.PtxModule;
import io.mixt5.kernels.emulator.ptx.PtxOperand;
import io.mixt5.kernels.emulator.ptx.PtxStatement;
import io.mixt5.kernels.emulator.ptx.PtxType;
import io.mixt5.kernels.emulator.ptx.PtxVariable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/** Turns a parsed kernel into a program. Device functions are inlined where they are called. */
public final class Assembler {
    private final PtxModule module;
    private final RegisterFile file = new RegisterFile();
    private final RegisterSharing sharing;
    private final List<Instruction> code = new ArrayList<>();
    private final List<Program.Parameter> parameters = new ArrayList<>();
    private final Deque<String> callers = new ArrayDeque<>();
    private int localBytes;
    private int parameterBytes;
    private boolean communicates;
    private Labels labels;

    private Assembler(PtxModule module, PtxFunction kernel) {
        this.module = module;
        this.sharing = new RegisterSharing(kernel, file);
    }

    /** Labels of one function, and who waits for their places. */
    private static final class Labels {
        private final Map<String, Integer> places = new HashMap<>();
        private final Map<String, List<String>> tables = new HashMap<>();
        private final List<Runnable> waiting = new ArrayList<>();
    }

    /**
     * Decodes a kernel.
     *
     * @param addresses where the module's variables in device memory are
     * @throws PtxException if it has an instruction that the emulator does not know
     */
    public static Program assemble(PtxModule module, PtxFunction kernel, Map<String, Long> addresses) {
        return new Assembler(module, kernel).assembleKernel(kernel, addresses);
    }

    private Program assembleKernel(PtxFunction kernel, Map<String, Long> addresses) {
        Scope scope = new Scope(null, file);
        addresses.forEach((name, address) -> scope.declare(name, new Scope.Symbol(
                module.variables().get(name).space().equals("const") ? Space.CONSTANT : Space.GLOBAL, address)));
        SharedLayout shared = new SharedLayout(module, kernel);
        shared.addresses().forEach((name, address) -> scope.declare(name, new Scope.Symbol(Space.SHARED, address)));
        for (PtxVariable parameter : kernel.parameters()) {
            parameterBytes = SharedLayout.align(parameterBytes, parameter.align());
            scope.declare(parameter.name(), new Scope.Symbol(Space.PARAMETER, parameterBytes));
            parameters.add(new Program.Parameter(parameterBytes, parameter.bytes()));
            parameterBytes += parameter.bytes();
        }
        assembleFunction(kernel, scope);
        Branches.Exit end = new Branches.Exit();
        end.describe(kernel.line(), "exit", Work.CONTROL);
        code.add(end);
        Program.Sizes sizes = new Program.Sizes(file.ints(), file.longs(), file.predicates(), shared.bytes(),
                SharedLayout.align(localBytes, 16), parameterBytes);
        return new Program(module.name(), kernel.name(), code, sizes, file.intConstants(), file.longConstants(),
                file.predicateConstants(), file.specials(), parameters, communicates);
    }

    private void assembleFunction(PtxFunction function, Scope scope) {
        if (callers.contains(function.name())) {
            throw new PtxException(module.name(), function.line(), function.name()
                    + " calls itself, which the emulator cannot do");
        }
        callers.push(function.name());
        Labels outer = labels;
        labels = new Labels();
        assembleScope(function.body(), scope);
        labels.places.put("", code.size());
        labels.waiting.forEach(Runnable::run);
        labels = outer;
        callers.pop();
    }

    private void assembleScope(PtxStatement.Scope statements, Scope outer) {
        Scope scope = new Scope(outer, file, sharing.of(statements));
        for (PtxStatement statement : statements.statements()) {
            switch (statement) {
                case PtxStatement.Registers registers -> scope.declare(registers.name(), registers.count(),
                        PtxType.bytes(registers.type()));
                case PtxStatement.Declaration declaration -> declare(declaration.variable(), scope);
                case PtxStatement.Label label -> labels.places.put(label.name(), code.size());
                case PtxStatement.Targets targets -> labels.tables.put(targets.name(), targets.labels());
                case PtxStatement.Scope inner -> assembleScope(inner, scope);
                case PtxStatement.Instruction instruction -> assembleInstruction(instruction, scope);
            }
        }
    }

    /** Variables of a function: shared ones have their place, others lie in the thread's local memory. */
    private void declare(PtxVariable variable, Scope scope) {
        switch (variable.space()) {
            case "shared" -> {
                // Its address was declared with the kernel.
            }
            case "local", "param" -> {
                localBytes = SharedLayout.align(localBytes, variable.align());
                scope.declare(variable.name(), new Scope.Symbol(Space.LOCAL, localBytes));
                localBytes += variable.bytes();
            }
            default -> throw new PtxException(module.name(), variable.line(), "." + variable.space()
                    + " is not known inside a function");
        }
    }

    private void assembleInstruction(PtxStatement.Instruction statement, Scope scope) {
        Opcode opcode = new Opcode(module.name(), statement.line(), statement.opcode());
        Operands operands = new Operands(opcode, statement.operands(), scope);
        Work work = Works.of(opcode);
        if (opcode.name().equals("call")) {
            call(opcode, operands, statement, scope);
            return;
        }
        Instruction instruction = switch (opcode.name()) {
            case "bra" -> branch(opcode, operands);
            case "brx" -> indexedBranch(opcode, operands);
            case "ret" -> leave(opcode);
            default -> InstructionSet.decode(opcode, operands);
        };
        opcode.requireNoneLeft();
        instruction.describe(statement.line(), statement.opcode(), work);
        communicates |= InstructionSet.communicates(statement.opcode());
        if (statement.guard() != null) {
            int predicate = operands.predicate(new PtxOperand.Name(statement.guard())).register();
            if (instruction instanceof Flow flow) {
                flow.guard(predicate, statement.negated());
            } else {
                instruction = new Guarded(instruction, predicate, statement.negated());
                instruction.describe(statement.line(), statement.opcode(), work);
            }
        }
        code.add(instruction);
    }

    private Instruction branch(Opcode opcode, Operands operands) {
        opcode.ignore("uni");
        Branches.Branch branch = new Branches.Branch();
        whenPlaced(opcode, operands.at(0).toString(), branch::target);
        return branch;
    }

    private Instruction indexedBranch(Opcode opcode, Operands operands) {
        opcode.ignore("idx", "uni");
        String table = operands.at(1).toString();
        Labels here = labels;
        if (here.tables.get(table) == null) {
            throw opcode.error("there are no targets called " + table + " before it");
        }
        List<String> targets = here.tables.get(table);
        Branches.IndexedBranch branch = new Branches.IndexedBranch(operands.ints(0), targets.size());
        for (int i = 0; i < targets.size(); i++) {
            int which = i;
            whenPlaced(opcode, targets.get(i), place -> branch.target(which, place));
        }
        return branch;
    }

    /** ret: ends the kernel, or goes on behind the call. */
    private Instruction leave(Opcode opcode) {
        opcode.ignore("uni");
        if (callers.size() == 1) {
            return new Branches.Exit();
        }
        Branches.Branch branch = new Branches.Branch();
        whenPlaced(opcode, "", branch::target);
        return branch;
    }

    private void whenPlaced(Opcode opcode, String label, IntConsumer target) {
        Labels here = labels;
        here.waiting.add(() -> {
            Integer place = here.places.get(label);
            if (place == null) {
                throw opcode.error("there is no label " + label);
            }
            target.accept(place);
        });
    }

    /** {@code call (returned), function, (arguments)}: the function's parameters are the caller's variables. */
    private void call(Opcode opcode, Operands operands, PtxStatement.Instruction statement, Scope scope) {
        if (statement.guard() != null) {
            throw opcode.error("the emulator knows no calls under a predicate");
        }
        List<PtxOperand> returned = List.of();
        int next = 0;
        if (operands.at(0) instanceof PtxOperand.Vector vector) {
            returned = vector.elements();
            next = 1;
        }
        PtxFunction function = module.functions().get(operands.at(next).toString());
        if (function == null || function.body() == null) {
            throw opcode.error("the emulator can only call functions of the same module, not " + operands.at(next));
        }
        List<PtxOperand> arguments = next + 1 < operands.count() ? operands.elements(next + 1) : List.of();
        // Names of the module, not of the caller, are what a function sees.
        Scope inner = new Scope(outermost(scope), file);
        bind(opcode, function.returned(), returned, scope, inner);
        bind(opcode, function.parameters(), arguments, scope, inner);
        assembleFunction(function, inner);
    }

    private static Scope outermost(Scope scope) {
        Scope outermost = scope;
        while (outermost.outer() != null) {
            outermost = outermost.outer();
        }
        return outermost;
    }

    private static void bind(Opcode opcode, List<PtxVariable> formal, List<PtxOperand> actual, Scope scope,
            Scope inner) {
        if (formal.size() != actual.size()) {
            throw opcode.error(formal.size() + " arguments expected, not " + actual.size());
        }
        for (int i = 0; i < formal.size(); i++) {
            Scope.Symbol symbol = scope.symbol(actual.get(i).toString());
            if (symbol == null) {
                throw opcode.error(actual.get(i) + " is no variable in parameter memory");
            }
            inner.declare(formal.get(i).name(), symbol);
        }
    }
}
