package io.mixt5.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Changes good files in one to eight places each, as a damaged disk or an attacker would. */
final class Mutator {
    private static final long[] NUMBERS = {0, 1, -1, 127, 128, 255, 256, Short.MAX_VALUE, 65_536, Integer.MAX_VALUE,
            Integer.MIN_VALUE, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 40, 100_000_000};
    private static final List<String> TEXTS = List.of("9223372036854775808", "-9223372036854775809", "-1",
            "1e999", "99999999999999999999", "0", "null", "true", "\"", "{", "}", "[", "]", ",", "[[[[[[[[", "{\"a\":",
            "\\u0000", "\\ud800", "NaN", "../", "/etc/passwd", "2147483648", "2147483647", "\n", "cos\nsystem\n",
            "(ios\nsystem\n", "\u0080", "}q", "((((", "h\0", "R", "b", "0", "2");

    private final List<byte[]> seeds;

    Mutator(List<byte[]> seeds) {
        this.seeds = seeds;
    }

    byte[] mutate(SplittableRandom random) {
        byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
        for (int edits = random.nextBoolean() ? 1 : random.nextInt(1, 9); edits > 0; edits--) {
            bytes = edit(bytes, random);
        }
        return bytes;
    }

    private byte[] edit(byte[] bytes, SplittableRandom random) {
        int at = place(bytes.length, random);
        int length = Math.min(bytes.length - at, 1 << random.nextInt(8));
        switch (random.nextInt(10)) {
            case 0 -> {
                if (at < bytes.length) {
                    bytes[at] ^= (byte) (1 << random.nextInt(8));
                }
                return bytes;
            }
            case 1 -> {
                if (at < bytes.length) {
                    bytes[at] = (byte) random.nextInt(256);
                }
                return bytes;
            }
            case 2 -> {
                return splice(bytes, at, length, new byte[0]);
            }
            case 3 -> {
                byte[] noise = new byte[1 << random.nextInt(6)];
                random.nextBytes(noise);
                return splice(bytes, at, random.nextBoolean() ? length : 0, noise);
            }
            case 4 -> {
                int width = 1 << random.nextInt(4);
                byte[] number = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(NUMBERS[random.nextInt(NUMBERS.length)]).array();
                return splice(bytes, at, Math.min(width, bytes.length - at),
                        Arrays.copyOf(number, width));
            }
            case 5 -> {
                return Arrays.copyOf(bytes, at);
            }
            case 6 -> {
                byte[] piece = Arrays.copyOfRange(bytes, at, at + length);
                return splice(bytes, place(bytes.length, random), 0, repeated(piece, 1 << random.nextInt(10)));
            }
            case 7 -> {
                byte[] other = seeds.get(random.nextInt(seeds.size()));
                int from = place(other.length, random);
                return splice(bytes, at, length,
                        Arrays.copyOfRange(other, from, Math.min(other.length, from + length)));
            }
            case 8 -> {
                // A number in a text becomes another.
                int digit = at;
                while (digit < bytes.length && !Character.isDigit(bytes[digit])) {
                    digit++;
                }
                int end = digit;
                while (end < bytes.length && Character.isDigit(bytes[end])) {
                    end++;
                }
                return splice(bytes, digit, end - digit, text(random));
            }
            default -> {
                return splice(bytes, at, random.nextBoolean() ? length : 0,
                        repeated(text(random), random.nextInt(20) == 0 ? 5000 : 1));
            }
        }
    }

    /** Anywhere, but half the time near the start or the end, where the structure is. */
    private static int place(int length, SplittableRandom random) {
        int near = Math.min(length, 1 << random.nextInt(4, 12));
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(near + 1);
            case 1 -> length - random.nextInt(near + 1);
            default -> random.nextInt(length + 1);
        };
    }

    private static byte[] text(SplittableRandom random) {
        return TEXTS.get(random.nextInt(TEXTS.size())).getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] repeated(byte[] piece, int times) {
        int count = Math.min(times, 50_000 / Math.max(1, piece.length));
        byte[] all = new byte[piece.length * count];
        for (int i = 0; i < count; i++) {
            System.arraycopy(piece, 0, all, i * piece.length, piece.length);
        }
        return all;
    }

    private static byte[] splice(byte[] bytes, int at, int removed, byte[] inserted) {
        return ByteBuffer.allocate(bytes.length - removed + inserted.length).put(bytes, 0, at).put(inserted)
                .put(bytes, at + removed, bytes.length - at - removed).array();
    }
}
