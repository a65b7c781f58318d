package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.ptx.PtxFunction;
import io.mixt5.kernels.emulator.ptx.PtxStatement;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Lets registers share a place whose lives do not overlap. nvcc writes each register once and leaves it to ptxas to
 * find places for them; with a place for each, a large kernel's warps would not fit the processor's caches.
 *
 * <p>Lanes write only their own part of a register, so it is enough that no single lane's path needs two at once.
 */
final class RegisterSharing {
    private final Map<PtxStatement.Scope, Map<String, Register>> places = new IdentityHashMap<>();

    /**
     * For a kernel.
     *
     * @param file has the places
     */
    RegisterSharing(PtxFunction kernel, RegisterFile file) {
        FlowGraph graph = new FlowGraph(kernel);
        Lifetimes lives = new Lifetimes(graph);
        for (Register.Kind kind : Register.Kind.values()) {
            int[] variables = IntStream.range(0, graph.variables().size())
                    .filter(v -> Register.Kind.of(graph.variables().get(v).bytes()) == kind).boxed()
                    .sorted(Comparator.comparingInt(lives::first)).mapToInt(Integer::intValue).toArray();
            PriorityQueue<int[]> taken = new PriorityQueue<>(Comparator.comparingInt(place -> place[0]));
            BitSet free = new BitSet();
            for (int v : variables) {
                while (!taken.isEmpty() && taken.peek()[0] < lives.first(v)) {
                    free.set(taken.poll()[1]);
                }
                FlowGraph.Variable variable = graph.variables().get(v);
                int place = free.nextSetBit(0);
                if (place < 0) {
                    place = file.add(variable.bytes()).index();
                }
                free.clear(place);
                taken.add(new int[]{lives.last(v), place});
                places.computeIfAbsent(variable.scope(), absent -> new HashMap<>()).put(variable.name(),
                        new Register(kind, place, Math.max(1, 8 * variable.bytes())));
            }
        }
    }

    /** The places of the registers that a scope declares; empty for scopes of other functions. */
    Map<String, Register> of(PtxStatement.Scope scope) {
        return places.getOrDefault(scope, Map.of());
    }
}
