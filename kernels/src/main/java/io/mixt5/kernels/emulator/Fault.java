package io.mixt5.kernels.emulator;

/** What a kernel did wrong; it ends the launch, and the context is lost as on a GPU. */
public final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What a GPU's driver would call it. */
    public enum Kind {
        /** An access outside what is allocated, or misaligned: CUDA_ERROR_ILLEGAL_ADDRESS. */
        ILLEGAL_ADDRESS,
        /** Everything else: CUDA_ERROR_LAUNCH_FAILED. */
        LAUNCH_FAILED
    }

    private final Kind kind;

    /**
     * Of one finding.
     *
     * @param message what happened and where: kernel, PTX line, block and thread (see {@link WarpView#where})
     */
    public Fault(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    /** What a GPU's driver would call it. */
    public Kind kind() {
        return kind;
    }
}
