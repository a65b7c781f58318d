package io.mixt5.engine.reference;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** {@link Route} by its definition: one token after another, an expert's entries in a list of its own. */
public final class ReferenceRoute extends ReferenceKernel implements Route.Kernel {
    @Override
    public String unsupported(DType dtype) {
        return dtype == DType.F32 || dtype == DType.F64 ? null : "the router computes in F32 whatever the model's type";
    }

    @Override
    public void forward(Tensor logits, Tensor valid, Route.Spec spec, Routing routing) {
        new Pass(logits, valid, spec, routing).run();
    }

    @Override
    public void backward(Routing routing, Route.Spec spec, Tensor dweights, Tensor dbalance, Tensor dz,
            Target dlogits) {
        int experts = routing.expertCount();
        int k = routing.topK();
        double tokens = routing.stats().get(Routing.TOKENS);
        for (long n = 0; n < routing.logSumExp().count(); n++) {
            boolean padding = routing.experts().get(n * k) < 0;
            double[] gate = padding ? null : gateGradient(routing, spec, dweights, n);
            double share = 0;
            for (int j = 0; j < experts && !padding; j++) {
                share += routing.probabilities().get(n * experts + j) * routing.counts().get(j);
            }
            for (int j = 0; j < experts; j++) {
                double gradient = 0;
                if (!padding) {
                    double p = routing.probabilities().get(n * experts + j);
                    double balance = experts * p * (routing.counts().get(j) - share) / (k * tokens * tokens);
                    double z = 2 * routing.logSumExp().get(n) * p / tokens;
                    gradient = gate[j] + dbalance.get(0) * balance + dz.get(0) * z;
                }
                put(dlogits, n * experts + j, gradient);
            }
        }
    }

    /** The gradient of a token's logits through its weights, from d w_s / d logit_j. */
    private static double[] gateGradient(Routing routing, Route.Spec spec, Tensor dweights, long n) {
        int experts = routing.expertCount();
        int k = routing.topK();
        double[] gradient = new double[experts];
        double chosen = 0;
        Set<Integer> all = new TreeSet<>();
        for (int s = 0; s < k; s++) {
            int e = (int) routing.experts().get(n * k + s);
            chosen += routing.probabilities().get(n * experts + e);
            all.add(e);
        }
        chosen = Math.max(chosen, Float.MIN_NORMAL);
        for (int s = 0; s < k; s++) {
            if (routing.slots().get(n * k + s) < 0) {
                continue;
            }
            int e = (int) routing.experts().get(n * k + s);
            double dw = dweights.get(n * k + s);
            double pe = routing.probabilities().get(n * experts + e);
            for (int j = 0; j < experts; j++) {
                double p = routing.probabilities().get(n * experts + j);
                double delta = j == e ? 1 : 0;
                gradient[j] += dw * switch (spec.gate()) {
                    case RAW -> pe * (delta - p);
                    case RENORMALIZED -> all.contains(j) ? pe / chosen * (delta - p / chosen) : 0;
                    case PRESERVING -> delta - p;
                };
            }
        }
        return gradient;
    }

    /** One forward pass. */
    private static final class Pass {
        private final Tensor logits;
        private final Tensor valid;
        private final Route.Spec spec;
        private final Routing routing;
        private final int tokens;
        private final int experts;
        private final int k;
        /** The entries n * k + s with a place in each expert, in the order of their places. */
        private final List<List<Integer>> placed = new ArrayList<>();
        /** The experts that each token has tried. */
        private final List<Set<Integer>> tried = new ArrayList<>();

        private Pass(Tensor logits, Tensor valid, Route.Spec spec, Routing routing) {
            this.logits = logits;
            this.valid = valid;
            this.spec = spec;
            this.routing = routing;
            tokens = (int) logits.shape().rows();
            experts = routing.expertCount();
            k = spec.topK();
        }

        void run() {
            for (int e = 0; e < experts; e++) {
                placed.add(new ArrayList<>());
            }
            routing.counts().zero();
            for (int n = 0; n < tokens; n++) {
                tried.add(new TreeSet<>());
                softmax(n);
                choose(n);
            }
            int first = 0;
            for (int length : spec.groupsOf(tokens)) {
                place(first, first + length);
                first += length;
            }
            writePlaces();
            writeWeights();
            writeFigures();
        }

        boolean padding(int n) {
            return valid != null && valid.get(n) == 0;
        }

        double logit(int n, int e) {
            return logits.get((long) n * experts + e);
        }

        double probability(int n, int e) {
            return routing.probabilities().get((long) n * experts + e);
        }

        void softmax(int n) {
            double max = Double.NEGATIVE_INFINITY;
            double sum = 0;
            for (int e = 0; e < experts && !padding(n); e++) {
                max = Math.max(max, logit(n, e));
            }
            for (int e = 0; e < experts && !padding(n); e++) {
                sum += Math.exp(logit(n, e) - max);
            }
            double logSumExp = padding(n) ? 0 : max + Math.log(sum);
            if (!Double.isFinite(logSumExp)) {
                throw new ArithmeticException(
                        "the router's logits of token " + n + " have no softmax, their log-sum-exp"
                                + " being " + logSumExp);
            }
            routing.logSumExp().set(n, logSumExp);
            for (int e = 0; e < experts; e++) {
                routing.probabilities().set((long) n * experts + e, padding(n) ? 0 : Math.exp(logit(n, e) - logSumExp));
            }
        }

        void choose(int n) {
            for (int s = 0; s < k; s++) {
                int e = padding(n) ? -1 : spec.sampling() == null ? bestUntried(n) : drawUntried(n, s);
                routing.experts().set((long) n * k + s, e);
                if (e >= 0) {
                    tried.get(n).add(e);
                    routing.counts().set(e, routing.counts().get(e) + 1);
                }
            }
        }

        /** The expert with the largest logit that the token has not tried, the first of several. */
        int bestUntried(int n) {
            int best = -1;
            for (int e = 0; e < experts; e++) {
                if (!tried.get(n).contains(e) && (best < 0 || logit(n, e) > logit(n, best))) {
                    best = e;
                }
            }
            return best;
        }

        /** The first untried expert at which the sum of the untried ones' probabilities passes a random part of it. */
        int drawUntried(int n, int s) {
            double whole = 0;
            for (int e = 0; e < experts; e++) {
                whole += tried.get(n).contains(e) ? 0 : probability(n, e);
            }
            double wanted = whole * spec.sampling().uniform((long) n * k + s);
            double sum = 0;
            int last = -1;
            for (int e = 0; e < experts && (last < 0 || sum <= wanted); e++) {
                if (!tried.get(n).contains(e)) {
                    sum += probability(n, e);
                    last = e;
                }
            }
            return last;
        }

        /** Gives places to the entries of the tokens from {@code first} up to but without {@code end}. */
        void place(int first, int end) {
            int count = 0;
            List<Integer> waiting = new ArrayList<>();
            for (int s = 0; s < k; s++) {
                for (int n = first; n < end; n++) {
                    if (!padding(n)) {
                        waiting.add(n * k + s);
                        count += s == 0 ? 1 : 0;
                    }
                }
            }
            int[] room = new int[experts];
            Arrays.fill(room, spec.capacity(count, experts));
            waiting.removeIf(entry -> placed(entry, (int) routing.experts().get(entry), room));
            while (spec.policy() == Route.Policy.NO_TOKEN_LEFT_BEHIND && !waiting.isEmpty()) {
                waiting.removeIf(entry -> tried.get(entry / k).size() == experts || tryNext(entry, room));
            }
        }

        boolean tryNext(int entry, int[] room) {
            int next = bestUntried(entry / k);
            tried.get(entry / k).add(next);
            return placed(entry, next, room);
        }

        boolean placed(int entry, int expert, int[] room) {
            if (room[expert] == 0) {
                return false;
            }
            room[expert]--;
            routing.experts().set(entry, expert);
            return placed.get(expert).add(entry);
        }

        void writePlaces() {
            for (int entry = 0; entry < tokens * k; entry++) {
                routing.slots().set(entry, -1);
            }
            int row = 0;
            for (int e = 0; e < experts; e++) {
                routing.offsets().set(e, row);
                for (int entry : placed.get(e)) {
                    routing.slots().set(entry, row);
                    routing.tokens().set(row++, entry / k);
                }
            }
            routing.offsets().set(experts, row);
            while (row < routing.tokens().count()) {
                routing.tokens().set(row++, -1);
            }
        }

        void writeWeights() {
            for (int n = 0; n < tokens; n++) {
                double sum = 0;
                for (int s = 0; s < k && !padding(n); s++) {
                    sum += probability(n, (int) routing.experts().get((long) n * k + s));
                }
                for (int s = 0; s < k; s++) {
                    long entry = (long) n * k + s;
                    boolean dropped = routing.slots().get(entry) < 0;
                    routing.weights().set(entry, dropped ? 0 : switch (spec.gate()) {
                        case RAW -> probability(n, (int) routing.experts().get(entry));
                        case RENORMALIZED ->
                            probability(n, (int) routing.experts().get(entry)) / Math.max(sum, Float.MIN_NORMAL);
                        case PRESERVING -> 1;
                    });
                }
            }
        }

        void writeFigures() {
            int count = 0;
            double balance = 0;
            double squares = 0;
            double entropy = 0;
            double gate = 0;
            for (int n = 0; n < tokens; n++) {
                if (padding(n)) {
                    continue;
                }
                count++;
                squares += routing.logSumExp().get(n) * routing.logSumExp().get(n);
                gate += probability(n, (int) routing.experts().get((long) n * k));
                for (int e = 0; e < experts; e++) {
                    double p = probability(n, e);
                    balance += routing.counts().get(e) * p;
                    entropy -= p == 0 ? 0 : p * Math.log(p);
                }
            }
            double mean = 1.0 / Math.max(1, count);
            routing.balance().set(0, experts * balance * mean * mean / k);
            routing.z().set(0, squares * mean);
            routing.stats().set(Routing.TOKENS, count);
            routing.stats().set(Routing.DROPPED, (double) count * k - routing.offsets().get(experts));
            routing.stats().set(Routing.ENTROPY, entropy * mean);
            routing.stats().set(Routing.GATE, gate * mean);
        }
    }
}
