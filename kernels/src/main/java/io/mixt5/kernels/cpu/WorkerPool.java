package io.mixt5.kernels.cpu;

import io.mixt5.engine.UserException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * The one pool of threads on which every CPU kernel runs.
 *
 * <p>{@link #forEach} hands out tasks 0, 1, 2, ... to whoever is free, the caller among them, and returns when all are
 * done. How work is cut into tasks is the caller's choice and must not depend on {@link #size}; then results do not
 * depend on the number of threads either. A body that calls {@code forEach} runs the inner tasks itself, in order.
 * Callers that come at the same time from several threads take turns.
 *
 * <p>As many threads as processors, or system property {@code mixt5.threads}; the caller counts as one. Idle threads
 * spin for some tens of microseconds, since a training step is thousands of short kernels in a row, and then park.
 */
public final class WorkerPool {
    /** The work of one {@link #forEach}. */
    @FunctionalInterface
    public interface Task {
        /**
         * Does one task.
         *
         * @param task which, from 0 to tasks - 1; each exactly once
         * @param worker who does it, from 0 to {@link WorkerPool#size} - 1; no two at once have the same number
         */
        void run(int task, int worker);
    }

    /** The work of one {@link #forRange}. */
    @FunctionalInterface
    public interface Range {
        /** Does the indices from {@code from} up to but without {@code to}, as {@code worker}. */
        void run(long from, long to, int worker);
    }

    private static final long SPIN_NANOS = 50_000;
    private static final int SPINS_PER_LOOK_AT_THE_CLOCK = 32;
    private static final int SIZE = configuredSize();
    private static final WorkerPool POOL = new WorkerPool();

    private static final VarHandle UNCLAIMED;
    private static final VarHandle UNFINISHED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            UNCLAIMED = lookup.findVarHandle(WorkerPool.class, "unclaimed", int.class);
            UNFINISHED = lookup.findVarHandle(WorkerPool.class, "unfinished", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
        for (Worker worker : POOL.workers) {
            worker.start();
        }
    }

    private final ReentrantLock turn = new ReentrantLock();
    private final Worker[] workers = new Worker[SIZE - 1];

    // The job at hand. body and tasks are written before unclaimed and read only by those who have claimed a task,
    // so that a thread which wakes late either claims a task of the job that is current by then, or none.
    private Task body;
    private int tasks;
    private volatile int unclaimed;
    private volatile int unfinished;
    private volatile Throwable failure;
    private volatile Thread waiting;

    private final BooleanSupplier available = () -> unclaimed > 0;
    private final BooleanSupplier finished = () -> unfinished == 0;

    private WorkerPool() {
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
        }
    }

    /** How many threads work at once, the caller among them; at least 1. */
    public static int size() {
        return SIZE;
    }

    /**
     * Runs {@code body} for every task from 0 to {@code tasks} - 1 and returns when all have ended. What the tasks
     * wrote is then visible to the caller. When one throws, tasks not yet begun are dropped, and the caller gets the
     * first exception once those that had begun have ended.
     *
     * @param tasks how many; none when 0
     */
    public static void forEach(int tasks, Task body) {
        if (Thread.currentThread() instanceof Worker worker) {
            runInline(tasks, body, worker.index);
        } else if (POOL.turn.isHeldByCurrentThread()) {
            runInline(tasks, body, 0);
        } else {
            POOL.turn.lock();
            try {
                if (SIZE == 1 || tasks <= 1) {
                    runInline(tasks, body, 0);
                } else {
                    POOL.runShared(tasks, body);
                }
            } finally {
                POOL.turn.unlock();
            }
        }
    }

    /**
     * Cuts the indices 0 to {@code n} - 1 into chunks of {@code grain}, the last one shorter, and runs {@code body}
     * for each as {@link #forEach} does. The cuts depend on {@code n} and {@code grain} alone.
     *
     * @param grain indices a chunk, at least 1; some ten thousand element operations make a chunk worth handing out
     */
    public static void forRange(long n, long grain, Range body) {
        int chunks = Math.toIntExact((n + grain - 1) / grain);
        forEach(chunks, (chunk, worker) -> {
            long from = chunk * grain;
            body.run(from, Math.min(n, from + grain), worker);
        });
    }

    private static void runInline(int tasks, Task body, int worker) {
        for (int task = 0; task < tasks; task++) {
            body.run(task, worker);
        }
    }

    private void runShared(int tasks, Task body) {
        this.body = body;
        this.tasks = tasks;
        failure = null;
        unfinished = tasks;
        unclaimed = tasks;
        int helpers = Math.min(workers.length, tasks - 1);
        for (int i = 0; i < helpers; i++) {
            workers[i].wake();
        }
        work(0);
        awaitOthers();
        this.body = null;
        if (failure != null) {
            Throwable thrown = failure;
            failure = null;
            throwUnchecked(thrown);
        }
    }

    /** A task declares no checked exception; one smuggled past the compiler goes on as it came. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void throwUnchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    /** Claims and runs tasks until none is left unclaimed. */
    private void work(int worker) {
        int ended = 0;
        int left;
        while ((left = unclaimed) > 0) {
            if (!UNCLAIMED.compareAndSet(this, left, left - 1)) {
                continue;
            }
            try {
                body.run(tasks - left, worker);
            } catch (Throwable e) {
                if (failure == null) {
                    failure = e;
                }
                ended += (int) UNCLAIMED.getAndSet(this, 0);
            }
            ended++;
        }
        if (ended > 0 && (int) UNFINISHED.getAndAdd(this, -ended) == ended) {
            LockSupport.unpark(waiting);
        }
    }

    private void awaitOthers() {
        if (spinUntil(finished)) {
            return;
        }
        waiting = Thread.currentThread();
        while (unfinished > 0) {
            LockSupport.park(this);
        }
        waiting = null;
    }

    /** Spins for a while; whether the condition came true. */
    private static boolean spinUntil(BooleanSupplier condition) {
        long deadline = System.nanoTime() + SPIN_NANOS;
        do {
            for (int i = 0; i < SPINS_PER_LOOK_AT_THE_CLOCK; i++) {
                if (condition.getAsBoolean()) {
                    return true;
                }
                Thread.onSpinWait();
            }
        } while (System.nanoTime() < deadline);
        return false;
    }

    private static int configuredSize() {
        String threads = System.getProperty("mixt5.threads");
        if (threads == null) {
            return Runtime.getRuntime().availableProcessors();
        }
        try {
            int size = Integer.parseInt(threads);
            if (size >= 1 && size <= 1024) {
                return size;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message for everything that is not a fit number.
        }
        throw new UserException("System property mixt5.threads is '" + threads + "': use a number from 1 to 1024.");
    }

    /** A thread of the pool; never ends. */
    private final class Worker extends Thread {
        final int index;
        private volatile boolean parked;

        Worker(int index) {
            super("mixt5-worker-" + index);
            this.index = index;
            setDaemon(true);
        }

        @Override
        public void run() {
            while (true) {
                if (!spinUntil(available)) {
                    // The flag first, then another look: either this thread sees the job or the job's owner the flag.
                    // An interrupt, which would make park return at once for good, is dropped: nobody here heeds one.
                    parked = true;
                    while (unclaimed == 0) {
                        LockSupport.park(WorkerPool.this);
                        Thread.interrupted();
                    }
                    parked = false;
                }
                work(index);
            }
        }

        /** Ends the thread's park, if it is parked; called after there is something to claim. */
        void wake() {
            if (parked) {
                LockSupport.unpark(this);
            }
        }
    }
}
