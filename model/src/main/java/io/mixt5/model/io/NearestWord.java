package io.mixt5.model.io;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToIntFunction;

/** Finds the word that a misspelt one was meant to be. */
public final class NearestWord {
    private NearestWord() {
    }

    /**
     * The word nearest to {@code word}, whatever their case, the first in alphabetical order among equals; empty where
     * none is within a third of its length, as the suggestion would only mislead.
     */
    public static Optional<String> of(String word, Collection<String> words) {
        String lower = word.toLowerCase(Locale.ROOT);
        ToIntFunction<String> distance = known -> distance(lower, known.toLowerCase(Locale.ROOT));
        int allowed = Math.max(3, word.length());
        return words.stream()
                // The lengths' difference is a bound, and spares the table for a name of a megabyte.
                .filter(known -> 3 * Math.abs(known.length() - word.length()) <= allowed)
                .min(Comparator.comparingInt(distance).thenComparing(Comparator.naturalOrder()))
                .filter(known -> 3 * distance.applyAsInt(known) <= allowed);
    }

    /**
     * Damerau-Levenshtein distance in its optimal string alignment form: the least number of insertions, deletions,
     * substitutions and swaps of neighbours, no place being edited twice (Damerau 1964; Boytsov 2011, section 2.1).
     */
    static int distance(String a, String b) {
        int[][] cost = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                int least = Math.min(cost[i - 1][j - 1] + change, Math.min(cost[i - 1][j], cost[i][j - 1]) + 1);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    least = Math.min(least, cost[i - 2][j - 2] + 1);
                }
                cost[i][j] = least;
            }
        }
        return cost[a.length()][b.length()];
    }
}
