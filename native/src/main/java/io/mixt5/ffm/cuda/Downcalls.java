package io.mixt5.ffm.cuda;

import java.lang.invoke.MethodHandle;

/**
 * Calls of the driver's functions, one method for each list of parameters that more than one function has. Given a
 * {@code static final} handle they compile to the bare call.
 */
final class Downcalls {
    private Downcalls() {
    }

    static int call(MethodHandle function, int a) {
        try {
            return (int) function.invokeExact(a);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int call(MethodHandle function, long a) {
        try {
            return (int) function.invokeExact(a);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int call(MethodHandle function, int a, long b) {
        try {
            return (int) function.invokeExact(a, b);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int call(MethodHandle function, long a, int b) {
        try {
            return (int) function.invokeExact(a, b);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int call(MethodHandle function, long a, long b) {
        try {
            return (int) function.invokeExact(a, b);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int call(MethodHandle function, long a, int b, int c) {
        try {
            return (int) function.invokeExact(a, b, c);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int call(MethodHandle function, long a, long b, int c) {
        try {
            return (int) function.invokeExact(a, b, c);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int call(MethodHandle function, long a, long b, long c) {
        try {
            return (int) function.invokeExact(a, b, c);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int call(MethodHandle function, long a, long b, long c, long d) {
        try {
            return (int) function.invokeExact(a, b, c, d);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** For a catch clause: a downcall throws nothing checked. */
    static RuntimeException unchecked(Throwable thrown) {
        if (thrown instanceof RuntimeException runtime) {
            return runtime;
        }
        throw thrown instanceof Error error ? error : new AssertionError("a downcall throws nothing checked", thrown);
    }
}
