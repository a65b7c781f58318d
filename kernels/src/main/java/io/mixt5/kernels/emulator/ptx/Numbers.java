package io.mixt5.kernels.emulator.ptx;

/** PTX's literals. */
final class Numbers {
    private Numbers() {
    }

    /** Whether a word is a number of some kind. */
    static boolean isNumber(String word) {
        return word.charAt(0) >= '0' && word.charAt(0) <= '9';
    }

    /** The immediate a word stands for: an integer, or a float by its bits ({@code 0f3F800000}, {@code 0d...}). */
    static PtxOperand.Immediate immediate(String word, boolean negative) {
        if (word.startsWith("0f") || word.startsWith("0F")) {
            int bits = Integer.parseUnsignedInt(word.substring(2), 16);
            return new PtxOperand.Immediate(negative ? bits ^ 1 << 31 : bits, PtxOperand.Immediate.Form.FLOAT);
        }
        if (word.startsWith("0d") || word.startsWith("0D")) {
            long bits = Long.parseUnsignedLong(word.substring(2), 16);
            return new PtxOperand.Immediate(negative ? bits ^ 1L << 63 : bits, PtxOperand.Immediate.Form.DOUBLE);
        }
        if (word.indexOf('.') >= 0) {
            double value = Double.parseDouble(word);
            return new PtxOperand.Immediate(Double.doubleToRawLongBits(negative ? -value : value),
                    PtxOperand.Immediate.Form.DOUBLE);
        }
        long value = integer(word);
        return new PtxOperand.Immediate(negative ? -value : value, PtxOperand.Immediate.Form.INTEGER);
    }

    /** An integer without sign: decimal, 0x hexadecimal, 0b binary or octal; a U may follow. */
    static long integer(String word) {
        String digits = word.endsWith("U") ? word.substring(0, word.length() - 1) : word;
        if (digits.startsWith("0x") || digits.startsWith("0X")) {
            return Long.parseUnsignedLong(digits.substring(2), 16);
        }
        if (digits.startsWith("0b") || digits.startsWith("0B")) {
            return Long.parseUnsignedLong(digits.substring(2), 2);
        }
        if (digits.length() > 1 && digits.charAt(0) == '0') {
            return Long.parseUnsignedLong(digits, 8);
        }
        return Long.parseUnsignedLong(digits);
    }
}
