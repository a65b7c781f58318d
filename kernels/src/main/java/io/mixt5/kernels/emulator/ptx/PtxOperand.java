package io.mixt5.kernels.emulator.ptx;

import java.util.List;

/** An operand of an instruction, as written. */
public sealed interface PtxOperand {
    /** A register, a variable, a label, or a special register such as {@code %tid.x}. */
    record Name(String text) implements PtxOperand {
        @Override
        public String toString() {
            return text;
        }
    }

    /** A literal: an integer's value, or the bits of a float or double. */
    record Immediate(long bits, Form form) implements PtxOperand {
        /** How it was written. */
        public enum Form {
            INTEGER, FLOAT, DOUBLE
        }

        @Override
        public String toString() {
            return form == Form.INTEGER
                    ? Long.toString(bits)
                    : "0" + (form == Form.FLOAT ? "f" : "d")
                            + Long.toHexString(bits);
        }
    }

    /** {@code [base + offset]}; the base is a name, or null where there is none. */
    record Address(Name base, long offset) implements PtxOperand {
        @Override
        public String toString() {
            return "[" + base + "+" + offset + "]";
        }
    }

    /** <code>{a, b, ...}</code>, or a call's list in parentheses. */
    record Vector(List<PtxOperand> elements) implements PtxOperand {
        @Override
        public String toString() {
            return elements.toString();
        }
    }

    /** {@code d|p}: two destinations. */
    record Pair(PtxOperand first, PtxOperand second) implements PtxOperand {
        @Override
        public String toString() {
            return first + "|" + second;
        }
    }

    /** {@code !p}. */
    record Not(Name operand) implements PtxOperand {
        @Override
        public String toString() {
            return "!" + operand;
        }
    }
}
