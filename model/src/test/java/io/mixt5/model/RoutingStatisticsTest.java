package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class RoutingStatisticsTest {
    private final RoutingStatistics statistics = new RoutingStatistics();

    @Test
    void countsAddUpAndMeansAreOverTokens() {
        assertTrue(statistics.layers().isEmpty());
        statistics.add(List.of(figures("a", 1, 3, 1, 0.5), figures("b", 0, 0, 0, 0)));
        statistics.add(List.of(figures("a", 10, 2, 4, 1.5), figures("b", 1, 1, 1, 0.25)));
        RoutingFigures a = statistics.layers().getFirst();
        assertArrayEquals(new int[]{11, 5}, a.counts());
        assertEquals(16, a.tokens());
        assertEquals(5 / 16.0, a.droppedShare());
        assertEquals((4 * 0.5 + 12 * 1.5) / 16, a.entropy(), 1e-12);
        assertEquals(22 / 16.0, a.imbalance());
        RoutingFigures b = statistics.layers().getLast();
        assertEquals("b", b.layer());
        assertEquals(0.25, b.gate());
    }

    @Test
    void whatAddsUpBeyondAnIntIsAnError() {
        statistics.add(List.of(figures("a", Integer.MAX_VALUE, 0, 0, 0)));
        assertThrows(ArithmeticException.class, () -> statistics.add(List.of(figures("a", 1, 0, 0, 0))));
    }

    private static RoutingFigures figures(String layer, int first, int second, int dropped, double mean) {
        return new RoutingFigures(layer, new int[]{first, second}, first + second, dropped, mean, mean, mean, mean);
    }
}
