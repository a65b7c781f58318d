package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * The router's arithmetic for one token after another, on the calling thread: softmax, choices, and sums over the
 * tokens.
 *
 * <p>A token's logits are copied to where they can be padded to whole vectors, with minus infinity. An expert that has
 * been chosen is crossed out there, with minus infinity, and among the probabilities, with -1.
 */
final class RouteRow {
    private static final int ROW = Scratch.newSlot();
    private static final float CROSSED_OUT = -1;
    /** So far below the largest logit, an expert's part of the entropy is 0 in single precision. */
    private static final float LOWEST = -100;

    private final Tensor valid;
    private final Route.Spec spec;
    private final Routing routing;
    private final int experts;
    private final int padded;
    private final long source;
    private final long sums;
    private final long logits;
    private final long probabilities;
    private float max;
    private double squares;
    private double entropies;

    /**
     * Valid on this thread until another is made.
     *
     * @param sums floats, as many as {@link #padded} says, to which the probabilities are added
     */
    RouteRow(Tensor logits, Tensor valid, Route.Spec spec, Routing routing, long sums) {
        this.valid = valid;
        this.spec = spec;
        this.routing = routing;
        this.experts = routing.expertCount();
        this.padded = padded(experts);
        this.source = logits.address();
        this.sums = sums;
        this.logits = Scratch.get(ROW, 2L * Float.BYTES * padded);
        this.probabilities = this.logits + (long) Float.BYTES * padded;
        Floats.store(this.logits + 4L * (padded - Lanes.FLOATS), Floats.all(Float.NEGATIVE_INFINITY));
    }

    /** The length of the whole vectors that so many floats take. */
    static int padded(int experts) {
        return (experts + Lanes.FLOATS - 1) / Lanes.FLOATS * Lanes.FLOATS;
    }

    /** The sum of the squares of the log-sum-exps so far. */
    double squares() {
        return squares;
    }

    /** The sum of the entropies so far, in nats. */
    double entropies() {
        return entropies;
    }

    /** Writes a token's probabilities, log-sum-exp and experts. False when it has no softmax. */
    boolean route(long token) {
        long choices = routing.experts().rowAddress(token);
        long target = routing.probabilities().rowAddress(token);
        if (valid != null && Memory.getInt(valid.address() + 4 * token) == 0) {
            Memory.fill(target, 4L * experts, (byte) 0);
            Memory.fill(choices, 4L * spec.topK(), (byte) -1);
            Memory.setFloat(routing.logSumExp().address() + 4 * token, 0);
            return true;
        }
        double logSumExp = softmax(token, target);
        Memory.setFloat(routing.logSumExp().address() + 4 * token, (float) logSumExp);
        if (!Double.isFinite(logSumExp)) {
            return false;
        }
        squares += logSumExp * logSumExp;
        if (spec.sampling() == null) {
            chooseBest(choices);
        } else {
            draw(token * spec.topK(), choices);
        }
        return true;
    }

    private double softmax(long token, long target) {
        Memory.copy(source + 4 * token * experts, logits, 4L * experts);
        max = largest();
        FloatVector sum = Floats.all(0);
        FloatVector moment = sum;
        for (int i = 0; i < padded; i += Lanes.FLOATS) {
            FloatVector x = Floats.load(logits + 4L * i).sub(max);
            FloatVector exp = VectorMath.exp(x);
            Floats.store(probabilities + 4L * i, exp);
            sum = sum.add(exp);
            moment = exp.fma(x.max(LOWEST), moment);
        }
        double total = VectorMath.sum(sum);
        double log = Math.log(total);
        entropies += log - VectorMath.sum(moment) / total;
        float inverse = (float) (1 / total);
        for (int i = 0; i < padded; i += Lanes.FLOATS) {
            FloatVector p = Floats.load(probabilities + 4L * i).mul(inverse);
            Floats.store(probabilities + 4L * i, p);
            Floats.put(sums + 4L * i, p, true);
        }
        Memory.copy(probabilities, target, 4L * experts);
        return max + log;
    }

    /** The experts with the largest logits, the lowest index first among equals. */
    private void chooseBest(long target) {
        int best = firstLargest();
        Memory.setInt(target, best);
        for (int s = 1; s < spec.topK(); s++) {
            crossOut(best);
            max = largest();
            best = firstLargest();
            Memory.setInt(target + 4L * s, best);
        }
    }

    /** Experts drawn from the softmax; the first draw takes number {@code index} of the stream. */
    private void draw(long index, long target) {
        for (int s = 0; s < spec.topK(); s++) {
            int expert = firstBeyond(sumOfProbabilities() * spec.sampling().uniform(index + s));
            Memory.setInt(target + 4L * s, expert);
            crossOut(expert);
        }
    }

    private float largest() {
        FloatVector largest = Floats.load(logits);
        for (int i = Lanes.FLOATS; i < padded; i += Lanes.FLOATS) {
            largest = largest.max(Floats.load(logits + 4L * i));
        }
        return largest.reduceLanes(VectorOperators.MAX);
    }

    private int firstLargest() {
        if (max == Float.NEGATIVE_INFINITY) {
            return firstLeft();
        }
        for (int i = 0; i < padded; i += Lanes.FLOATS) {
            VectorMask<Float> equal = Floats.load(logits + 4L * i).compare(VectorOperators.EQ, max);
            if (equal.anyTrue()) {
                return i + equal.firstTrue();
            }
        }
        throw new AssertionError("the largest logit is none of them");
    }

    /** The first expert not crossed out, for when those that are left are all impossible. */
    private int firstLeft() {
        int expert = 0;
        while (probability(expert) == CROSSED_OUT) {
            expert++;
        }
        return expert;
    }

    private double sumOfProbabilities() {
        double sum = 0;
        for (int e = 0; e < experts; e++) {
            sum += Math.max(0, probability(e));
        }
        return sum;
    }

    /** The first expert at which the sum of the probabilities is beyond {@code wanted}; the last one when none is. */
    private int firstBeyond(double wanted) {
        double sum = 0;
        int last = -1;
        for (int e = 0; e < experts && (last < 0 || sum <= wanted); e++) {
            if (probability(e) != CROSSED_OUT) {
                sum += probability(e);
                last = e;
            }
        }
        return last;
    }

    private float probability(int expert) {
        return Memory.getFloat(probabilities + 4L * expert);
    }

    private void crossOut(int expert) {
        Memory.setFloat(logits + 4L * expert, Float.NEGATIVE_INFINITY);
        Memory.setFloat(probabilities + 4L * expert, CROSSED_OUT);
    }
}
