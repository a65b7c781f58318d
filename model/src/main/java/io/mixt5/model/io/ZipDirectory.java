package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where the entries of a zip archive lie in its file (PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5), zip64 included.
 *
 * <p>Java's own reader does not tell. Only what PyTorch writes is taken: entries stored as they are, so that nothing
 * grows when it is read. Nothing is ever unpacked to a file; a name that would lead out of a directory is refused all the same,
 * as are entries that overlap, which some archives use to hold more than their size.
 */
final class ZipDirectory {
    /** Bytes [start, end) of the file. */
    record Entry(String name, long start, long end) {
        long bytes() {
            return end - start;
        }
    }

    /** What the directory says of an entry; its data starts somewhere behind {@code header}. */
    private record Listed(String name, long header, long bytes) {
    }

    private static final int END_BYTES = 22;
    private static final int END_SIGNATURE = 0x06054b50;
    private static final int MAX_COMMENT_BYTES = 0xffff;
    private static final int LOCATOR_BYTES = 20;
    private static final int LOCATOR_SIGNATURE = 0x07064b50;
    private static final int END64_BYTES = 56;
    private static final int END64_SIGNATURE = 0x06064b50;
    private static final int LISTED_BYTES = 46;
    private static final int LISTED_SIGNATURE = 0x02014b50;
    private static final int HEADER_BYTES = 30;
    private static final int HEADER_SIGNATURE = 0x04034b50;
    /** Of a directory; a tensor takes about 100. */
    private static final int MAX_DIRECTORY_BYTES = 1 << 26;
    /** Entries that any archive may have, and bytes of it for each beyond: PyTorch begins each at a multiple of 64. */
    private static final long FREE_ENTRIES = 10_000;
    private static final long BYTES_PER_ENTRY = 256;
    private static final int ZIP64_FIELD = 1;
    private static final long IN_ZIP64_FIELD = 0xffff_ffffL;
    private static final int ENCRYPTED = 1;

    private final DataFile file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private ZipDirectory(DataFile file) {
        this.file = file;
    }

    /**
     * Reads the directory of {@code file}.
     *
     * @throws UserException if it is damaged, or an entry is compressed, encrypted or overlaps another
     */
    static ZipDirectory read(DataFile file) {
        ZipDirectory zip = new ZipDirectory(file);
        zip.readAll();
        return zip;
    }

    /** The names of the entries. */
    Set<String> names() {
        return entries.keySet();
    }

    /** The entry {@code name}, if there is one. */
    Optional<Entry> find(String name) {
        return Optional.ofNullable(entries.get(name));
    }

    /** The entry {@code name}. */
    Entry require(String name) {
        return find(name).orElseThrow(() -> wrong("has no entry " + name));
    }

    private void readAll() {
        long end = findEnd();
        ByteBuffer record = file.read(end, END_BYTES);
        long bytes = record.getInt(12) & 0xffff_ffffL;
        long start = record.getInt(16) & 0xffff_ffffL;
        long limit = end;
        if (end >= LOCATOR_BYTES && file.read(end - LOCATOR_BYTES, Integer.BYTES).getInt() == LOCATOR_SIGNATURE) {
            limit = file.read(end - LOCATOR_BYTES + 8, Long.BYTES).getLong();
            require(limit >= 0 && limit <= end - LOCATOR_BYTES - END64_BYTES, "has a broken end");
            ByteBuffer wide = file.read(limit, END64_BYTES);
            require(wide.getInt(0) == END64_SIGNATURE, "has a broken end");
            bytes = wide.getLong(40);
            start = wide.getLong(48);
        }
        require(start >= 0 && bytes >= 0 && start <= limit && bytes <= limit - start, "has a broken end");
        require(bytes <= MAX_DIRECTORY_BYTES, "has a directory of " + bytes + " bytes, and at most "
                + MAX_DIRECTORY_BYTES + " are allowed");
        locate(list(file.read(start, (int) bytes)), start);
    }

    /** The last place where an end record with a comment up to the end of the file may start. */
    private long findEnd() {
        int tail = (int) Math.min(file.size(), END_BYTES + MAX_COMMENT_BYTES);
        long from = file.size() - tail;
        ByteBuffer bytes = file.read(from, tail);
        for (int at = tail - END_BYTES; at >= 0; at--) {
            if (bytes.getInt(at) == END_SIGNATURE && at + END_BYTES + (bytes.getShort(at + 20) & 0xffff) == tail) {
                return from + at;
            }
        }
        throw wrong("has no end, it was cut");
    }

    private List<Listed> list(ByteBuffer directory) {
        List<Listed> list = new ArrayList<>();
        while (directory.hasRemaining()) {
            require(directory.remaining() >= LISTED_BYTES && directory.getInt(directory.position()) == LISTED_SIGNATURE,
                    "has a broken directory");
            ByteBuffer fixed = slice(directory, LISTED_BYTES);
            String name = StandardCharsets.UTF_8.decode(slice(directory, fixed.getShort(28) & 0xffff)).toString();
            ByteBuffer extra = slice(directory, fixed.getShort(30) & 0xffff);
            slice(directory, fixed.getShort(32) & 0xffff);
            requirePlain(name);
            require((fixed.getShort(8) & ENCRYPTED) == 0, "has an encrypted entry " + name);
            long packed = fixed.getInt(20) & 0xffff_ffffL;
            long bytes = fixed.getInt(24) & 0xffff_ffffL;
            long header = fixed.getInt(42) & 0xffff_ffffL;
            ByteBuffer wide = zip64(extra);
            bytes = bytes == IN_ZIP64_FIELD ? next(wide) : bytes;
            packed = packed == IN_ZIP64_FIELD ? next(wide) : packed;
            header = header == IN_ZIP64_FIELD ? next(wide) : header;
            require(fixed.getShort(10) == 0 && packed == bytes, "has a compressed entry " + name
                    + ", which PyTorch never writes; load the weights with PyTorch and save them again");
            list.add(new Listed(name, header, bytes));
            require(list.size() <= FREE_ENTRIES + file.size() / BYTES_PER_ENTRY,
                    "has more entries than the weights in a file of that size need");
        }
        return list;
    }

    private void requirePlain(String name) {
        require(!name.isEmpty() && !name.startsWith("/") && name.indexOf('\\') < 0 && name.indexOf(':') < 0
                && !("/" + name + "/").contains("/../"), "has an entry '" + name + "' that leads out of a directory");
    }

    /** The content of the zip64 field among extra fields; empty where there is none. */
    private ByteBuffer zip64(ByteBuffer extra) {
        while (extra.remaining() >= 4) {
            int id = extra.getShort() & 0xffff;
            ByteBuffer field = slice(extra, extra.getShort() & 0xffff);
            if (id == ZIP64_FIELD) {
                return field;
            }
        }
        return ByteBuffer.allocate(0);
    }

    private long next(ByteBuffer zip64) {
        require(zip64.remaining() >= Long.BYTES, "has a broken directory");
        return zip64.getLong();
    }

    private ByteBuffer slice(ByteBuffer from, int count) {
        require(from.remaining() >= count, "has a broken directory");
        ByteBuffer slice = from.slice(from.position(), count).order(from.order());
        from.position(from.position() + count);
        return slice;
    }

    /** Finds the data of each entry behind its own header; {@code limit} is where the directory starts. */
    private void locate(List<Listed> list, long limit) {
        list.sort(Comparator.comparingLong(Listed::header));
        long free = 0;
        for (Listed listed : list) {
            String name = listed.name;
            require(listed.header >= free && listed.header <= limit - HEADER_BYTES,
                    "has an entry " + name + " that overlaps another or lies outside");
            ByteBuffer header = file.read(listed.header, HEADER_BYTES);
            require(header.getInt(0) == HEADER_SIGNATURE, "has no header for its entry " + name);
            long start = listed.header + HEADER_BYTES + (header.getShort(26) & 0xffff) + (header.getShort(28) & 0xffff);
            require(start <= limit && listed.bytes >= 0 && listed.bytes <= limit - start,
                    "has an entry " + name + " that ends outside, so that the file was cut");
            free = start + listed.bytes;
            require(entries.put(name, new Entry(name, start, free)) == null, "has two entries " + name);
        }
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw wrong(otherwise);
        }
    }

    private UserException wrong(String what) {
        return new UserException(file.path() + ": its zip archive " + what);
    }
}
