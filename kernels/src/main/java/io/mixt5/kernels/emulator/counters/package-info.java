/**
 * Exact and repeatable measures of kernels, the same on every machine: {@link
 * io.mixt5.kernels.emulator.counters.Counters} counts while the emulator runs them. They say nothing of time or caches.
 */
package io.mixt5.kernels.emulator.counters;
