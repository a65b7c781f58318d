/**
 * Tensors off the heap, and their gradients, in Java alone. A {@link io.mixt5.engine.Device} is a place for {@link
 * io.mixt5.engine.Tensor}s, a {@link io.mixt5.engine.Scope} owns those of a step and closes them together, and a
 * {@link io.mixt5.engine.Tape} records the ops of a pass as they run and differentiates them. What computes is a
 * {@link io.mixt5.engine.Backend}, which {@link java.util.ServiceLoader} finds; the engine knows none but its own
 * reference.
 *
 * <p>Threads: a device may be used by any number of threads at once. A tensor, scope or tape belongs to one thread at
 * a time, and nothing here hands one to another. What is not closed is not freed: no finalizer does it.
 *
 * <p>Errors: what a user can mend is a {@link io.mixt5.engine.UserException} of one sentence; wrong arguments are
 * {@link java.lang.IllegalArgumentException}s, and use after close an {@link java.lang.IllegalStateException} that
 * names the op and the shape.
 */
package io.mixt5.engine;
