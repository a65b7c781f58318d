package io.mixt5.launcher;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * Hands on to a child the signals that come once this JVM is being ended by one: a JVM that is shutting down lets further
 * ones go by, and the child would never hear that its user has lost patience.
 */
final class LaterSignals {
    private LaterSignals() {
    }

    /**
     * From now on SIGTERM and SIGINT end {@code child} by SIGTERM. Where the JVM does not let them be listened to, they still
     * go by. By reflection, as Java 8's public interface does not include the class.
     */
    static void handTo(Process child) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Method handle = signal.getMethod("handle", signal, handler);
            InvocationHandler forward = (proxy, method, arguments) -> {
                if (method.getName().equals("handle")) {
                    child.destroy();
                }
                return null;
            };
            Object listener = Proxy.newProxyInstance(LaterSignals.class.getClassLoader(), new Class<?>[]{handler},
                    forward);
            for (String name : new String[]{"TERM", "INT"}) {
                handle.invoke(null, signal.getConstructor(String.class).newInstance(name), listener);
            }
        } catch (ReflectiveOperationException e) {
            // Without the class, or with -Xrs.
            return;
        }
    }
}
