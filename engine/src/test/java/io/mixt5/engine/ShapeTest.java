package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ShapeTest {
    @Test
    void countsItsElements() {
        Shape shape = Shape.of(2, 3, 5);
        assertEquals(3, shape.rank());
        assertEquals(30, shape.count());
        assertEquals(6, shape.rows());
        assertEquals(5, shape.columns());
    }

    @Test
    void negativeAxesCountFromTheEnd() {
        Shape shape = Shape.of(2, 3, 5);
        assertEquals(2, shape.dim(0));
        assertEquals(5, shape.dim(-1));
        assertEquals(2, shape.dim(-3));
        assertThrows(IndexOutOfBoundsException.class, () -> shape.dim(3));
        assertThrows(IndexOutOfBoundsException.class, () -> shape.dim(-4));
    }

    @Test
    void noSizesAreAScalar() {
        Shape scalar = Shape.of();
        assertEquals(0, scalar.rank());
        assertEquals(1, scalar.count());
        assertEquals(1, scalar.rows());
        assertEquals(1, scalar.columns());
    }

    @Test
    void emptyShapesKeepTheirRows() {
        assertEquals(0, Shape.of(0, 8).count());
        assertEquals(0, Shape.of(0, 8).rows());
        assertEquals(6, Shape.of(2, 3, 0).rows());
        assertEquals(0, Shape.of(2, 3, 0).columns());
    }

    @Test
    void sizesPast31BitsAreCounted() {
        assertEquals(3L << 32, Shape.of(3, 1L << 32).count());
        assertThrows(ArithmeticException.class, () -> Shape.of(1L << 32, 1L << 31));
        assertEquals(0, Shape.of(1L << 40, 1L << 40, 0).count(), "nothing, whatever the other sizes");
        assertEquals(0, Shape.of(0, 1L << 40, 1L << 40).count());
        assertThrows(ArithmeticException.class, () -> Shape.of(1L << 40, 1L << 40, 0).rows());
    }

    @Test
    void negativeSizesAreRefused() {
        var error = assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
        assertTrue(error.getMessage().contains("[2, -1]"), error.getMessage());
    }

    @Test
    void theLastSizeCanBeReplaced() {
        Shape shape = Shape.of(2, 3, 5);
        assertEquals(Shape.of(2, 3, 7), shape.withColumns(7));
        assertEquals(Shape.of(2, 3, 5), shape, "the shape itself stays");
        assertThrows(IllegalArgumentException.class, () -> Shape.of().withColumns(7));
    }

    @Test
    void equalSizesAreEqualShapes() {
        assertEquals(Shape.of(2, 3), Shape.of(2, 3));
        assertEquals(Shape.of(2, 3).hashCode(), Shape.of(2, 3).hashCode());
        assertNotEquals(Shape.of(2, 3), Shape.of(3, 2));
        assertNotEquals(Shape.of(6), Shape.of(6, 1));
        assertEquals("[2, 3]", Shape.of(2, 3).toString());
    }

    @Test
    void callersCannotChangeIt() {
        long[] dims = {2, 3};
        Shape shape = Shape.of(dims);
        dims[0] = 7;
        shape.dims()[1] = 7;
        assertArrayEquals(new long[]{2, 3}, shape.dims());
    }
}
