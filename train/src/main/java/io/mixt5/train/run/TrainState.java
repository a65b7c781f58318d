package io.mixt5.train.run;

/**
 * Where a run stands, kept in {@code trainer_state.json}. Holds no times, so that equal runs leave equal bytes.
 *
 * @param seed of the run; a run goes on only with its own
 * @param step updates made or skipped
 * @param epoch number of the epoch under way, from 0
 * @param batch micro-batches of that epoch already seen
 * @param badSteps updates skipped because of a loss or gradients that could not be used
 * @param validatedStep update after which validation came last; 0 before the first
 * @param bestStep update after which validation was best; 0 before the first validation
 * @param bestExactMatch exact match there, in per cent
 * @param bestF1 F1 there, in per cent
 * @param lossScale of the next step; null where the loss is not scaled
 */
public record TrainState(long seed, int step, int epoch, int batch, int badSteps, int validatedStep, int bestStep,
        double bestExactMatch, double bestF1, LossScale lossScale) {
    /** Before the first step. */
    public static TrainState start(long seed) {
        return new TrainState(seed, 0, 0, 0, 0, 0, 0, -1, -1, null);
    }

    /**
     * After an update that used the epoch's micro-batches up to {@code toBatch} and left this loss scale.
     *
     * @param bad whether it was skipped
     */
    TrainState advanced(int toBatch, boolean bad, LossScale next) {
        return new TrainState(seed, step + 1, epoch, toBatch, badSteps + (bad ? 1 : 0), validatedStep, bestStep,
                bestExactMatch, bestF1, next);
    }

    /** At the start of the following epoch. */
    TrainState nextEpoch() {
        return new TrainState(seed, step, epoch + 1, 0, badSteps, validatedStep, bestStep, bestExactMatch, bestF1,
                lossScale);
    }

    /** After a validation that was not the best. */
    TrainState validated() {
        return new TrainState(seed, step, epoch, batch, badSteps, step, bestStep, bestExactMatch, bestF1, lossScale);
    }

    /** After a validation with these scores, the best so far. */
    TrainState improved(double exactMatch, double f1) {
        return new TrainState(seed, step, epoch, batch, badSteps, step, step, exactMatch, f1, lossScale);
    }

    /** As if there had been no validation before. */
    TrainState withoutBest() {
        return new TrainState(seed, step, epoch, batch, badSteps, validatedStep, 0, -1, -1, lossScale);
    }

    /** Whether these scores are better than the best so far: by exact match, then by F1. */
    boolean improvedBy(double exactMatch, double f1) {
        return exactMatch > bestExactMatch || exactMatch == bestExactMatch && f1 > bestF1;
    }

    /** Whether an epoch has just ended. */
    boolean atEpochEnd() {
        return step > 0 && batch == 0;
    }
}
