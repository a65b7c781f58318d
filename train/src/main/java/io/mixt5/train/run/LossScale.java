package io.mixt5.train.run;

import io.mixt5.engine.UserException;

/**
 * Dynamic loss scaling (Micikevicius et al., "Mixed Precision Training", 2018, section 3.2): the loss is multiplied by a
 * power of two, so that small gradients do not vanish in F16, and the gradients divided by it before they are used. A step
 * whose gradients overflow all the same is skipped.
 *
 * @param scale what the loss of the next step is multiplied by
 * @param good steps in a row without an overflow since the scale changed
 * @param skipped steps skipped in the run so far
 */
public record LossScale(double scale, int good, int skipped) {
    /** The scale of the first step. */
    static final double FIRST = 0x1p16;
    /** Good steps in a row after which the scale is doubled. */
    static final int PATIENCE = 2000;
    /** Gradients that overflow even at this scale have another cause than the scale. */
    static final double LEAST = 0x1p-24;

    /** Before the first step. */
    public static LossScale start() {
        return new LossScale(FIRST, 0, 0);
    }

    /**
     * After a step: halved when its gradients were not {@code finite}, doubled after {@link #PATIENCE} good ones.
     *
     * @throws UserException when no scale makes the gradients finite
     */
    LossScale after(boolean finite) {
        if (finite) {
            return good + 1 == PATIENCE
                    ? new LossScale(2 * scale, 0, skipped)
                    : new LossScale(scale, good + 1, skipped);
        }
        if (scale <= LEAST) {
            throw new UserException("the gradients are infinite or NaN in fp16 whatever the loss is scaled by; "
                    + "use precision bf16 or fp32");
        }
        return new LossScale(scale / 2, 0, skipped + 1);
    }

    /** What brings the gradients of the scaled loss back; exact, as the scale is a power of two. */
    float inverse() {
        return (float) (1 / scale);
    }
}
