package io.mixt5.engine.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SequenceLayoutTest {
    @Test
    void sequencesFollowEachOther() {
        SequenceLayout layout = SequenceLayout.self(5, 1, 9);
        assertEquals(3, layout.sequences());
        assertArrayEquals(new int[]{0, 5, 6}, layout.queryStart());
        assertArrayEquals(new int[]{5, 1, 9}, layout.queryCount());
        assertArrayEquals(new int[]{0, 5, 6}, layout.keyStart());
        assertArrayEquals(new int[3], layout.queryPosition());
        assertEquals(15, layout.queryRows());
        assertEquals(15, layout.keyRows());
        assertEquals(12, layout.keyStride());
    }

    @Test
    void queriesAndKeysMayDiffer() {
        SequenceLayout layout = SequenceLayout.cross(new int[]{3, 4, 1}, new int[]{7, 2, 12});
        assertArrayEquals(new int[]{0, 3, 7}, layout.queryStart());
        assertArrayEquals(new int[]{0, 7, 9}, layout.keyStart());
        assertEquals(8, layout.queryRows());
        assertEquals(21, layout.keyRows());
        assertEquals(12, layout.keyStride(), "a multiple of 4 already");
    }

    @Test
    void rowsOfACacheMayHaveGapsAndAnyOrder() {
        SequenceLayout layout = new SequenceLayout(new int[]{0, 1}, new int[]{1, 1}, new int[]{16, 0},
                new int[]{4, 6}, new int[]{3, 5});
        assertEquals(2, layout.queryRows());
        assertEquals(20, layout.keyRows());
        assertEquals(8, layout.keyStride());
    }

    @Test
    void noSequencesAreAllowed() {
        SequenceLayout layout = SequenceLayout.self();
        assertEquals(0, layout.sequences());
        assertEquals(0, layout.queryRows());
        assertEquals(0, layout.keyStride());
    }

    @Test
    void callersCannotChangeTheLengths() {
        int[] lengths = {2, 3};
        SequenceLayout layout = SequenceLayout.self(lengths);
        lengths[1] = 9;
        assertEquals(5, layout.queryRows());
        assertEquals(5, layout.keyRows());
    }

    @Test
    void sequencesMayShareRows() {
        SequenceLayout layout = new SequenceLayout(new int[]{0, 1}, new int[]{1, 1}, new int[]{2, 2}, new int[]{4, 3},
                new int[2]);
        assertEquals(6, layout.keyRows());
    }

    @Test
    void noNumberIsNegative() {
        for (int array = 0; array < 5; array++) {
            int[][] numbers = new int[5][2];
            numbers[array][1] = -1;
            var error = assertThrows(IllegalArgumentException.class,
                    () -> new SequenceLayout(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]));
            assertTrue(error.getMessage().contains("[0, -1]"), error.getMessage());
        }
        assertThrows(ArithmeticException.class, () -> SequenceLayout.self(Integer.MAX_VALUE, 1).queryRows());
    }

    @Test
    void everyArrayHasOneEntryPerSequence() {
        assertThrows(IllegalArgumentException.class, () -> SequenceLayout.cross(new int[]{1, 2}, new int[]{3}));
        assertThrows(IllegalArgumentException.class,
                () -> new SequenceLayout(new int[1], new int[1], new int[1], new int[1], new int[2]));
    }
}
