/** Optimisers and learning-rate schedules. */
package io.mixt5.train.optim;
