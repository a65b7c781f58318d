/** Benchmarks of operations, layers and training steps. */
package io.mixt5.bench;
