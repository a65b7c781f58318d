package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.RandomStream;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import java.util.Arrays;

/**
 * {@link Route} by route.cu. Places are given by a counting sort: counts per chunk of 32 tokens and choice, sums over
 * the chunks before, ranks in the chunk. Nothing is read back, so that a token without a softmax is found out when the
 * host next waits for the device: {@link RouterFault}.
 */
public final class CudaRoute extends CudaKernel implements Route.Kernel {
    private static final int WARP = 32;
    private static final int THREADS = 256;
    /** Work items of a block that gives each a warp. */
    private static final int WARPS = THREADS / WARP;
    /** Most threads of a block that works alone on a group, or on everything. */
    private static final long MOST_THREADS = 1024;

    /** On {@code gpu}. */
    public CudaRoute(CudaGpu gpu) {
        super(gpu, "route");
    }

    @Override
    public String unsupported(DType dtype) {
        return dtype == DType.F32 ? null : "the router computes in F32 whatever the model's type";
    }

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
        launch("route_backward").tensor(routing.probabilities()).tensor(routing.logSumExp()).tensor(routing.experts())
                .tensor(routing.slots()).tensor(routing.counts()).tensor(routing.stats()).tensor(dweights)
                .tensor(dbalance).tensor(dz).tensor(dlogits.tensor()).int32(tokens).int32(routing.expertCount())
                .int32(routing.topK()).int32(spec.gate().ordinal()).bool(dlogits.accumulate())
                .run(blocks(tokens, WARPS), THREADS);
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
        /** Tokens of the groups. */
        private final int[] lengths;
        /** Chunks of all groups. */
        private final int chunks;
        /** Table of where each group begins, in tokens and in chunks. */
        private final long begins;
        /** How many entries of each group want each expert and, in the last column, are no padding. */
        private final Tensor asked;
        /** How many places each group takes of each expert. */
        private final Tensor taken;

        Pass(Tensor logits, Route.Spec spec, Routing routing, Scope scope) {
            this.logits = logits;
            this.spec = spec;
            this.routing = routing;
            this.scope = scope;
            tokens = Math.toIntExact(logits.shape().rows());
            experts = routing.expertCount();
            k = spec.topK();
            lengths = spec.groupsOf(tokens);
            int[] table = new int[2 * (lengths.length + 1)];
            for (int g = 0; g < lengths.length; g++) {
                table[2 * g + 2] = table[2 * g] + lengths[g];
                table[2 * g + 3] = table[2 * g + 1] + Math.ceilDiv(lengths[g], WARP);
            }
            chunks = table[2 * lengths.length + 1];
            begins = gpu.table(table);
            asked = ints(lengths.length, experts + 1);
            taken = ints(lengths.length, experts);
        }

        void run(Tensor valid) {
            Tensor entropies = scope.allocate(DType.F32, Shape.of(tokens), "route.entropies");
            choose(valid, entropies);
            rank();
            if (spec.policy() == Route.Policy.NO_TOKEN_LEFT_BEHIND) {
                sendOn();
            }
            launch("route_offsets").tensor(asked).tensor(taken).int32(lengths.length).int32(experts).int32(k)
                    .tensor(routing.offsets()).tensor(routing.counts()).tensor(routing.stats())
                    .run(1, warps(experts + 1L));
            finish(entropies);
        }

        private void choose(Tensor valid, Tensor entropies) {
            RandomStream sampling = spec.sampling();
            RandomStream stream = sampling == null ? new RandomStream(0, 0, 0) : sampling;
            launch("route_choose").tensor(logits).tensor(valid).tensor(routing.probabilities())
                    .tensor(routing.logSumExp()).tensor(entropies).tensor(routing.experts())
                    .address(gpu.routerFault().address()).int32(tokens).int32(experts).int32(k).bool(sampling != null)
                    .int64(stream.seed()).int32(stream.id()).int32(stream.step()).run(blocks(tokens, WARPS), THREADS);
        }

        /** Places of the first round. */
        private void rank() {
            long rows = (long) chunks * k;
            int groups = lengths.length;
            Tensor counts = ints(rows, experts + 1);
            launch("route_count").tensor(routing.experts()).address(begins).int32(groups).tensor(counts).int64(rows)
                    .int32(experts).int32(k).run(blocks(rows, WARPS), THREADS);
            launch("route_scan").address(begins).int32(groups).tensor(counts).tensor(asked).int32(experts).int32(k)
                    .run(blocks(asked.count(), WARPS), THREADS);
            capacity(launch("route_rank").tensor(routing.experts()).address(begins).int32(groups).tensor(counts)
                    .tensor(asked).tensor(routing.slots()).int64(rows).int32(experts).int32(k))
                    .run(blocks(rows, WARPS), THREADS);
            capacity(launch("route_take").tensor(asked).tensor(taken).int32(groups).int32(experts).int32(k))
                    .run(blocks(taken.count(), THREADS), THREADS);
        }

        /** Places of the rounds after the first. */
        private void sendOn() {
            long longest = Arrays.stream(lengths).max().orElse(0);
            Tensor first = ints(tokens, k);
            first.copyFrom(routing.experts());
            capacity(launch("route_rounds").tensor(logits).tensor(first).address(begins).int32(lengths.length)
                    .tensor(asked).tensor(taken).tensor(routing.experts()).tensor(routing.slots())
                    .tensor(ints(tokens, k)).tensor(ints(tokens, k)).tensor(ints(2, tokens)).int32(tokens)
                    .int32(experts).int32(k))
                    .run(lengths.length, warps(blocks(longest * k, WARP)));
        }

        /** What follows from the places. */
        private void finish(Tensor entropies) {
            Tensor partial = scope.allocate(DType.F32, Shape.of(Routing.STATS, chunks), "route.partial");
            launch("route_finish").tensor(routing.probabilities()).tensor(routing.logSumExp()).tensor(entropies)
                    .tensor(routing.experts()).address(begins).int32(lengths.length).tensor(taken)
                    .tensor(routing.offsets()).tensor(routing.counts()).tensor(routing.slots()).tensor(routing.tokens())
                    .tensor(routing.weights()).tensor(partial).int32(chunks).int64(routing.tokens().count())
                    .int32(experts).int32(k).int32(spec.gate().ordinal()).run(blocks(chunks, WARPS), THREADS);
            launch("route_figures").tensor(partial).int32(chunks).int32(experts).int32(k).tensor(routing.balance())
                    .tensor(routing.z()).tensor(routing.stats()).run(1, warps(blocks(chunks, WARP)));
        }

        /** Threads of a block that has work for so many warps. */
        private static int warps(long wanted) {
            return (int) Math.clamp(wanted * WARP, WARP, MOST_THREADS);
        }

        /** The three arguments that make a {@code Capacity} of route_places.cuh; a double has 64 bits as well. */
        private Launch capacity(Launch launch) {
            return launch.int32(spec.policy().ordinal()).int64(Double.doubleToRawLongBits(spec.capacityFactor()))
                    .int32(spec.minCapacity());
        }

        private Tensor ints(long rows, long columns) {
            return scope.allocate(DType.I32, Shape.of(rows, columns), "route.workspace");
        }
    }
}
