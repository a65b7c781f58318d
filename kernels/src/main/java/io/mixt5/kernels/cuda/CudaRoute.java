package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.RandomStream;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import java.util.function.IntUnaryOperator;

/**
 * {@link Route} by route.cu, in three launches: choices with counts by chunk of tokens, sums over the chunks before,
 * places by rank in the chunk. Groups of tokens take a launch more, and so does leaving no token behind. Nothing is
 * read back, so that a token without a softmax is found out when the host next waits for the device:
 * {@link RouterFault}.
 */
public final class CudaRoute extends CudaKernel implements Route.Kernel {
    private static final int WARP = 32;
    /** Most threads of a block that works alone on a group, or on everything. */
    private static final int MOST_THREADS = 512;
    /** Most threads of a block that chooses. */
    private static final int CHOOSING = 512;
    /** Threads and tokens of a block of the backward pass, as in route_backward. */
    private static final int BACKWARD = 256;
    private static final int BACKWARD_TOKENS = 64;
    /** Most tokens of a chunk. */
    private static final int CHUNK = 256;
    /** Shared memory of a block, in numbers of 4 bytes; a little is left for the kernels' own. */
    private static final int SHARED = (48 << 10) / 4 - 256;
    /** AHEAD and Waiters::NEAR of route_rounds.cuh. */
    private static final int AHEAD = 8;
    private static final int NEAR = 2048;
    /** Columns of the chunks' sums behind the experts', FIGURES of route_choose.cuh. */
    private static final int FIGURES = 3;

    /** On {@code gpu}. */
    public CudaRoute(CudaGpu gpu) {
        super(gpu, "route");
    }

    @Override
    public String unsupported(DType dtype) {
        return dtype == DType.F32 ? null : "the router computes in F32 whatever the model's type";
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException when the numbers of so many experts do not fit into a block's shared memory: for more
     *         than 12,000 / (k + 2), or 2,600 where no token is left behind
     */
    @Override
    public void forward(Tensor logits, Tensor valid, Route.Spec spec, Routing routing) {
        try (Scope scope = new Scope(logits.device())) {
            new Pass(logits, spec, routing, scope).run(valid);
        }
    }

    @Override
    public void backward(Routing routing, Route.Spec spec, Tensor dweights, Tensor dbalance, Tensor dz,
            Target dlogits) {
        int tokens = Math.toIntExact(routing.logSumExp().count());
        int experts = routing.expertCount();
        int team = team(experts);
        int threads = threads(BACKWARD, count -> experts * (1 + count / team), experts);
        launch("route_backward").tensor(routing.probabilities()).tensor(routing.logSumExp()).tensor(routing.experts())
                .tensor(routing.slots()).tensor(routing.counts()).tensor(routing.stats()).tensor(dweights)
                .tensor(dbalance).tensor(dz).tensor(dlogits.tensor()).int32(tokens).int32(experts)
                .int32(routing.topK()).int32(spec.gate().ordinal()).bool(dlogits.accumulate())
                .run(blocks(tokens, BACKWARD_TOKENS), 1, 1, threads, 4 * experts * (1 + threads / team));
    }

    /** Lanes that share a token, as Team of route_choice.cuh has it. */
    private static int team(int experts) {
        return experts <= 8 ? 8 : experts <= 16 ? 16 : WARP;
    }

    /** Most threads up to {@code most}, in whole warps and halves of it, for which the shared memory suffices. */
    private static int threads(int most, IntUnaryOperator shared, int experts) {
        int threads = most;
        while (shared.applyAsInt(threads) > SHARED) {
            threads /= 2;
            if (threads < WARP) {
                throw new IllegalArgumentException("route: a block's shared memory has no room for " + experts
                        + " experts; use fewer, or fewer choices, or the CPU");
            }
        }
        return threads;
    }

    /** One forward pass, with its workspaces. */
    private final class Pass {
        private final Tensor logits;
        private final Route.Spec spec;
        private final Routing routing;
        private final Scope scope;
        private final int tokens;
        private final int experts;
        private final int k;
        private final int groups;
        /** Most tokens of a chunk, which are the threads of the block that gives them places. */
        private final int chunk;
        private final int chunks;
        /** Table of Group of route_chunks.cuh. */
        private final long groupTable;
        /** Table of Chunk of route_chunks.cuh. */
        private final long chunkTable;
        /** [E, k chunks] how many of a chunk choose an expert, and then how many of the chunks before. */
        private final Tensor counts;
        /** [E, groups] how many entries of each group want each expert. */
        private final Tensor asked;
        /** [E, groups] how many places each group takes of each expert, and then where they begin. */
        private final Tensor taken;
        /** Sums over the tokens of each chunk. */
        private final Tensor partial;

        Pass(Tensor logits, Route.Spec spec, Routing routing, Scope scope) {
            this.logits = logits;
            this.spec = spec;
            this.routing = routing;
            this.scope = scope;
            tokens = Math.toIntExact(logits.shape().rows());
            experts = routing.expertCount();
            k = spec.topK();
            chunk = threads(CHUNK, this::placing, experts);
            int[] lengths = spec.groupsOf(tokens);
            groups = lengths.length;
            int[] begins = new int[2 * (groups + 1)];
            for (int g = 0; g < groups; g++) {
                begins[2 * g + 2] = begins[2 * g] + lengths[g];
                begins[2 * g + 3] = begins[2 * g + 1] + Math.ceilDiv(lengths[g], chunk);
            }
            chunks = begins[2 * groups + 1];
            groupTable = gpu.table(begins);
            chunkTable = gpu.table(chunks(begins));
            counts = ints(experts, (long) k * chunks);
            asked = ints(experts, groups);
            taken = ints(experts, groups);
            partial = scope.allocate(DType.F32, Shape.of(experts + FIGURES, chunks), "route.partial");
        }

        private int[] chunks(int[] begins) {
            int[] table = new int[5 * chunks];
            int at = 0;
            for (int g = 0; g < groups; g++) {
                int end = begins[2 * g + 2];
                int step = begins[2 * g + 3] - begins[2 * g + 1];
                for (int c = 0; c < step; c++) {
                    int first = begins[2 * g] + c * chunk;
                    table[at++] = g;
                    table[at++] = first;
                    table[at++] = Math.min(end, first + chunk);
                    table[at++] = k * begins[2 * g + 1] + c;
                    table[at++] = step;
                }
            }
            return table;
        }

        void run(Tensor valid) {
            choose(valid);
            boolean rounds = spec.policy() == Route.Policy.NO_TOKEN_LEFT_BEHIND;
            Tensor capacities = ints(1, groups);
            Tensor movedGates = null;
            if (rounds) {
                movedGates = scope.allocate(DType.F32, Shape.of(groups), "route.moved_gates");
                placeInRounds(movedGates);
            } else {
                Launch scan = launch("route_scan").address(groupTable).tensor(counts).int64((long) k * chunks)
                        .tensor(asked).tensor(taken).tensor(capacities).tensor(partial).int32(chunks);
                capacity(results(scan).int32(experts).int32(k)).run(groups, 1, 1, warps(experts), 4 * experts);
            }
            if (rounds || groups != 1) {
                Launch summary = launch("route_summary").tensor(asked).tensor(taken).int32(groups).tensor(partial)
                        .int32(chunks).tensor(movedGates);
                results(summary).int32(experts).int32(k).run(1, warps(experts));
            }
            launch("route_finish").address(chunkTable).tensor(routing.experts()).tensor(counts)
                    .int64((long) k * chunks).tensor(taken).int32(groups).tensor(capacities).tensor(routing.offsets())
                    .tensor(routing.slots()).tensor(routing.tokens()).tensor(routing.weights())
                    .int64(routing.tokens().count()).int32(experts).int32(k).int32(spec.policy().ordinal())
                    .int32(spec.gate().ordinal()).run(chunks, 1, 1, chunk, 4 * placing(chunk));
        }

        private void choose(Tensor valid) {
            RandomStream sampling = spec.sampling();
            RandomStream stream = sampling == null ? new RandomStream(0, 0, 0) : sampling;
            int threads = threads(CHOOSING, this::choosing, experts);
            launch("route_choose").tensor(logits).tensor(valid).address(chunkTable).tensor(routing.probabilities())
                    .tensor(routing.logSumExp()).tensor(routing.experts()).tensor(routing.weights()).tensor(counts)
                    .int64((long) k * chunks).tensor(partial).address(gpu.routerFault().address()).int32(experts)
                    .int32(k).bool(sampling != null).int64(stream.seed()).int32(stream.id()).int32(stream.step())
                    .run(chunks, 1, 1, threads, 4 * choosing(threads));
        }

        private void placeInRounds(Tensor movedGates) {
            int threads = threads(MOST_THREADS, this::rounding, experts);
            Launch launch = launch("route_rounds").tensor(logits).tensor(routing.probabilities()).address(groupTable)
                    .tensor(counts).int64((long) k * chunks).tensor(asked).tensor(taken).tensor(routing.experts())
                    .tensor(routing.slots()).tensor(routing.weights()).tensor(ints(tokens, k))
                    .tensor(ints(tokens, AHEAD))
                    .tensor(ints(tokens, 2)).tensor(movedGates).int32(experts).int32(k);
            capacity(launch).run(groups, 1, 1, threads, 4 * rounding(threads));
        }

        /** Shared memory of route_choose with so many threads. */
        private int choosing(int threads) {
            return experts * (2 * threads / team(experts) + k);
        }

        /** Shared memory of route_rounds. */
        private int rounding(int threads) {
            return 2 * NEAR + experts * (1 + 2 * threads / WARP);
        }

        /** Shared memory of route_finish. */
        private int placing(int threads) {
            return 2 * threads * (k | 1) + experts * (1 + threads / WARP);
        }

        /** Threads of a block that has work for so many warps. */
        private static int warps(int wanted) {
            return Math.clamp((long) wanted * WARP, WARP, MOST_THREADS);
        }

        /** The arguments that make a {@code Summary} of route_places.cuh. */
        private Launch results(Launch launch) {
            return launch.tensor(routing.offsets()).tensor(routing.counts()).tensor(routing.balance())
                    .tensor(routing.z()).tensor(routing.stats());
        }

        /** The three arguments that make a {@code Capacity} of route_chunks.cuh; a double has 64 bits as well. */
        private Launch capacity(Launch launch) {
            return launch.int32(spec.policy().ordinal()).int64(Double.doubleToRawLongBits(spec.capacityFactor()))
                    .int32(spec.minCapacity());
        }

        private Tensor ints(long rows, long columns) {
            return scope.allocate(DType.I32, Shape.of(rows, columns), "route.workspace");
        }
    }
}
