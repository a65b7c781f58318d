/**
 * Training runs: {@link io.mixt5.train.run.TrainingRun} is a whole one, from a configuration to the best model; beside
 * it the loop, validation, checkpoints, and what is shown and written down. A run may be killed at any moment and goes
 * on from its newest checkpoint to the weights that it would have had.
 */
package io.mixt5.train.run;
