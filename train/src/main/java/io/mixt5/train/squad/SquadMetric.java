package io.mixt5.train.squad;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How a prediction is compared with an answer: normalised, then for equality (exact match) or by the words they share
 * (F1). After evaluate-v1.1.py of SQuAD (Rajpurkar et al. 2016, section 6.1).
 */
public enum SquadMetric {
    /** Normalised by SQuAD's script. */
    OFFICIAL,
    /** MixT5's: brackets and quotation marks become spaces first, so that {@code Levi's} is two words. */
    MIXT5;

    private static final String PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    private static final String MIXT5_SYMBOLS = "\u300A\u300B<>\u3008\u3009()\u2018\u2019'\"";

    /** In lower case, without ASCII punctuation and the words a, an, the, with one space between words. */
    public String normalize(String text) {
        String prepared = this == MIXT5 ? symbolsToSpaces(text) : text;
        return String.join(" ", PythonText.split(removeArticles(removePunctuation(PythonText.lower(prepared)))));
    }

    /** Whether {@code prediction} is {@code answer}, both normalised. */
    public boolean exactMatch(String prediction, String answer) {
        return normalize(prediction).equals(normalize(answer));
    }

    /**
     * Harmonic mean of precision and recall over the words of both, normalised, each counted as often as it occurs:
     * 0 to 1; 0 where both have no words.
     */
    public double f1(String prediction, String answer) {
        List<String> predicted = PythonText.split(normalize(prediction));
        List<String> expected = PythonText.split(normalize(answer));
        Map<String, Integer> left = new HashMap<>();
        expected.forEach(word -> left.merge(word, 1, Integer::sum));
        int same = 0;
        for (String word : predicted) {
            int count = left.getOrDefault(word, 0);
            if (count > 0) {
                left.put(word, count - 1);
                same++;
            }
        }
        if (same == 0) {
            return 0;
        }
        double precision = 1.0 * same / predicted.size();
        double recall = 1.0 * same / expected.size();
        return 2 * precision * recall / (precision + recall);
    }

    /** As on the command line and in the configuration. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    private static String symbolsToSpaces(String text) {
        StringBuilder replaced = new StringBuilder(text);
        for (int i = 0; i < replaced.length(); i++) {
            if (MIXT5_SYMBOLS.indexOf(replaced.charAt(i)) >= 0) {
                replaced.setCharAt(i, ' ');
            }
        }
        return replaced.toString();
    }

    private static String removePunctuation(String text) {
        StringBuilder kept = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            if (PUNCTUATION.indexOf(text.charAt(i)) < 0) {
                kept.append(text.charAt(i));
            }
        }
        return kept.toString();
    }

    /** {@code re.sub(r"\b(a|an|the)\b", " ", text)}: a match is always a whole run of word characters. */
    private static String removeArticles(String text) {
        StringBuilder kept = new StringBuilder(text.length());
        int i = 0;
        while (i < text.length()) {
            int start = i;
            while (i < text.length() && PythonText.isWord(text.codePointAt(i))) {
                i += Character.charCount(text.codePointAt(i));
            }
            String word = text.substring(start, i);
            kept.append(word.equals("a") || word.equals("an") || word.equals("the") ? " " : word);
            if (i < text.length()) {
                kept.appendCodePoint(text.codePointAt(i));
                i += Character.charCount(text.codePointAt(i));
            }
        }
        return kept.toString();
    }
}
