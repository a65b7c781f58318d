package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class StopSignalTest {
    private final List<Integer> ended = new ArrayList<>();
    private long now = Long.MAX_VALUE - 5;

    @Test
    void aSignalIsARequest() {
        try (StopSignal stop = new StopSignal(() -> now, ended::add)) {
            assertFalse(stop.requested());
            assertEquals(0, stop.exitCode());
            stop.heard("TERM");
            assertTrue(stop.requested());
            assertEquals(143, stop.exitCode());
            assertEquals(List.of(), ended);
        }
    }

    /** As when a whole group of processes is told to end, the launcher among them, which tells the run too. */
    @Test
    void theSameSignalRightAwayIsTheSameRequest() {
        try (StopSignal stop = new StopSignal(() -> now, ended::add)) {
            stop.heard("TERM");
            now += TimeUnit.MILLISECONDS.toNanos(999);
            stop.heard("TERM");
            stop.heard("TERM");
            assertEquals(List.of(), ended);
        }
    }

    @Test
    void theSameSignalLaterIsImpatience() {
        try (StopSignal stop = new StopSignal(() -> now, ended::add)) {
            stop.heard("TERM");
            now += TimeUnit.SECONDS.toNanos(1);
            stop.heard("INT");
            assertEquals(List.of(), ended);
            stop.heard("TERM");
            assertEquals(List.of(130), ended);
        }
    }
}
