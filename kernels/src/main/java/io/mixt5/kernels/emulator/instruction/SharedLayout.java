package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.ptx.PtxFunction;
import io.mixt5.kernels.emulator.ptx.PtxModule;
import io.mixt5.kernels.emulator.ptx.PtxOperand;
import io.mixt5.kernels.emulator.ptx.PtxStatement;
import io.mixt5.kernels.emulator.ptx.PtxVariable;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Where a kernel's shared variables lie: its own, and those of the module and of functions that it uses. */
final class SharedLayout {
    private static final int DYNAMIC_ALIGNMENT = 16;

    private final PtxModule module;
    private final Map<String, Long> addresses = new HashMap<>();
    private final Set<String> functions = new HashSet<>();
    private final Set<String> dynamic = new HashSet<>();
    private int bytes;

    /** Of a kernel. */
    SharedLayout(PtxModule module, PtxFunction kernel) {
        this.module = module;
        add(kernel);
        bytes = align(bytes, DYNAMIC_ALIGNMENT);
        for (String name : dynamic) {
            addresses.put(name, (long) bytes);
        }
    }

    /** Static shared memory; the dynamic one follows. */
    int bytes() {
        return bytes;
    }

    /** Addresses by name, from 0. */
    Map<String, Long> addresses() {
        return addresses;
    }

    static int align(int offset, int alignment) {
        return (offset + alignment - 1) / alignment * alignment;
    }

    private void add(PtxFunction function) {
        if (functions.add(function.name()) && function.body() != null) {
            add(function.body());
        }
    }

    private void add(PtxStatement statement) {
        switch (statement) {
            case PtxStatement.Scope scope -> scope.statements().forEach(this::add);
            case PtxStatement.Declaration declaration -> add(declaration.variable());
            case PtxStatement.Instruction instruction -> instruction.operands().forEach(this::add);
            default -> {
                // Names no variable.
            }
        }
    }

    private void add(PtxOperand operand) {
        switch (operand) {
            case PtxOperand.Address address when address.base() != null -> add(address.base());
            case PtxOperand.Name name -> {
                if (module.variables().containsKey(name.text())) {
                    add(module.variables().get(name.text()));
                }
                if (module.functions().containsKey(name.text())) {
                    add(module.functions().get(name.text()));
                }
            }
            default -> {
                // Names no variable.
            }
        }
    }

    private void add(PtxVariable variable) {
        if (!variable.space().equals("shared") || addresses.containsKey(variable.name())) {
            return;
        }
        if (variable.bytes() == 0) {
            dynamic.add(variable.name());
            return;
        }
        bytes = align(bytes, variable.align());
        addresses.put(variable.name(), (long) bytes);
        bytes += variable.bytes();
    }
}
