package io.mixt5.kernels.emulator.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads declarations of variables and parameters. */
final class DeclarationParser {
    private final Lexer lexer;

    DeclarationParser(Lexer lexer) {
        this.lexer = lexer;
    }

    /** One or several after a space's name, with the semicolon. */
    List<PtxVariable> parseVariables(String space, int line) {
        List<PtxVariable> variables = new ArrayList<>();
        Head head = parseHead();
        do {
            variables.add(parseRest(space, line, head));
        } while (lexer.takeIf(","));
        lexer.require(";");
        return variables;
    }

    /** One, without what follows. */
    PtxVariable parseVariable(String space, int line) {
        return parseRest(space, line, parseHead());
    }

    private record Head(int align, int elementBytes) {
    }

    private Head parseHead() {
        int align = 0;
        int lanes = 1;
        int bytes = -1;
        while (lexer.peek().startsWith(".")) {
            String word = lexer.take().substring(1);
            switch (word) {
                case "align" -> align = Math.toIntExact(lexer.integer());
                case "v2" -> lanes = 2;
                case "v4" -> lanes = 4;
                case "ptr", "global", "const", "shared", "local", "managed" -> {
                    // Attributes of a pointer; addresses say for themselves where they point.
                }
                default -> {
                    bytes = PtxType.bytes(word);
                    if (bytes <= 0) {
                        throw lexer.error("'." + word + "' is no type of a variable");
                    }
                }
            }
        }
        if (bytes < 0) {
            throw lexer.error("a type is missing");
        }
        return new Head(Math.max(align, align == 0 ? bytes * lanes : bytes), bytes * lanes);
    }

    private PtxVariable parseRest(String space, int line, Head head) {
        String name = lexer.take();
        long count = 1;
        while (lexer.takeIf("[")) {
            count *= lexer.peek().equals("]") ? 0 : lexer.integer();
            lexer.require("]");
        }
        int bytes = Math.toIntExact(count * head.elementBytes());
        Map<Integer, PtxVariable.Reference> references = new HashMap<>();
        byte[] initial = new byte[0];
        if (lexer.takeIf("=")) {
            List<PtxOperand> values = new ArrayList<>();
            parseInitializer(values);
            initial = bytes(values, head.elementBytes(), references);
            bytes = Math.max(bytes, initial.length);
        }
        return new PtxVariable(line, name, space, head.align(), bytes, initial, references);
    }

    private void parseInitializer(List<PtxOperand> values) {
        if (lexer.takeIf("{")) {
            while (!lexer.takeIf("}")) {
                parseInitializer(values);
                lexer.takeIf(",");
            }
            return;
        }
        boolean negative = lexer.takeIf("-");
        String word = lexer.take();
        if (Numbers.isNumber(word)) {
            values.add(Numbers.immediate(word, negative));
            return;
        }
        String name = word;
        if (word.equals("generic")) {
            lexer.require("(");
            name = lexer.take();
            lexer.require(")");
        }
        long offset = lexer.takeIf("+") ? lexer.integer() : 0;
        values.add(new PtxOperand.Address(new PtxOperand.Name(name), offset));
    }

    private static byte[] bytes(List<PtxOperand> values, int elementBytes,
            Map<Integer, PtxVariable.Reference> references) {
        byte[] bytes = new byte[values.size() * elementBytes];
        for (int i = 0; i < values.size(); i++) {
            int at = i * elementBytes;
            if (values.get(i) instanceof PtxOperand.Address address) {
                references.put(at, new PtxVariable.Reference(address.base().text(), address.offset()));
            } else if (values.get(i) instanceof PtxOperand.Immediate immediate) {
                for (int b = 0; b < elementBytes; b++) {
                    bytes[at + b] = (byte) (immediate.bits() >> 8 * b);
                }
            }
        }
        return bytes;
    }
}
