package io.mixt5.kernels.emulator.ptx;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads modules: what stands at the outermost level of PTX. */
public final class PtxParser {
    private final String module;
    private final Lexer lexer;
    private final DeclarationParser declarations;
    private final Map<String, PtxVariable> variables = new LinkedHashMap<>();
    private final Map<String, PtxFunction> functions = new LinkedHashMap<>();
    private int version;
    private int target;

    private PtxParser(String module, String text) {
        this.module = module;
        this.lexer = new Lexer(module, text);
        this.declarations = new DeclarationParser(lexer);
    }

    /**
     * Reads PTX.
     *
     * @param name for messages: the file
     * @throws PtxException if it is not PTX
     */
    public static PtxModule parse(String name, String text) {
        return new PtxParser(name, text).parseModule();
    }

    /**
     * The version that PTX states, as 10 * major + minor, without a look at what follows: a newer version may hold what
     * this parser does not know.
     *
     * @throws PtxException if it does not begin with a version
     */
    public static int version(String name, String text) {
        PtxParser parser = new PtxParser(name, text);
        if (parser.lexer.peek() == null || !parser.lexer.takeIf(".version")) {
            throw parser.lexer.error("PTX begins with .version");
        }
        return parser.parseVersion();
    }

    private PtxModule parseModule() {
        while (lexer.peek() != null) {
            parseDirective();
        }
        if (version == 0 || target == 0) {
            throw lexer.error(".version or .target is missing");
        }
        return new PtxModule(module, version, target, variables, functions);
    }

    private void parseDirective() {
        int line = lexer.line();
        String directive = lexer.take();
        switch (directive) {
            case ".version" -> version = parseVersion();
            case ".target" -> target = parseTarget();
            case ".address_size" -> {
                if (lexer.integer() != 64) {
                    throw new PtxException(module, line, "only 64-bit addresses are supported");
                }
            }
            case ".visible", ".extern", ".weak", ".common" -> {
                // Linkage: a module stands for itself here.
            }
            case ".file" -> skipFile();
            case ".section" -> skipBraces();
            case ".pragma", ".alias" -> skipToSemicolon();
            case ".entry" -> parseFunction(line, true);
            case ".func" -> parseFunction(line, false);
            case ".global", ".const", ".shared" -> {
                for (PtxVariable variable : declarations.parseVariables(directive.substring(1), line)) {
                    variables.put(variable.name(), variable);
                }
            }
            default -> throw new PtxException(module, line, "'" + directive + "' is not known outside a function");
        }
    }

    /** {@code 7.8} is 78. */
    private int parseVersion() {
        String word = lexer.take();
        int dot = word.indexOf('.');
        if (dot < 1 || dot == word.length() - 1) {
            throw lexer.error("'" + word + "' is no version");
        }
        return 10 * Integer.parseInt(word.substring(0, dot)) + Integer.parseInt(word.substring(dot + 1));
    }

    /** {@code sm_80} or {@code sm_90a}, perhaps with options behind commas. */
    private int parseTarget() {
        String word = lexer.take();
        if (!word.matches("sm_[0-9]+[af]?")) {
            throw lexer.error("'" + word + "' is no target");
        }
        while (lexer.takeIf(",")) {
            lexer.take();
        }
        return Integer.parseInt(word.replaceAll("[^0-9]", ""));
    }

    private void skipFile() {
        lexer.take();
        lexer.take();
        while (lexer.takeIf(",")) {
            lexer.take();
        }
    }

    private void skipBraces() {
        while (!lexer.takeIf("{")) {
            lexer.take();
        }
        while (!lexer.takeIf("}")) {
            lexer.take();
        }
    }

    private void skipToSemicolon() {
        while (!lexer.takeIf(";")) {
            lexer.take();
        }
    }

    private void parseFunction(int line, boolean entry) {
        List<PtxVariable> returned = lexer.peek().equals("(") ? parseParameters() : List.of();
        String name = lexer.take();
        List<PtxVariable> parameters = lexer.peek().equals("(") ? parseParameters() : List.of();
        while (lexer.peek() != null && lexer.peek().startsWith(".")) {
            // .maxntid and its like tell ptxas how to use registers.
            lexer.take();
            while (lexer.peek() != null && !lexer.peek().startsWith(".") && !"{;".contains(lexer.peek())) {
                lexer.take();
            }
        }
        if (lexer.takeIf(";")) {
            functions.putIfAbsent(name, new PtxFunction(line, name, entry, returned, parameters, null));
            return;
        }
        PtxStatement.Scope body = new BodyParser(module, lexer, declarations).parseScope();
        functions.put(name, new PtxFunction(line, name, entry, returned, parameters, body));
    }

    private List<PtxVariable> parseParameters() {
        List<PtxVariable> parameters = new ArrayList<>();
        lexer.require("(");
        while (!lexer.takeIf(")")) {
            int line = lexer.line();
            lexer.require(".param");
            parameters.add(declarations.parseVariable("param", line));
            lexer.takeIf(",");
        }
        return parameters;
    }
}
