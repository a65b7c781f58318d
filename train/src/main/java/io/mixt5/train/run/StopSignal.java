package io.mixt5.train.run;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/**
 * Lets a run end cleanly on SIGTERM and SIGINT: the run sees {@link #requested}, finishes its step, saves, and the process
 * ends with {@link #exitCode}. The same signal once more, a second later or more, ends the process at once; what was saved
 * last is whole.
 *
 * <p>Listening needs the module {@code jdk.unsupported} and a JVM without {@code -Xrs}; elsewhere a signal ends the process
 * at once, as it does by itself.
 */
public final class StopSignal implements AutoCloseable {
    private static final String INTERRUPT = "INT";
    private static final String TERMINATE = "TERM";
    private static final Map<String, Integer> SIGNALS = Map.of(TERMINATE, 15, INTERRUPT, 2);
    private static final int SIGNALLED = 128;
    /** What comes sooner after the first is one request told twice: to all processes of a group, and by the launcher. */
    private static final long SAME_REQUEST = TimeUnit.SECONDS.toNanos(1);

    private final List<Replaced> replaced = new ArrayList<>();
    /** When each signal came first, by {@link #clock}. */
    private final Map<String, Long> heard = new ConcurrentHashMap<>();
    private final LongSupplier clock;
    private final IntConsumer end;

    /** The handler that a signal had before. */
    private record Replaced(String signal, Object handler) {
    }

    /** Starts to listen. */
    public StopSignal() {
        this(System::nanoTime, Runtime.getRuntime()::halt);
    }

    /** With a clock in nanoseconds and what ends the process with an exit code. */
    StopSignal(LongSupplier clock, IntConsumer end) {
        this.clock = clock;
        this.end = end;
        for (String signal : SIGNALS.keySet()) {
            try {
                replaced.add(new Replaced(signal, handle(signal, listener(signal))));
            } catch (ClassNotFoundException | InvocationTargetException e) {
                // Then the JVM's own handler stays.
                continue;
            }
        }
    }

    /** Whether the run is to end as soon as it can. */
    public boolean requested() {
        return !heard.isEmpty();
    }

    /**
     * What a shell calls a process that a signal has ended: 130 after SIGINT, 143 after SIGTERM alone, 0 before either.
     *
     * <p>After Ctrl-C there may come, besides its SIGINT, a SIGTERM from the launcher, which has been interrupted too. The JVM
     * hands each signal to a thread of its own, so which of the two is heard first says nothing.
     */
    public int exitCode() {
        return heard.isEmpty() ? 0 : SIGNALLED + SIGNALS.get(heard.containsKey(INTERRUPT) ? INTERRUPT : TERMINATE);
    }

    /** Only the same signal again means impatience; the other one may come from the launcher. */
    void heard(String signal) {
        long now = clock.getAsLong();
        Long first = heard.putIfAbsent(signal, now);
        if (first != null && now - first >= SAME_REQUEST) {
            end.accept(exitCode());
        }
    }

    /** By reflection, as a compiler that takes warnings for errors does not let the class's name through. */
    private Object listener(String signal) throws ClassNotFoundException {
        InvocationHandler heard = (proxy, method, arguments) -> switch (method.getName()) {
            case "handle" -> {
                heard(signal);
                yield null;
            }
            case "equals" -> proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> "listener to SIG" + signal;
        };
        return Proxy.newProxyInstance(StopSignal.class.getClassLoader(),
                new Class<?>[]{Class.forName("sun.misc.SignalHandler")}, heard);
    }

    private static Object handle(String name, Object handler)
            throws ClassNotFoundException, InvocationTargetException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        try {
            return signal.getMethod("handle", signal, Class.forName("sun.misc.SignalHandler")).invoke(null,
                    signal.getConstructor(String.class).newInstance(name), handler);
        } catch (NoSuchMethodException | IllegalAccessException | InstantiationException e) {
            throw new AssertionError("public since Java 1.2", e);
        }
    }

    /** Stops listening. */
    @Override
    public void close() {
        for (Replaced before : replaced) {
            try {
                handle(before.signal, before.handler);
            } catch (ClassNotFoundException | InvocationTargetException e) {
                throw new IllegalStateException("SIG" + before.signal + " cannot be given back", e);
            }
        }
    }
}
