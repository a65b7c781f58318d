package io.mixt5.engine;

/**
 * One backend's implementation of one op. Each op declares an interface of its own that extends this one; shapes are
 * checked before a kernel runs, so kernels check nothing. Implementations are stateless and thread-safe.
 */
public interface Kernel {
    /** Null when the op runs on tensors of {@code dtype} here, else a sentence that says why it does not. */
    String unsupported(DType dtype);
}
