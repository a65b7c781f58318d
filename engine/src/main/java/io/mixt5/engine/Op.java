package io.mixt5.engine;

import java.util.List;

/**
 * One operation. A class in {@code io.mixt5.engine.op} that implements this is the whole op: a static method that
 * checks shapes, runs the kernel and records the backward; a nested {@code Kernel} interface that each backend
 * implements; and the cases by which every backend is tested and timed.
 */
public interface Op {
    /** The name in messages and reports, snake_case. */
    String name();

    /** Inputs on which the op is tested on every backend, small and odd ones foremost. */
    List<OpCase> cases();

    /** The op as a model of these sizes uses it, for benchmarks. */
    List<TimedCase> timed(Sizes sizes);

    /** The kernel interface that a backend has to implement. */
    Class<? extends Kernel> kernelType();
}
