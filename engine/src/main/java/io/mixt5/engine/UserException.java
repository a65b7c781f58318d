package io.mixt5.engine;

/**
 * An error that the user can mend: a missing file, an unknown key, a tensor of the wrong shape.
 *
 * <p>The message is one sentence that says what is wrong, where (file, key, tensor) and what to do. Programs print it
 * without a stack trace and exit with code 2.
 */
public class UserException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** An error with {@code message}, one sentence. */
    public UserException(String message) {
        super(message);
    }

    /** An error with {@code message}, one sentence, and what led to it. */
    public UserException(String message, Throwable cause) {
        super(message, cause);
    }
}
