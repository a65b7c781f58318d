package io.mixt5.kernels.emulator.ptx;

/** Cuts PTX into tokens: words (names, opcodes, directives, numbers), strings and single signs. Comments vanish. */
final class Lexer {
    private final String module;
    private final String text;
    private int next;
    private int line = 1;
    private String token;
    private int tokenLine;

    Lexer(String module, String text) {
        this.module = module;
        this.text = text;
        advance();
    }

    /** The token ahead; null at the end. */
    String peek() {
        return token;
    }

    /** The line of the token ahead, from 1. */
    int line() {
        return tokenLine;
    }

    /** Takes the token ahead. */
    String take() {
        if (token == null) {
            throw error("the text ends too early");
        }
        String taken = token;
        advance();
        return taken;
    }

    /** Takes the token ahead if it is {@code expected}. */
    boolean takeIf(String expected) {
        boolean is = expected.equals(token);
        if (is) {
            advance();
        }
        return is;
    }

    /** Takes the token ahead, which must be {@code expected}. */
    void require(String expected) {
        if (!takeIf(expected)) {
            throw error("'" + expected + "' expected instead of '" + token + "'");
        }
    }

    /** Takes an integer, perhaps with a sign. */
    long integer() {
        boolean negative = takeIf("-");
        String word = take();
        try {
            long value = Numbers.integer(word);
            return negative ? -value : value;
        } catch (NumberFormatException e) {
            throw error("an integer expected instead of '" + word + "'");
        }
    }

    PtxException error(String message) {
        return new PtxException(module, tokenLine, message);
    }

    private void advance() {
        skipBlanks();
        tokenLine = line;
        if (next == text.length()) {
            token = null;
            return;
        }
        int from = next;
        char first = text.charAt(next++);
        if (first == '"') {
            int end = text.indexOf('"', next);
            if (end < 0) {
                throw error("a string has no end");
            }
            next = end + 1;
        } else if (inWord(first)) {
            // A directive ends where the next one begins: .reg.b32 is two.
            boolean directive = first == '.';
            while (next < text.length() && !(directive && text.charAt(next) == '.')
                    && (inWord(text.charAt(next)) || takeDoubleColon())) {
                next++;
            }
        }
        token = text.substring(from, next);
    }

    /** Modifiers such as {@code .L2::128B} hold two colons; one alone ends a label. */
    private boolean takeDoubleColon() {
        if (text.startsWith("::", next)) {
            next++;
            return true;
        }
        return false;
    }

    private void skipBlanks() {
        while (next < text.length()) {
            char c = text.charAt(next);
            if (c == '\n') {
                line++;
                next++;
            } else if (c <= ' ') {
                next++;
            } else if (text.startsWith("//", next)) {
                int end = text.indexOf('\n', next);
                next = end < 0 ? text.length() : end;
            } else if (text.startsWith("/*", next)) {
                int end = text.indexOf("*/", next + 2);
                if (end < 0) {
                    throw new PtxException(module, line, "a comment has no end");
                }
                for (; next < end + 2; next++) {
                    line += text.charAt(next) == '\n' ? 1 : 0;
                }
            } else {
                return;
            }
        }
    }

    private static boolean inWord(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '%'
                || c == '.';
    }
}
