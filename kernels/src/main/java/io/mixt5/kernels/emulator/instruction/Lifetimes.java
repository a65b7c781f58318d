package io.mixt5.kernels.emulator.instruction;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.TreeSet;

/**
 * From where to where a kernel's registers hold something that is still read: a stretch of instructions for each, which
 * covers every place where a lane may need it.
 */
final class Lifetimes {
    private final FlowGraph graph;
    private final int[] first;
    private final int[] last;

    /** A stretch of instructions that are always executed one after the other. */
    private static final class Block {
        private final int from;
        private final int to;
        private final BitSet reads = new BitSet();
        private final BitSet writes = new BitSet();
        private final BitSet liveIn = new BitSet();
        private final BitSet liveOut = new BitSet();
        private final List<Block> next = new ArrayList<>();

        Block(int from, int to) {
            this.from = from;
            this.to = to;
        }
    }

    Lifetimes(FlowGraph graph) {
        this.graph = graph;
        first = new int[graph.variables().size()];
        last = new int[graph.variables().size()];
        Arrays.fill(first, Integer.MAX_VALUE);
        Arrays.fill(last, -1);
        List<Block> blocks = blocks();
        propagate(blocks);
        for (Block block : blocks) {
            block.liveIn.stream().forEach(variable -> cover(variable, block.from));
            block.liveOut.stream().forEach(variable -> cover(variable, block.to - 1));
        }
        for (int i = 0; i < graph.size(); i++) {
            for (int variable : graph.step(i).reads()) {
                cover(variable, i);
            }
            for (int variable : graph.step(i).writes()) {
                cover(variable, i);
            }
        }
    }

    /** The first instruction that a variable's life covers. */
    int first(int variable) {
        return first[variable];
    }

    /** The last instruction that it covers. */
    int last(int variable) {
        return last[variable];
    }

    private void cover(int variable, int place) {
        first[variable] = Math.min(first[variable], place);
        last[variable] = Math.max(last[variable], place);
    }

    private List<Block> blocks() {
        TreeSet<Integer> starts = new TreeSet<>(List.of(0, graph.size()));
        for (int i = 0; i < graph.size(); i++) {
            List<Integer> successors = graph.successors(i);
            if (!successors.equals(List.of(i + 1))) {
                starts.add(i + 1);
                starts.addAll(successors);
            }
        }
        Block[] at = new Block[graph.size() + 1];
        List<Block> blocks = new ArrayList<>();
        for (int start : starts) {
            if (start < graph.size()) {
                at[start] = new Block(start, starts.higher(start));
                blocks.add(at[start]);
            }
        }
        for (Block block : blocks) {
            for (int successor : graph.successors(block.to - 1)) {
                if (at[successor] != null) {
                    block.next.add(at[successor]);
                }
            }
            for (int i = block.to - 1; i >= block.from; i--) {
                FlowGraph.Step step = graph.step(i);
                for (int variable : step.writes()) {
                    block.reads.clear(variable);
                    block.writes.set(variable);
                    // What some lanes do not write they keep.
                    block.reads.set(variable, !step.sure());
                }
                for (int variable : step.reads()) {
                    block.reads.set(variable);
                }
            }
        }
        return blocks;
    }

    /** What is read behind a block without being written before is needed at its end. */
    private static void propagate(List<Block> blocks) {
        boolean changed = true;
        while (changed) {
            changed = false;
            for (int b = blocks.size() - 1; b >= 0; b--) {
                Block block = blocks.get(b);
                for (Block next : block.next) {
                    block.liveOut.or(next.liveIn);
                }
                BitSet needed = (BitSet) block.liveOut.clone();
                needed.andNot(block.writes);
                needed.or(block.reads);
                if (!needed.equals(block.liveIn)) {
                    block.liveIn.or(needed);
                    changed = true;
                }
            }
        }
    }
}
