/**
 * Optimisers and learning-rate schedules, for runs and for loops of one's own: make an {@link
 * io.mixt5.train.optim.Optimizer} for a model's parameters, fill their gradients by {@code Tape.backward}, and call
 * {@code step}. Each gives PyTorch's or transformers' numbers. An optimiser owns its state on the parameters' device:
 * close it. One thread at a time.
 */
package io.mixt5.train.optim;
