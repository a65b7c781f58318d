package io.mixt5.model.tokenizer;

import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.SentencePieceModel.Piece;
import io.mixt5.model.tokenizer.SentencePieceModel.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Learns a unigram vocabulary from text (Kudo 2018, "Subword Regularization", section 3.2).
 *
 * <p>It starts from every frequent piece of a word and alternates between estimating the pieces' probabilities by
 * expectation maximisation and throwing out those whose loss costs the text the least likelihood. Words are cut at
 * white space and where letters, digits and other characters meet, so no piece reaches across. Every character of the
 * text stays a piece.
 *
 * <p>Meant for small texts: it keeps all words in memory, and takes seconds for a million characters. Deterministic:
 * the same text gives the same bytes everywhere.
 */
public final class UnigramTrainer {
    private static final int MAX_PIECE_CHARS = 16;
    private static final int SEEDS_PER_PIECE = 10;
    private static final int EM_STEPS = 2;
    private static final double KEEP_SHARE = 0.75; // at each pruning
    private static final double LEAST_EXPECTED_COUNT = 0.5;
    private static final List<Piece> SPECIAL = List.of(
            new Piece(T5Tokenizer.PAD, 0, Type.CONTROL),
            new Piece(T5Tokenizer.END, 0, Type.CONTROL),
            new Piece(T5Tokenizer.UNKNOWN, 0, Type.UNKNOWN));

    private final SortedMap<String, Integer> words;
    private final int size; // of the vocabulary, without the special pieces
    private Map<String, Double> scores; // log probabilities of the pieces

    private UnigramTrainer(SortedMap<String, Integer> words, int size) {
        this.words = words;
        this.size = size;
        scores = seeds();
    }

    /**
     * The model of {@code vocabularySize} pieces (fewer, where the text is too small for so many) learned from
     * {@code text}: pad 0, end 1, unknown 2 as in T5, then the learned pieces, the most probable first.
     *
     * @param text sentences or paragraphs, in any division
     * @throws UserException where the vocabulary has no room for the text's characters
     */
    public static SentencePieceModel train(Iterable<String> text, int vocabularySize) {
        UnigramTrainer trainer = new UnigramTrainer(words(text), vocabularySize - SPECIAL.size());
        int characters = (int) trainer.scores.keySet().stream().filter(UnigramTrainer::isCharacter).count();
        if (characters > trainer.size) {
            throw new UserException("A vocabulary of " + vocabularySize + " pieces is too small for the text's "
                    + characters + " different characters; ask for at least " + (characters + SPECIAL.size()));
        }
        return trainer.learn();
    }

    private SentencePieceModel learn() {
        while (true) {
            for (int step = 0; step < EM_STEPS; step++) {
                maximize(expectedCounts());
            }
            if (scores.size() <= size) {
                break;
            }
            prune();
        }
        List<Piece> pieces = new ArrayList<>(SPECIAL);
        scores.entrySet().stream()
                .map(entry -> new Piece(entry.getKey(), entry.getValue().floatValue(), Type.NORMAL))
                .sorted(Comparator.comparing(Piece::score).reversed().thenComparing(Piece::text))
                .forEach(pieces::add);
        return SentencePieceModel.unigram(pieces);
    }

    /** The words of {@code text} and how often each occurs; a space before a word is part of it. */
    private static SortedMap<String, Integer> words(Iterable<String> text) {
        SortedMap<String, Integer> words = new TreeMap<>();
        for (String paragraph : text) {
            for (String word : paragraph.split("\\s+")) {
                int start = 0;
                for (int at = 1; at <= word.length(); at++) {
                    if (at == word.length() || kind(word.charAt(at)) != kind(word.charAt(at - 1))) {
                        String part = word.substring(start, at);
                        words.merge(start == 0 ? SentencePieceModel.SPACE + part : part, 1, Integer::sum);
                        start = at;
                    }
                }
            }
        }
        return words;
    }

    private static int kind(char c) {
        // Halves of a surrogate pair must stay together.
        return Character.isLetter(c) || Character.isSurrogate(c) ? 0 : Character.isDigit(c) ? 1 : 2;
    }

    /** The pieces to begin with, scored by the text they cover: all characters, and pieces that occur twice. */
    private Map<String, Double> seeds() {
        Map<String, Integer> counts = new HashMap<>();
        words.forEach((word, count) -> {
            for (int start = 0; start < word.length(); start++) {
                int last = Math.min(word.length(), start + MAX_PIECE_CHARS);
                for (int end = start + 1; end <= last; end++) {
                    if (isBoundary(word, start) && isBoundary(word, end)) {
                        counts.merge(word.substring(start, end), count, Integer::sum);
                    }
                }
            }
        });
        List<String> frequent = counts.keySet().stream()
                .filter(piece -> !isCharacter(piece) && counts.get(piece) >= 2)
                .sorted(Comparator.<String>comparingLong(piece -> -(long) counts.get(piece) * piece.length())
                        .thenComparing(Comparator.naturalOrder()))
                .limit((long) SEEDS_PER_PIECE * size)
                .toList();
        Map<String, Double> seeds = new HashMap<>();
        counts.keySet().stream().filter(UnigramTrainer::isCharacter).forEach(c -> seeds.put(c, 0.0));
        frequent.forEach(piece -> seeds.put(piece, 0.0));
        double total = seeds.keySet().stream().mapToLong(piece -> (long) counts.get(piece) * piece.length()).sum();
        seeds.replaceAll((piece, zero) -> StrictMath.log((double) counts.get(piece) * piece.length() / total));
        return seeds;
    }

    /** How often each piece is expected to occur over all cuts of all words (the E step). */
    private Map<String, double[]> expectedCounts() {
        Map<String, double[]> expected = new HashMap<>();
        scores.keySet().forEach(piece -> expected.put(piece, new double[1]));
        words.forEach((word, count) -> {
            int length = word.length();
            double[] forward = filled(length + 1); // log probability of the text before a place
            double[] backward = filled(length + 1); // and of the text after it
            forward[0] = 0;
            backward[length] = 0;
            for (int start = 0; start < length; start++) {
                for (int end = start + 1; end <= length; end++) {
                    double score = score(word, start, end);
                    forward[end] = logAdd(forward[end], forward[start] + score);
                }
            }
            for (int start = length - 1; start >= 0; start--) {
                for (int end = start + 1; end <= length; end++) {
                    backward[start] = logAdd(backward[start], score(word, start, end) + backward[end]);
                }
            }
            for (int start = 0; start < length; start++) {
                for (int end = start + 1; end <= length; end++) {
                    double score = score(word, start, end);
                    if (score > Double.NEGATIVE_INFINITY) {
                        expected.get(word.substring(start, end))[0] += count
                                * StrictMath.exp(forward[start] + score + backward[end] - forward[length]);
                    }
                }
            }
        });
        return expected;
    }

    /** New scores from expected counts; the digamma function makes rare pieces rarer (a sparse prior). */
    private void maximize(Map<String, double[]> expected) {
        Map<String, Double> next = new HashMap<>();
        double total = 0;
        for (String piece : new TreeMap<>(expected).keySet()) {
            double count = expected.get(piece)[0];
            if (isCharacter(piece) || count >= LEAST_EXPECTED_COUNT) {
                double kept = Math.max(count, LEAST_EXPECTED_COUNT);
                next.put(piece, digamma(kept));
                total += kept;
            }
        }
        double normalizer = digamma(total);
        next.replaceAll((piece, score) -> score - normalizer);
        scores = next;
    }

    /**
     * Keeps the characters and the best of the other pieces: those without which the text's likelihood would fall the
     * most, were their occurrences cut in the second best way.
     */
    private void prune() {
        Map<String, Integer> used = new HashMap<>();
        words.forEach((word, count) -> bestCut(word, null).forEach(piece -> used.merge(piece, count, Integer::sum)));
        Map<String, Double> losses = new HashMap<>();
        int characters = 0;
        for (String piece : scores.keySet()) {
            if (isCharacter(piece)) {
                characters++;
                continue;
            }
            double other = bestCut(piece, piece).stream().mapToDouble(scores::get).sum();
            losses.put(piece, used.getOrDefault(piece, 0) * (scores.get(piece) - other));
        }
        int keep = Math.max(size, (int) (scores.size() * KEEP_SHARE)) - characters;
        List<String> dropped = losses.keySet().stream()
                .sorted(Comparator.<String>comparingDouble(losses::get).reversed()
                        .thenComparing(Comparator.naturalOrder()))
                .skip(keep)
                .toList();
        dropped.forEach(scores::remove);
    }

    /** The most probable cut of {@code word} that does not use the piece {@code without}. */
    private List<String> bestCut(String word, String without) {
        int length = word.length();
        double[] best = filled(length + 1);
        int[] from = new int[length + 1];
        best[0] = 0;
        for (int start = 0; start < length; start++) {
            for (int end = start + 1; end <= length; end++) {
                double score = best[start] + score(word, start, end);
                if (score > best[end] && !word.substring(start, end).equals(without)) {
                    best[end] = score;
                    from[end] = start;
                }
            }
        }
        List<String> pieces = new ArrayList<>();
        for (int end = length; end > 0; end = from[end]) {
            pieces.add(word.substring(from[end], end));
        }
        return pieces.reversed();
    }

    private double score(String word, int start, int end) {
        if (end - start > MAX_PIECE_CHARS) {
            return Double.NEGATIVE_INFINITY;
        }
        return scores.getOrDefault(word.substring(start, end), Double.NEGATIVE_INFINITY);
    }

    private static boolean isCharacter(String piece) {
        return piece.codePointCount(0, piece.length()) == 1;
    }

    private static boolean isBoundary(String word, int at) {
        return at == word.length() || !Character.isLowSurrogate(word.charAt(at));
    }

    private static double[] filled(int length) {
        double[] values = new double[length];
        Arrays.fill(values, Double.NEGATIVE_INFINITY);
        return values;
    }

    /** log(exp(a) + exp(b)). */
    private static double logAdd(double a, double b) {
        double larger = Math.max(a, b);
        return larger == Double.NEGATIVE_INFINITY
                ? larger
                : larger + StrictMath.log1p(StrictMath.exp(Math.min(a, b) - larger));
    }

    /** The logarithmic derivative of the gamma function (Abramowitz and Stegun 6.3.5, 6.3.18), for x > 0. */
    private static double digamma(double x) {
        double shifted = x;
        double result = 0;
        while (shifted < 7) {
            result -= 1 / shifted;
            shifted++;
        }
        double inverse = 1 / (shifted * shifted);
        return result + StrictMath.log(shifted) - 0.5 / shifted
                - inverse * (1.0 / 12 - inverse * (1.0 / 120 - inverse * (1.0 / 252 - inverse / 240)));
    }
}
