package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * The router's arithmetic for some tokens after others, on the calling thread: softmax, choices, and sums over the
 * tokens.
 *
 * <p>A block of tokens at a time is transposed, so that an expert's logits for all of them lie side by side: each lane
 * of a vector is a token of its own, and nothing has to be reduced across lanes. Padding and what is missing to a whole
 * vector of tokens have logits of 0 there, and are taken out of all results.
 *
 * <p>An expert that has been chosen is crossed out: by NaN among the logits, by -1 among the probabilities.
 */
final class RouteBlock {
    private static final int MEMORY = Scratch.newSlot();
    /** Logits of a block; they fit the first-level cache together with the probabilities. */
    private static final int LOGITS = 2048;
    private static final int MOST_TOKENS = 64;
    private static final float CROSSED_OUT = -1;
    private static final int NOBODY = -1;
    /** So far below the largest logit, an expert's part of the entropy is 0 in single precision. */
    private static final float LOWEST = -100;

    private final Tensor source;
    private final Tensor valid;
    private final Route.Spec spec;
    private final Routing routing;
    private final int experts;
    /** Tokens of a block. */
    private final int width;
    /** Bytes from one expert's numbers to the next one's. */
    private final long step;
    // [E, width]
    private final long logits;
    private final long probabilities;
    /** The sums of the probabilities. */
    private final long sums;
    // [width]
    /** 1 for tokens, 0 for padding. */
    private final long live;
    private final long largest;
    private final long sumsOfExp;
    private final long moments;
    private final long logSumExps;
    /** Int [k, width]. */
    private final long choices;
    /** [k, width]: the probabilities of the choices, then the weights. */
    private final long weights;
    private double gates;
    private double squares;
    private double entropies;

    /** Valid on this thread until another is made. */
    RouteBlock(Tensor logits, Tensor valid, Route.Spec spec, Routing routing) {
        this.source = logits;
        this.valid = valid;
        this.spec = spec;
        this.routing = routing;
        this.experts = routing.expertCount();
        this.width = Integer.highestOneBit(Math.clamp(LOGITS / experts, Lanes.FLOATS, MOST_TOKENS));
        this.step = (long) Float.BYTES * width;
        long table = step * experts;
        this.sums = Scratch.get(MEMORY, 3 * table + (5 + 2 * spec.topK()) * step);
        this.logits = sums + table;
        this.probabilities = this.logits + table;
        this.live = this.probabilities + table;
        this.largest = live + step;
        this.sumsOfExp = largest + step;
        this.moments = sumsOfExp + step;
        this.logSumExps = moments + step;
        this.choices = logSumExps + step;
        this.weights = choices + spec.topK() * step;
        Memory.fill(sums, table, (byte) 0);
    }

    /** The sum of the squares of the log-sum-exps so far; not finite where one of them is not. */
    double squares() {
        return squares;
    }

    /** The sum of the probabilities of the tokens' first experts so far. */
    double gates() {
        return gates;
    }

    /** The sum of the entropies so far, in nats. */
    double entropies() {
        return entropies;
    }

    /** Writes the sums of the experts' probabilities so far. */
    void writeSums(long target) {
        for (int e = 0; e < experts; e++) {
            FloatVector sum = Floats.all(0);
            for (long at = 0; at < step; at += 4L * Lanes.FLOATS) {
                sum = sum.add(Floats.load(sums + e * step + at));
            }
            Memory.setFloat(target + 4L * e, VectorMath.sum(sum));
        }
    }

    /**
     * Writes the probabilities, log-sum-exps, experts and weights of the tokens from {@code from} up to {@code to}, the
     * weights as if all entries had a place.
     */
    void route(long from, long to) {
        for (long token = from; token < to; token += width) {
            routeBlock(token, (int) Math.min(width, to - token));
        }
    }

    private void routeBlock(long first, int n) {
        read(first, n);
        choose(0);
        exponentials();
        logSumExps();
        normalize();
        Transpose.run(probabilities, width, routing.probabilities().rowAddress(first), experts, experts, n);
        Memory.copy(logSumExps, routing.logSumExp().address() + 4 * first, 4L * n);
        if (spec.sampling() != null) {
            draw(first);
        } else {
            lookUp(0);
            for (int s = 1; s < spec.topK(); s++) {
                crossOut(s - 1);
                choose(s);
                lookUp(s);
            }
        }
        weigh();
        Transpose.run(choices, width, routing.experts().rowAddress(first), spec.topK(), spec.topK(), n);
        Transpose.run(weights, width, routing.weights().rowAddress(first), spec.topK(), spec.topK(), n);
    }

    /** Gets the logits of {@code n} tokens. */
    private void read(long first, int n) {
        Transpose.run(source.rowAddress(first), experts, logits, width, n, experts);
        for (int t = 0; t < width; t++) {
            boolean lives = t < n && (valid == null || Memory.getInt(valid.address() + 4 * (first + t)) != 0);
            Memory.setFloat(live + 4L * t, lives ? 1 : 0);
            for (int e = 0; e < experts && !lives; e++) {
                Memory.setFloat(logits + e * step + 4L * t, 0);
            }
        }
    }

    /** Choice {@code s}: the experts with the largest logits that are left, the lowest index first among equals. */
    private void choose(int s) {
        for (long at = 0; at < step; at += 4L * Lanes.FLOATS) {
            FloatVector max = Floats.all(Float.NEGATIVE_INFINITY);
            IntVector best = IntVector.zero(Lanes.I);
            for (int e = experts - 1; e >= 0; e--) {
                FloatVector x = Floats.load(logits + e * step + at);
                VectorMask<Float> better = x.compare(VectorOperators.GE, max);
                max = max.blend(x, better);
                best = best.blend(e, better.cast(Lanes.I));
            }
            if (s == 0) {
                Floats.store(largest + at, max);
            }
            VectorMask<Float> dead = Floats.load(live + at).compare(VectorOperators.EQ, 0);
            Floats.store(choices + s * step + at, best.blend(NOBODY, dead.cast(Lanes.I)).reinterpretAsFloats());
        }
    }

    /** The probability of choice {@code s}, 0 for padding. */
    private void lookUp(int s) {
        for (long t = 0; t < step; t += 4) {
            int expert = Memory.getInt(choices + s * step + t);
            float probability = expert == NOBODY ? 0 : Memory.getFloat(probabilities + expert * step + t);
            Memory.setFloat(weights + s * step + t, probability);
        }
    }

    private void crossOut(int s) {
        for (int t = 0; t < width; t++) {
            int expert = Memory.getInt(choices + s * step + 4L * t);
            if (expert != NOBODY) {
                Memory.setFloat(logits + expert * step + 4L * t, Float.NaN);
            }
        }
    }

    /** exp(x - max) in place of the probabilities, their sum, and that of exp(x - max) (x - max). */
    private void exponentials() {
        for (long at = 0; at < step; at += 4L * Lanes.FLOATS) {
            FloatVector max = Floats.load(largest + at);
            FloatVector sum = Floats.all(0);
            FloatVector moment = sum;
            for (int e = 0; e < experts; e++) {
                FloatVector x = Floats.load(logits + e * step + at).sub(max);
                FloatVector exp = VectorMath.exp(x);
                Floats.store(probabilities + e * step + at, exp);
                sum = sum.add(exp);
                moment = exp.fma(x.blend(LOWEST, x.compare(VectorOperators.LT, LOWEST)), moment);
            }
            Floats.store(sumsOfExp + at, sum);
            Floats.store(moments + at, moment);
        }
    }

    /** What follows from the sums; in their place what the exponentials are to be multiplied by. */
    private void logSumExps() {
        FloatVector square = Floats.all(0);
        FloatVector entropy = square;
        for (long at = 0; at < step; at += 4L * Lanes.FLOATS) {
            FloatVector lives = Floats.load(live + at);
            FloatVector sum = Floats.load(sumsOfExp + at);
            FloatVector log = VectorLog.log(sum);
            FloatVector logSumExp = log.add(Floats.load(largest + at)).mul(lives);
            FloatVector inverse = lives.div(sum);
            Floats.store(logSumExps + at, logSumExp);
            Floats.store(sumsOfExp + at, inverse);
            square = logSumExp.fma(logSumExp, square);
            entropy = entropy.add(log.mul(lives).sub(Floats.load(moments + at).mul(inverse)));
        }
        squares += VectorMath.sum(square);
        entropies += VectorMath.sum(entropy);
    }

    private void normalize() {
        for (long at = 0; at < step * experts; at += 4L * Lanes.FLOATS) {
            FloatVector p = Floats.load(probabilities + at).mul(Floats.load(sumsOfExp + (at & step - 1)));
            Floats.store(probabilities + at, p);
            Floats.put(sums + at, p, true);
        }
    }

    /** Experts drawn from the softmax. */
    private void draw(long first) {
        for (int t = 0; t < width; t++) {
            boolean lives = Memory.getFloat(live + 4L * t) != 0;
            for (int s = 0; s < spec.topK(); s++) {
                int expert = lives ? draw(t, (first + t) * spec.topK() + s) : NOBODY;
                Memory.setInt(choices + s * step + 4L * t, expert);
                float probability = 0;
                if (lives) {
                    long address = probabilities + expert * step + 4L * t;
                    probability = Memory.getFloat(address);
                    Memory.setFloat(address, CROSSED_OUT);
                }
                Memory.setFloat(weights + s * step + 4L * t, probability);
            }
        }
    }

    /** The expert drawn by number {@code index} of the stream. */
    private int draw(int t, long index) {
        long column = probabilities + 4L * t;
        double whole = 0;
        for (int e = 0; e < experts; e++) {
            whole += Math.max(0, Memory.getFloat(column + e * step));
        }
        return firstBeyond(column, whole * spec.sampling().uniform(index));
    }

    /** The first expert at which the sum of the probabilities is beyond {@code wanted}; the last one when none is. */
    private int firstBeyond(long column, double wanted) {
        double sum = 0;
        int last = -1;
        for (int e = 0; e < experts && (last < 0 || sum <= wanted); e++) {
            float probability = Memory.getFloat(column + e * step);
            if (probability != CROSSED_OUT) {
                sum += probability;
                last = e;
            }
        }
        return last;
    }

    /** Turns the choices' probabilities into weights. */
    private void weigh() {
        FloatVector gate = Floats.all(0);
        for (long at = 0; at < step; at += 4L * Lanes.FLOATS) {
            FloatVector first = Floats.load(weights + at);
            gate = gate.add(first);
            if (spec.gate() == Route.Gate.PRESERVING) {
                Floats.store(weights + at, Floats.load(live + at));
            } else if (spec.gate() == Route.Gate.RENORMALIZED) {
                FloatVector sum = first;
                for (int s = 1; s < spec.topK(); s++) {
                    sum = sum.add(Floats.load(weights + s * step + at));
                }
                sum = sum.blend(Float.MIN_NORMAL, sum.compare(VectorOperators.LT, Float.MIN_NORMAL));
                for (int s = 0; s < spec.topK(); s++) {
                    Floats.store(weights + s * step + at, Floats.load(weights + s * step + at).div(sum));
                }
            }
        }
        gates += VectorMath.sum(gate);
    }
}
