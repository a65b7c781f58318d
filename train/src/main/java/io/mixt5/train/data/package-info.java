/**
 * Examples as token ids, and the order in which a run sees them, which is a function of the seed and the epoch alone:
 * a run that was interrupted goes on with the batches that it would have seen.
 */
package io.mixt5.train.data;
