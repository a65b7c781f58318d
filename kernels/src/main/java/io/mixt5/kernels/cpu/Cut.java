package io.mixt5.kernels.cpu;

/**
 * Rows, or columns, of a product by OpenBLAS in blocks of about one length; each is a product of its own, for which both
 * operands are packed anew.
 *
 * <p>An element's bits do not depend on how the rows are cut, if blocks start at multiples of OpenBLAS's tiles with AVX2
 * (8 and 24): there may be as many as suit the threads. They do depend on how the columns are cut, of which OpenBLAS
 * makes blocks too, with narrower tiles at their ends: so that depends on the sizes alone.
 *
 * @param length rows or columns
 * @param blocks how many blocks, none of them empty
 */
record Cut(int length, int blocks) {
    private static final int TILE = 24;
    /** Fewest rows or columns in a block. */
    private static final int LEAST = 96;
    /** Blocks of columns for which there may always be, and columns for which there may be one more. */
    private static final int COLUMN_BLOCKS = 4;
    private static final int COLUMNS = 1024;

    /** At most {@code wanted} blocks, but at least one; and if more than there are threads, as many for each. */
    static Cut rows(int rows, long wanted) {
        long most = Math.min(wanted, rows / LEAST);
        long blocks = most > WorkerPool.size() ? most - most % WorkerPool.size() : Math.max(1, most);
        return new Cut(rows, Math.toIntExact(blocks));
    }

    /** At most {@code wanted} blocks, which must not depend on the threads, but at least one. */
    static Cut columns(int columns, long wanted) {
        long most = Math.min(columns / LEAST, Math.max(COLUMN_BLOCKS, columns / COLUMNS));
        return new Cut(columns, Math.toIntExact(Math.max(1, Math.min(wanted, most))));
    }

    /** Where block {@code index} starts; the length, for the one behind the last. */
    int start(int index) {
        return index == blocks ? length : Math.toIntExact(Math.round((double) length * index / blocks / TILE) * TILE);
    }
}
