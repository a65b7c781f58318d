package io.mixt5.train.squad;

import java.util.ArrayList;
import java.util.List;

/**
 * Python's notions of lower case, word and white space, code point by code point, as SQuAD's scores are defined by a
 * Python script and Java's differ: in the final sigma, in combining marks, in the no-break space.
 */
final class PythonText {
    private static final int CAPITAL_SIGMA = 0x3A3;
    private static final int CAPITAL_I_WITH_DOT = 0x130;
    /** Characters with the property Case_Ignorable for their part in words: Word_Break MidLetter, MidNumLet, quote. */
    private static final String IGNORABLE_PUNCTUATION = "'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027"
            + "\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";

    private PythonText() {
    }

    /** {@code str.lower()}: Unicode's full mapping without regard to the language (Unicode 3.13, SpecialCasing.txt). */
    static String lower(String text) {
        int[] points = text.codePoints().toArray();
        StringBuilder lower = new StringBuilder(text.length());
        for (int i = 0; i < points.length; i++) {
            switch (points[i]) {
                case CAPITAL_SIGMA -> lower.append(isFinalSigma(points, i) ? '\u03C2' : '\u03C3');
                case CAPITAL_I_WITH_DOT -> lower.append("i\u0307");
                default -> lower.appendCodePoint(Character.toLowerCase(points[i]));
            }
        }
        return lower.toString();
    }

    /** {@code str.split()}: the pieces between runs of white space, none of them empty. */
    static List<String> split(String text) {
        List<String> pieces = new ArrayList<>();
        int start = 0;
        for (int i = 0; i <= text.length(); i++) {
            if (i == text.length() || isSpace(text.charAt(i))) {
                if (i > start) {
                    pieces.add(text.substring(start, i));
                }
                start = i + 1;
            }
        }
        return pieces;
    }

    /** {@code \w}: letters, numbers of every kind and the underscore; not combining marks. */
    static boolean isWord(int point) {
        return switch (Character.getType(point)) {
            case Character.UPPERCASE_LETTER, Character.LOWERCASE_LETTER, Character.TITLECASE_LETTER,
                    Character.MODIFIER_LETTER, Character.OTHER_LETTER, Character.DECIMAL_DIGIT_NUMBER,
                    Character.LETTER_NUMBER, Character.OTHER_NUMBER ->
                true;
            default -> point == '_';
        };
    }

    /** {@code str.isspace()}; all such characters are below U+10000. */
    private static boolean isSpace(char c) {
        return c >= '\t' && c <= '\r' || c >= '\u001C' && c <= '\u001F' || c == '\u0085' || Character.isSpaceChar(c);
    }

    /** Whether the sigma at {@code i} ends a word (Unicode table 3-17, Final_Sigma). */
    private static boolean isFinalSigma(int[] points, int i) {
        int before = i - 1;
        while (before >= 0 && isCaseIgnorable(points[before])) {
            before--;
        }
        int after = i + 1;
        while (after < points.length && isCaseIgnorable(points[after])) {
            after++;
        }
        return before >= 0 && isCased(points[before]) && (after == points.length || !isCased(points[after]));
    }

    private static boolean isCased(int point) {
        return Character.isLowerCase(point) || Character.isUpperCase(point) || Character.isTitleCase(point);
    }

    private static boolean isCaseIgnorable(int point) {
        return switch (Character.getType(point)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT, Character.MODIFIER_LETTER,
                    Character.MODIFIER_SYMBOL ->
                true;
            default -> IGNORABLE_PUNCTUATION.indexOf(point) >= 0;
        };
    }
}
