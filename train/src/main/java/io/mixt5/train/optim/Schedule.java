package io.mixt5.train.optim;

/**
 * The learning rate over a run, step by step equal to the schedules of transformers (whose first step of a warm-up has rate 0).
 *
 * @param kind its form after the warm-up
 * @param peak the largest rate
 * @param warmupSteps steps over which the rate rises linearly from 0
 * @param totalSteps steps of the run
 */
public record Schedule(Kind kind, double peak, int warmupSteps, int totalSteps) {
    /** Forms of a schedule. */
    public enum Kind {
        /** Falls linearly to 0 at the end of the run. */
        LINEAR,
        /** Stays. */
        CONSTANT,
        /** peak * sqrt(warmupSteps / step), with 10000 in place of no warm-up at all: T5's pre-training. */
        INVERSE_SQRT,
        /** Adafactor's relative step, min(0.01, 1 / sqrt(step)), whatever the peak. */
        RELATIVE_STEP
    }

    /** The rate of update number {@code step}, counted from 0. */
    public double rate(int step) {
        if (step < warmupSteps) {
            return peak * step / warmupSteps;
        }
        return switch (kind) {
            case CONSTANT -> peak;
            case LINEAR -> peak * Math.max(0, totalSteps - step) / Math.max(1, totalSteps - warmupSteps);
            case INVERSE_SQRT -> {
                double timescale = warmupSteps > 0 ? warmupSteps : 10_000;
                yield peak / Math.sqrt((step - warmupSteps + timescale) / timescale);
            }
            case RELATIVE_STEP -> Math.min(1e-2, 1 / Math.sqrt(step + 1));
        };
    }
}
