package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

class ChunksTest {
    private static final long[] COUNTS = {0, 5, 3L * Chunks.ELEMENTS, 0, 0, Chunks.ELEMENTS + 1, 1, 0};

    @Test
    void everyElementOfEveryArrayIsDoneOnce() {
        ConcurrentHashMap<String, Integer> done = new ConcurrentHashMap<>();
        Chunks.forEach(COUNTS, (array, from, n, chunk) -> {
            assertTrue(n > 0 && n <= Chunks.ELEMENTS);
            done.merge(array + " " + from, n, Integer::sum);
        });
        TreeMap<Integer, Long> elements = new TreeMap<>();
        done.forEach((place, n) -> elements.merge(Integer.valueOf(place.split(" ")[0]), (long) n, Long::sum));
        for (int array = 0; array < COUNTS.length; array++) {
            assertEquals(COUNTS[array], elements.getOrDefault(array, 0L), "elements of array " + array);
        }
        assertEquals(Chunks.count(COUNTS), done.size());
    }

    @Test
    void chunksAreNumberedInTheOrderOfTheArrays() {
        Set<String> places = ConcurrentHashMap.newKeySet();
        Chunks.forEach(COUNTS, (array, from, n, chunk) -> places.add("%03d %d %08d".formatted(chunk, array, from)));
        assertEquals("[000 1 00000000, 001 2 00000000, 002 2 00016384, 003 2 00032768, 004 5 00000000, "
                + "005 5 00016384, 006 6 00000000]", new TreeSet<>(places).toString());
    }

    @Test
    void aChunkHasAtLeastOneRow() {
        assertEquals(1, Chunks.rows(1 << 20));
        assertEquals(Chunks.ELEMENTS, Chunks.rows(1));
        assertEquals(Chunks.ELEMENTS, Chunks.rows(0));
    }
}
