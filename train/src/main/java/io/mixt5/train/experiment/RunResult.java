package io.mixt5.train.experiment;

/**
 * What came out of one run of a comparison; kept as {@code result.json} in its directory.
 *
 * @param variant name
 * @param seed of the run
 * @param steps updates made; 0 for a model that was only scored
 * @param moeLayers blocks that are mixtures in the encoder and in the decoder together
 * @param noiseLambda NoisyTune's
 * @param exactMatch of the model after the last step, in per cent
 * @param f1 of the model after the last step, in per cent
 * @param bestExactMatch of the best validation on the way, in per cent; null where there was none
 * @param bestF1 in that validation, in per cent; null where there was none
 */
record RunResult(String variant, long seed, int steps, int moeLayers, double noiseLambda, Double exactMatch, Double f1,
        Double bestExactMatch, Double bestF1) {
}
