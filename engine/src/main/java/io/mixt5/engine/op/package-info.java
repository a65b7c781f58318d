/**
 * The operations, one file each: shapes and their checks, the recording of the backward pass, the {@code Kernel} that
 * a backend implements, and the cases on which every backend is tested. An op is a static method {@code apply} that
 * takes the {@link io.mixt5.engine.Tape} first; its documentation gives the formula with its source and the shapes,
 * where N is a number of tokens, D a width, V a vocabulary, E a number of experts.
 *
 * <p>{@link io.mixt5.engine.Ops} finds the ops by looking into this package, so that a new one needs no entry in any
 * list.
 */
package io.mixt5.engine.op;
