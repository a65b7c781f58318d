package io.mixt5.kernels.emulator.sanitizer;

import io.mixt5.kernels.emulator.Monitor.Access;
import java.util.Arrays;

/**
 * Remembers for each byte of a memory who wrote it last and who has read it since, and finds accesses that nothing
 * orders (after Flanagan and Freund, FastTrack). Of the readers two are kept: a writer that must wait for many may be
 * found to have waited for those two only.
 *
 * <p>Bytes are kept in words of four until a part of one is accessed alone, page by page.
 */
final class RaceShadow {
    /** Tells what happened before the access under way. */
    interface Before {
        /** Whether what {@code accessor}, another thread, did at {@code time} did. */
        boolean test(long accessor, int time);
    }

    private static final int PAGE_SHIFT = 12;
    private static final int PAGE_MASK = (1 << PAGE_SHIFT) - 1;

    private final Page[] pages;
    private int generation = 1;
    private Access conflict;

    /** Of a memory of {@code bytes} bytes. */
    RaceShadow(long bytes) {
        pages = new Page[Math.toIntExact((bytes + PAGE_MASK) >>> PAGE_SHIFT)];
    }

    private static final class Page {
        private int generation;
        private int shift;
        private long[] writer;
        private int[] writeTime;
        private long[] reader;
        private int[] readTime;
        private long[] otherReader;
        private int[] otherReadTime;

        private Page(int shift) {
            this.shift = shift;
            int entries = 1 << PAGE_SHIFT - shift;
            writer = new long[entries];
            writeTime = new int[entries];
            reader = new long[entries];
            readTime = new int[entries];
            otherReader = new long[entries];
            otherReadTime = new int[entries];
        }

        private void forget() {
            Arrays.fill(writeTime, 0);
            Arrays.fill(readTime, 0);
            Arrays.fill(otherReadTime, 0);
        }

        /** The same with smaller entries. */
        private Page split(int smaller) {
            Page page = new Page(smaller);
            page.generation = generation;
            int times = shift - smaller;
            for (int i = 0; i < page.writer.length; i++) {
                page.writer[i] = writer[i >>> times];
                page.writeTime[i] = writeTime[i >>> times];
                page.reader[i] = reader[i >>> times];
                page.readTime[i] = readTime[i >>> times];
                page.otherReader[i] = otherReader[i >>> times];
                page.otherReadTime[i] = otherReadTime[i >>> times];
            }
            return page;
        }
    }

    /** Forgets all accesses. */
    void forget() {
        generation++;
    }

    /** What the accessor that {@link #access} returned had done. */
    Access conflict() {
        return conflict;
    }

    /**
     * Notes an access.
     *
     * @param offset a multiple of {@code bytes}, which is a power of two
     * @return an accessor whose earlier access is not ordered before this one though one of them writes; 0 for none
     */
    long access(long offset, int bytes, Access access, long accessor, int time, Before before) {
        Page page = page((int) (offset >>> PAGE_SHIFT), Math.min(2, Integer.numberOfTrailingZeros(bytes)));
        int first = ((int) offset & PAGE_MASK) >>> page.shift;
        int last = ((int) offset & PAGE_MASK) + bytes - 1 >>> page.shift;
        for (int i = first; i <= last; i++) {
            boolean bothAtomic = access == Access.ATOMIC && Accessor.atomic(page.writer[i]);
            if (!bothAtomic && races(page.writer[i], page.writeTime[i], accessor, before)) {
                conflict = Accessor.atomic(page.writer[i]) ? Access.ATOMIC : Access.WRITE;
                return page.writer[i];
            }
            if (access == Access.READ) {
                noteRead(page, i, accessor, time, before);
                continue;
            }
            conflict = Access.READ;
            if (races(page.reader[i], page.readTime[i], accessor, before)) {
                return page.reader[i];
            }
            if (races(page.otherReader[i], page.otherReadTime[i], accessor, before)) {
                return page.otherReader[i];
            }
            page.writer[i] = accessor;
            page.writeTime[i] = time;
            page.readTime[i] = 0;
            page.otherReadTime[i] = 0;
        }
        return 0;
    }

    private Page page(int index, int shift) {
        Page page = pages[index];
        if (page == null) {
            page = new Page(shift);
            pages[index] = page;
        } else if (page.shift > shift) {
            page = page.split(shift);
            pages[index] = page;
        }
        if (page.generation != generation) {
            page.forget();
            page.generation = generation;
        }
        return page;
    }

    private static void noteRead(Page page, int i, long accessor, int time, Before before) {
        if (races(page.reader[i], page.readTime[i], accessor, before)) {
            page.otherReader[i] = accessor;
            page.otherReadTime[i] = time;
        } else {
            page.reader[i] = accessor;
            page.readTime[i] = time;
        }
    }

    private static boolean races(long earlier, int time, long accessor, Before before) {
        return time != 0 && !Accessor.sameThread(earlier, accessor) && !before.test(earlier, time);
    }
}
