package io.mixt5.model.tokenizer;

import io.mixt5.model.tokenizer.ProtobufReader.MalformedException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * A SentencePiece normaliser's compiled rules: what text to replace by what, the longest match first.
 *
 * <p>The form is {@code <size of the trie in bytes, 4 bytes><trie><replacements, each ended by NUL>}, little-endian
 * (sentencepiece, {@code src/normalizer.cc}). The trie is a double array of darts-clone: a unit holds a label (bits
 * 0-7 and 31), whether a key ends here (bit 8), and where its children are (bits 9-31); a child's index is its
 * parent's base XOR its label, and a key's value, an offset among the replacements, sits at its node's base.
 */
final class CharsMap {
    private static final int LABELS = 256;
    private static final int MAX_DEPTH = 128;
    private static final int MAX_KEYS_ON_A_PATH = 32; // the native code's buffer
    private static final byte OPEN = -1;

    private final IntBuffer units;
    private final ByteBuffer replacements;
    private final byte[] keysBelow; // per base: 0 not yet seen, OPEN on the path, else 1 + most keys on a path down

    private CharsMap(IntBuffer units, ByteBuffer replacements) {
        this.units = units;
        this.replacements = replacements;
        keysBelow = new byte[units.limit()];
    }

    /** The rules that replace each key of {@code rules} by its value; no key may be empty. */
    static byte[] compile(SortedMap<String, String> rules) {
        Node root = new Node();
        ByteArrayOutputStream replacements = new ByteArrayOutputStream();
        rules.forEach((key, replacement) -> {
            Node node = root;
            for (byte label : key.getBytes(StandardCharsets.UTF_8)) {
                node = node.children.computeIfAbsent(label & 0xff, unused -> new Node());
            }
            node.value = replacements.size();
            replacements.writeBytes(replacement.getBytes(StandardCharsets.UTF_8));
            replacements.write(0);
        });
        // Every node gets a block of its own, which wastes space but needs no search; the root unit is in block 0.
        List<int[]> blocks = new ArrayList<>();
        blocks.add(emptyBlock());
        blocks.getFirst()[0] = place(root, blocks) << 10;
        ByteBuffer map = ByteBuffer.allocate(Integer.BYTES * (1 + LABELS * blocks.size()) + replacements.size());
        map.order(ByteOrder.LITTLE_ENDIAN).putInt(Integer.BYTES * LABELS * blocks.size());
        blocks.forEach(block -> Arrays.stream(block).forEach(map::putInt));
        return map.put(replacements.toByteArray()).array();
    }

    /** Lays out {@code node} and all below it; the result is the base of its children. */
    private static int place(Node node, List<int[]> blocks) {
        int base = LABELS * blocks.size();
        int[] block = emptyBlock();
        blocks.add(block);
        if (node.value >= 0) {
            block[0] = node.value | Integer.MIN_VALUE;
        }
        node.children.forEach((label, child) -> {
            int childBase = place(child, blocks);
            block[label] = label | (child.value >= 0 ? 0x100 : 0) | (base + label ^ childBase) << 10;
        });
        return base;
    }

    /** Units whose labels are not those by which they are reached. */
    private static int[] emptyBlock() {
        return IntStream.range(0, LABELS).map(index -> index ^ 1).toArray();
    }

    private static final class Node {
        private final SortedMap<Integer, Node> children = new TreeMap<>();
        private int value = -1;
    }

    /**
     * Throws where some text could lead native code, which looks at no bounds, out of {@code charsMap}; an empty one
     * is good. Every unit that can be reached is visited once.
     */
    static void check(byte[] charsMap) throws MalformedException {
        if (charsMap.length == 0) {
            return;
        }
        ByteBuffer bytes = ByteBuffer.wrap(charsMap).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.remaining() < Integer.BYTES) {
            throw broken();
        }
        int size = bytes.getInt();
        if (size <= 0 || size % Integer.BYTES != 0 || size >= bytes.remaining()) {
            throw broken();
        }
        IntBuffer units = bytes.slice(Integer.BYTES, size).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        ByteBuffer replacements = bytes.slice(Integer.BYTES + size, charsMap.length - Integer.BYTES - size);
        if (replacements.get(replacements.limit() - 1) != 0) {
            throw broken();
        }
        new CharsMap(units, replacements).keysBelow(offset(units.get(0)), 0);
    }

    /** The largest number of keys that end on one path down from the node whose children are around {@code base}. */
    private int keysBelow(int base, int depth) throws MalformedException {
        // The children lie in one aligned block of 256 units.
        if ((base | LABELS - 1) >= units.limit() || depth > MAX_DEPTH || keysBelow[base] == OPEN) {
            throw broken();
        }
        if (keysBelow[base] != 0) {
            return keysBelow[base] - 1;
        }
        keysBelow[base] = OPEN;
        int most = 0;
        for (int label = 0; label < LABELS; label++) {
            int unit = units.get(base ^ label);
            if ((unit & 0x800000ff) != label) {
                continue;
            }
            int childBase = base ^ label ^ offset(unit);
            int keys = keysBelow(childBase, depth + 1);
            if ((unit & 0x100) != 0) {
                checkValue(units.get(childBase) & Integer.MAX_VALUE);
                keys++;
            }
            most = Math.max(most, keys);
        }
        if (most > MAX_KEYS_ON_A_PATH) {
            throw broken();
        }
        keysBelow[base] = (byte) (most + 1);
        return most;
    }

    private void checkValue(int start) throws MalformedException {
        boolean inside = start < replacements.limit();
        if (!inside || (replacements.get(start) & 0xc0) == 0x80) { // a UTF-8 continuation byte starts nothing
            throw broken();
        }
    }

    private static int offset(int unit) {
        return unit >>> 10 << ((unit & 0x200) >>> 6);
    }

    private static MalformedException broken() {
        return new MalformedException("has a broken table of normalisation rules");
    }
}
