package io.mixt5.kernels.emulator.ptx;

import java.util.ArrayList;
import java.util.List;

/** Reads the bodies of functions. */
final class BodyParser {
    private final String module;
    private final Lexer lexer;
    private final DeclarationParser declarations;

    BodyParser(String module, Lexer lexer, DeclarationParser declarations) {
        this.module = module;
        this.lexer = lexer;
        this.declarations = declarations;
    }

    /** Statements in braces. */
    PtxStatement.Scope parseScope() {
        int line = lexer.line();
        List<PtxStatement> statements = new ArrayList<>();
        lexer.require("{");
        while (!lexer.takeIf("}")) {
            parseStatement(statements);
        }
        return new PtxStatement.Scope(line, statements);
    }

    private void parseStatement(List<PtxStatement> statements) {
        int line = lexer.line();
        String word = lexer.peek();
        if (word == null) {
            throw lexer.error("a function's body has no end");
        }
        if (word.equals("{")) {
            statements.add(parseScope());
        } else if (word.equals(";")) {
            lexer.take();
        } else if (word.startsWith(".")) {
            parseDirective(statements, line);
        } else if (word.equals("@")) {
            lexer.take();
            boolean negated = lexer.takeIf("!");
            String guard = lexer.take();
            statements.add(parseInstruction(line, guard, negated, lexer.take()));
        } else {
            lexer.take();
            if (lexer.takeIf(":")) {
                parseLabel(statements, line, word);
            } else {
                statements.add(parseInstruction(line, null, false, word));
            }
        }
    }

    private void parseDirective(List<PtxStatement> statements, int line) {
        String directive = lexer.take();
        switch (directive) {
            case ".reg" -> parseRegisters(statements, line);
            case ".shared", ".local", ".param", ".const", ".global" -> {
                for (PtxVariable variable : declarations.parseVariables(directive.substring(1), line)) {
                    statements.add(new PtxStatement.Declaration(line, variable));
                }
            }
            case ".loc" -> {
                // Three numbers: file, line, column; then perhaps where it was inlined.
                for (int i = 0; i < 3; i++) {
                    lexer.integer();
                }
                while (lexer.takeIf(",")) {
                    lexer.take();
                    while (!lexer.peek().equals(",") && lexer.line() == line) {
                        lexer.take();
                    }
                }
            }
            case ".pragma" -> {
                lexer.take();
                lexer.require(";");
            }
            default -> throw new PtxException(module, line, "'" + directive + "' is not known inside a function");
        }
    }

    private void parseRegisters(List<PtxStatement> statements, int line) {
        String type = lexer.take().substring(1);
        if (PtxType.bytes(type) < 0) {
            throw lexer.error("'." + type + "' is no type of a register");
        }
        do {
            String name = lexer.take();
            int count = -1;
            if (lexer.takeIf("<")) {
                count = Math.toIntExact(lexer.integer());
                lexer.require(">");
            }
            statements.add(new PtxStatement.Registers(line, type, name, count));
        } while (lexer.takeIf(","));
        lexer.require(";");
    }

    private void parseLabel(List<PtxStatement> statements, int line, String name) {
        if (!lexer.takeIf(".branchtargets")) {
            statements.add(new PtxStatement.Label(line, name));
            return;
        }
        List<String> labels = new ArrayList<>();
        do {
            labels.add(lexer.take());
        } while (lexer.takeIf(","));
        lexer.require(";");
        statements.add(new PtxStatement.Targets(line, name, labels));
    }

    private PtxStatement.Instruction parseInstruction(int line, String guard, boolean negated, String opcode) {
        List<PtxOperand> operands = new ArrayList<>();
        if (!lexer.takeIf(";")) {
            do {
                operands.add(parseOperand());
            } while (lexer.takeIf(","));
            lexer.require(";");
        }
        return new PtxStatement.Instruction(line, guard, negated, opcode, operands);
    }

    private PtxOperand parseOperand() {
        if (lexer.takeIf("{")) {
            return parseList("}");
        }
        if (lexer.takeIf("(")) {
            return parseList(")");
        }
        if (lexer.takeIf("[")) {
            return parseAddress();
        }
        if (lexer.takeIf("!")) {
            return new PtxOperand.Not(new PtxOperand.Name(lexer.take()));
        }
        boolean negative = lexer.takeIf("-");
        String word = lexer.take();
        if (Numbers.isNumber(word)) {
            try {
                return Numbers.immediate(word, negative);
            } catch (NumberFormatException e) {
                throw lexer.error("'" + word + "' is no number");
            }
        }
        if (negative) {
            throw lexer.error("a number expected behind '-' instead of '" + word + "'");
        }
        PtxOperand.Name name = new PtxOperand.Name(word);
        if (lexer.takeIf("|")) {
            return new PtxOperand.Pair(name, new PtxOperand.Name(lexer.take()));
        }
        if (lexer.takeIf("+")) {
            // A variable's address with an offset, as mov takes it.
            return new PtxOperand.Address(name, lexer.integer());
        }
        return name;
    }

    private PtxOperand parseList(String end) {
        List<PtxOperand> elements = new ArrayList<>();
        while (!lexer.takeIf(end)) {
            elements.add(parseOperand());
            lexer.takeIf(",");
        }
        return new PtxOperand.Vector(elements);
    }

    private PtxOperand parseAddress() {
        PtxOperand.Name base = null;
        long offset = 0;
        if (lexer.peek().equals("-") || Numbers.isNumber(lexer.peek())) {
            offset = lexer.integer();
        } else {
            base = new PtxOperand.Name(lexer.take());
            if (lexer.takeIf("+")) {
                offset = lexer.integer();
            } else if (lexer.peek().equals("-")) {
                offset = lexer.integer();
            }
        }
        lexer.require("]");
        return new PtxOperand.Address(base, offset);
    }
}
