package io.mixt5.train.run;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a run end cleanly on SIGTERM and SIGINT: the run sees {@link #requested}, finishes its step, saves and closes this;
 * until then the JVM waits, and then exits with 143 or 130.
 */
public final class StopSignal implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 600;

    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook = new Thread(this::await, "mixt5-stop");
    private volatile boolean requested;

    /** Starts to listen. */
    public StopSignal() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Whether the run is to end as soon as it can. */
    public boolean requested() {
        return requested;
    }

    private void await() {
        requested = true;
        try {
            if (!done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("error: the run did not stop within " + PATIENCE_SECONDS
                        + " seconds; what it saved last is whole");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Says that the run has ended. */
    @Override
    public void close() {
        done.countDown();
        if (!requested) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The JVM is going down already, and the hook has been let go above.
                return;
            }
        }
    }
}
