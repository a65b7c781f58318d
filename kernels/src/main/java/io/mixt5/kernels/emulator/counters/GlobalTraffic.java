package io.mixt5.kernels.emulator.counters;

/**
 * What a kernel's accesses to device memory come to. An atomic reads and writes.
 *
 * @param readBytes bytes that its threads read
 * @param writtenBytes bytes that its threads write
 * @param distinctReadBytes of those read, how many are different ones within a launch
 * @param distinctWrittenBytes of those written, how many are different ones within a launch
 * @param requests instructions of warps that access it
 * @param sectors aligned pieces of 32 bytes that the requests touch, each request by itself
 * @param idealSectors the least that each request's different bytes fit into
 */
public record GlobalTraffic(long readBytes, long writtenBytes, long distinctReadBytes, long distinctWrittenBytes,
        long requests, long sectors, long idealSectors) {
    /** Bytes moved over the least that must be: 1 where each byte is read once and written once at most. */
    public double movedOverLeast() {
        long least = distinctReadBytes + distinctWrittenBytes;
        return least == 0 ? 1 : (double) (readBytes + writtenBytes) / least;
    }

    /** The least number of sectors over those touched: 1 where all accesses are coalesced. */
    public double coalescing() {
        return sectors == 0 ? 1 : (double) idealSectors / sectors;
    }
}
