package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * {@link Route} on the CPU: softmax, choices and weights by {@link RouteBlock}, places by {@link RoutePlaces}, and then
 * what follows from the places.
 */
public final class CpuRoute extends F32Kernel implements Route.Kernel {
    /** Tokens of a task that does little with each. */
    private static final int TOKENS = 1024;
    private static final int STRIPE_SUMS = Scratch.newSlot();
    private static final int SUMS = Scratch.newSlot();
    private static final int SHARES = Scratch.newSlot();

    @Override
    public void forward(Tensor logits, Tensor valid, Route.Spec spec, Routing routing) {
        long tokens = logits.shape().rows();
        Stripes stripes = new Stripes(STRIPE_SUMS, tokens, routing.expertCount());
        double[] squares = new double[stripes.count()];
        double[] entropies = new double[stripes.count()];
        double[] gates = new double[stripes.count()];
        stripes.forEach((stripe, from, to, sums) -> {
            RouteBlock block = new RouteBlock(logits, valid, spec, routing);
            block.route(from, to);
            block.writeSums(sums);
            squares[stripe] = block.squares();
            entropies[stripe] = block.entropies();
            gates[stripe] = block.gates();
        });
        if (!Double.isFinite(sum(squares))) {
            refuseInfinite(routing.logSumExp());
        }
        RoutePlaces places = new RoutePlaces(logits, spec, routing);
        places.assign();
        int[] offsets = offsets(places.taken());
        writePlaces(routing, offsets);
        long sums = Scratch.get(SUMS, 4L * routing.expertCount());
        stripes.addUp(sums, false);
        double balance = 0;
        for (int e = 0; e < routing.expertCount(); e++) {
            balance += (double) places.counts()[e] * Memory.getFloat(sums + 4L * e);
        }
        double mean = 1.0 / Math.max(1, places.valid());
        setFloat(routing.balance(), 0, routing.expertCount() * balance * mean * mean / spec.topK());
        setFloat(routing.z(), 0, sum(squares) * mean);
        setFloat(routing.stats(), Routing.TOKENS, places.valid());
        setFloat(routing.stats(), Routing.DROPPED,
                (double) places.valid() * spec.topK() - offsets[routing.expertCount()]);
        setFloat(routing.stats(), Routing.ENTROPY, sum(entropies) * mean);
        setFloat(routing.stats(), Routing.GATE, (places.sentOn() ? weighAgain(spec, routing) : sum(gates)) * mean);
        setInts(routing.counts(), places.counts());
        setInts(routing.offsets(), offsets);
    }

    /** The log-sum-exps' squares add up to more than there is: is one of them that much itself? */
    private static void refuseInfinite(Tensor logSumExps) {
        for (long token = 0; token < logSumExps.count(); token++) {
            float logSumExp = Memory.getFloat(logSumExps.address() + 4 * token);
            if (!Float.isFinite(logSumExp)) {
                throw new ArithmeticException("the router's logits of token " + token + " have no softmax, their"
                        + " log-sum-exp being " + logSumExp);
            }
        }
    }

    /** Where each expert's rows begin when they have so many, and where the last one's end. */
    private static int[] offsets(int[] rows) {
        int[] offsets = new int[rows.length + 1];
        for (int e = 0; e < rows.length; e++) {
            offsets[e + 1] = offsets[e] + rows[e];
        }
        return offsets;
    }

    /** Turns places into slots, writes the tokens there, and takes the weights of entries without a place. */
    private static void writePlaces(Routing routing, int[] offsets) {
        int k = routing.topK();
        long slots = routing.slots().address();
        long rows = routing.tokens().address();
        long experts = routing.experts().address();
        for (long row = offsets[routing.expertCount()]; row < routing.tokens().count(); row++) {
            Memory.setInt(rows + 4 * row, -1);
        }
        WorkerPool.forRange(routing.logSumExp().count(), TOKENS, (from, to, worker) -> {
            for (long token = from; token < to; token++) {
                for (long entry = token * k; entry < (token + 1) * k; entry++) {
                    int place = Memory.getInt(slots + 4 * entry);
                    if (place >= 0) {
                        int slot = place + offsets[Memory.getInt(experts + 4 * entry)];
                        Memory.setInt(slots + 4 * entry, slot);
                        Memory.setInt(rows + 4L * slot, (int) token);
                    } else {
                        Memory.setFloat(routing.weights().address() + 4 * entry, 0);
                    }
                }
            }
        });
    }

    /** The weights, after entries changed their expert; returns the sum of the first entries' probabilities. */
    private static double weighAgain(Route.Spec spec, Routing routing) {
        int k = spec.topK();
        long tokens = routing.logSumExp().count();
        double[] gates = new double[(int) ((tokens + TOKENS - 1) / TOKENS)];
        WorkerPool.forRange(tokens, TOKENS, (from, to, worker) -> {
            float[] chosen = new float[k];
            for (long token = from; token < to; token++) {
                float sum = probabilities(routing, token, chosen);
                gates[(int) (from / TOKENS)] += chosen[0];
                for (int s = 0; s < k; s++) {
                    boolean placed = Memory.getInt(routing.slots().rowAddress(token) + 4L * s) >= 0;
                    float weight = !placed ? 0 : switch (spec.gate()) {
                        case RAW -> chosen[s];
                        case RENORMALIZED -> chosen[s] / sum;
                        case PRESERVING -> 1;
                    };
                    Memory.setFloat(routing.weights().rowAddress(token) + 4L * s, weight);
                }
            }
        });
        return sum(gates);
    }

    /** The probabilities of a token's experts, zeros for padding; returns their sum, above 0. */
    private static float probabilities(Routing routing, long token, float[] chosen) {
        long experts = routing.experts().rowAddress(token);
        long row = routing.probabilities().rowAddress(token);
        float sum = 0;
        for (int s = 0; s < chosen.length; s++) {
            int expert = Memory.getInt(experts + 4L * s);
            chosen[s] = expert < 0 ? 0 : Memory.getFloat(row + 4L * expert);
            sum += chosen[s];
        }
        return Math.max(sum, Float.MIN_NORMAL);
    }

    @Override
    public void backward(Routing routing, Route.Spec spec, Tensor dweights, Tensor dbalance, Tensor dz,
            Target dlogits) {
        int experts = routing.expertCount();
        int k = spec.topK();
        double tokens = Math.max(1, Memory.getFloat(routing.stats().address() + 4L * Routing.TOKENS));
        long shares = Scratch.get(SHARES, 4L * experts);
        double share = Memory.getFloat(dbalance.address()) * experts / (k * tokens * tokens);
        for (int e = 0; e < experts; e++) {
            Memory.setFloat(shares + 4L * e, (float) (share * Memory.getInt(routing.counts().address() + 4L * e)));
        }
        float zScale = (float) (2 * Memory.getFloat(dz.address()) / tokens);
        WorkerPool.forRange(routing.logSumExp().count(), Chunks.rows(experts), (from, to, worker) -> {
            float[] chosen = new float[k];
            float[] direct = new float[k];
            for (long token = from; token < to; token++) {
                long row = routing.probabilities().rowAddress(token);
                long target = dlogits.tensor().rowAddress(token);
                float sum = probabilities(routing, token, chosen);
                float common = gateGradient(routing, spec.gate(), dweights, token, chosen, sum, direct);
                float z = zScale * Memory.getFloat(routing.logSumExp().address() + 4 * token);
                differentiate(row, shares, z - common, target, experts, dlogits.accumulate());
                for (int s = 0; s < k; s++) {
                    int expert = Memory.getInt(routing.experts().address() + 4 * (token * k + s));
                    if (expert >= 0) {
                        long address = target + 4L * expert;
                        Memory.setFloat(address, Memory.getFloat(address) + direct[s]);
                    }
                }
            }
        });
    }

    /**
     * The gradient of a token's logits through its weights: {@code direct[s]} for the expert of choice s, and,
     * returned, what times the probability is to be taken off for every expert.
     */
    private static float gateGradient(Routing routing, Route.Gate gate, Tensor dweights, long token, float[] chosen,
            float sum, float[] direct) {
        float inner = 0;
        for (int s = 0; s < chosen.length; s++) {
            long entry = token * chosen.length + s;
            boolean placed = Memory.getInt(routing.slots().address() + 4 * entry) >= 0;
            float dweight = placed ? Memory.getFloat(dweights.address() + 4 * entry) : 0;
            direct[s] = switch (gate) {
                case RAW -> chosen[s] * dweight;
                case RENORMALIZED -> chosen[s] / sum * dweight;
                case PRESERVING -> dweight;
            };
            inner += direct[s];
        }
        if (gate != Route.Gate.RENORMALIZED) {
            return inner;
        }
        // A softmax over the chosen ones alone.
        for (int s = 0; s < chosen.length; s++) {
            direct[s] -= chosen[s] / sum * inner;
        }
        return 0;
    }

    /** y = p (share + common - p share), p share being a dot product; or y += that. */
    private static void differentiate(long p, long shares, float common, long y, int n, boolean accumulate) {
        int whole = n - n % Lanes.FLOATS;
        VectorMask<Float> rest = Floats.first(n - whole);
        FloatVector dot = Floats.all(0);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            dot = Floats.load(p + 4L * i).fma(Floats.load(shares + 4L * i), dot);
        }
        if (whole < n) {
            dot = Floats.load(p + 4L * whole, rest).fma(Floats.load(shares + 4L * whole, rest), dot);
        }
        float added = common - VectorMath.sum(dot);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            FloatVector factor = Floats.load(shares + 4L * i).add(added);
            Floats.put(y + 4L * i, Floats.load(p + 4L * i).mul(factor), accumulate);
        }
        if (whole < n) {
            FloatVector factor = Floats.load(shares + 4L * whole, rest).add(added);
            Floats.put(y + 4L * whole, Floats.load(p + 4L * whole, rest).mul(factor), accumulate, rest);
        }
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    private static void setFloat(Tensor tensor, long index, double value) {
        Memory.setFloat(tensor.address() + 4 * index, (float) value);
    }

    private static void setInts(Tensor tensor, int[] values) {
        for (int i = 0; i < values.length; i++) {
            Memory.setInt(tensor.address() + 4L * i, values[i]);
        }
    }
}
