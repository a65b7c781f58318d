package io.mixt5.kernels.emulator.ptx;

/** PTX that cannot be read or executed. */
public final class PtxException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /**
     * At one place.
     *
     * @param module the name the PTX was loaded under
     * @param line of the text, from 1
     * @param message what is wrong there, half a sentence
     */
    public PtxException(String module, int line, String message) {
        super(module + ", PTX line " + line + ": " + message);
    }
}
