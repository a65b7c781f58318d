package io.mixt5.engine.op;

import io.mixt5.engine.DType;
import io.mixt5.engine.Tensor;

/**
 * Which parameters an update of an optimiser changes. The numbers that decide it lie on the device and kernels look at
 * them there, so that the host need not wait for a step's gradients before it starts the update.
 *
 * <p>Nothing is updated when the norm is not finite or above {@code maxUsableNorm}; nor is a parameter whose gradient
 * comes from no row ({@link Tensor#gradRows}): weight, moments and number of updates all stay as they are.
 *
 * @param counts F32 [P], how many updates each of P parameters has had; whole numbers, exact up to 2^24
 * @param norm [1], the norm of all gradients; null to use them as they are
 * @param maxNorm the norm to clip to; 0 does not clip
 * @param maxUsableNorm the largest norm, before clipping, with which anything is updated; infinity for no limit
 */
public record Updates(Tensor counts, Tensor norm, double maxNorm, double maxUsableNorm) {
    /** Without a limit to the norm but that it is finite. */
    public Updates(Tensor counts, Tensor norm, double maxNorm) {
        this(counts, norm, maxNorm, Double.POSITIVE_INFINITY);
    }

    /** Throws unless parameter {@code place} has a count, and {@code gradRows} (I32 [1] or null) is one. */
    void check(String op, int place, Tensor gradRows) {
        Checks.shapes(counts.dtype() == DType.F32 && place >= 0 && place < counts.count(), op,
                "an F32 count of updates for parameter " + place, counts);
        if (gradRows != null) {
            Checks.ints(op, gradRows);
            Checks.shapes(gradRows.count() == 1, op, "one count of a gradient's rows", gradRows);
        }
    }

    /**
     * For kernels that run where the host sees the device's memory: counts one more update of parameter {@code place},
     * if it is to be updated.
     *
     * @param gradRows from how many rows its gradient comes; null when that does not matter
     * @return the number of this update, from 1; 0 when the parameter stays as it is
     */
    public int next(int place, Tensor gradRows) {
        if (!usable() || gradRows != null && gradRows.get(0) == 0) {
            return 0;
        }
        int update = (int) counts.get(place) + 1;
        counts.set(place, update);
        return update;
    }

    private boolean usable() {
        return norm == null || Double.isFinite(norm.get(0)) && norm.get(0) <= maxUsableNorm;
    }

    /** What gradients are multiplied by to clip them; for kernels as {@link #next} is. */
    public double clipFactor() {
        return norm == null ? 1 : GradNorm.clipFactor(norm.get(0), maxNorm);
    }
}
