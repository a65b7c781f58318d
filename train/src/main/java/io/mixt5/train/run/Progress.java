package io.mixt5.train.run;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how far something is: a bar with the time left on a terminal, a line now and then elsewhere. */
public final class Progress implements AutoCloseable {
    private static final long LINE_INTERVAL_NANOS = Duration.ofSeconds(10).toNanos();

    private final PrintStream out;
    private final String task;
    private final long total;
    private final ProgressBar bar;
    private long done;
    private long lastLine = System.nanoTime();
    private final long started = System.nanoTime();
    private final long startedAt;

    /** Starts to show {@code task} on {@code out}, with {@code done} of {@code total} {@code unit}s behind us. */
    public Progress(PrintStream out, String task, String unit, long done, long total) {
        this.out = out;
        this.task = task;
        this.total = total;
        this.done = done;
        this.startedAt = done;
        boolean terminal = System.console() != null && System.console().isTerminal();
        this.bar = !terminal
                ? null
                : new ProgressBarBuilder().setTaskName(task).setInitialMax(total).startsFrom(done, Duration.ZERO)
                        .setStyle(ProgressBarStyle.ASCII).setUnit(" " + unit, 1).setUpdateIntervalMillis(250)
                        .continuousUpdate().build();
    }

    /** Counts {@code steps} more, with something to say about them. */
    public void step(long steps, String message) {
        done += steps;
        if (bar != null) {
            bar.stepBy(steps);
            bar.setExtraMessage(message);
        } else if (System.nanoTime() - lastLine > LINE_INTERVAL_NANOS || done == total) {
            lastLine = System.nanoTime();
            out.println(task + " " + done + "/" + total + "  " + message + "  " + timeLeft() + " left");
        }
    }

    private String timeLeft() {
        double seconds = (System.nanoTime() - started) * 1e-9 * (total - done) / Math.max(1, done - startedAt);
        return "%d:%02d".formatted((long) seconds / 60, (long) seconds % 60);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
