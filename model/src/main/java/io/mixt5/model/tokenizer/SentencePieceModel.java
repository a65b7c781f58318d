package io.mixt5.model.tokenizer;

import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.ProtobufReader.MalformedException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a SentencePiece {@code .model} file holds: the pieces and how text is normalised before it is cut into them.
 *
 * <p>The file is a protobuf {@code ModelProto} (sentencepiece, {@code src/sentencepiece_model.proto}); only the fields
 * that change an encoding or a decoding are kept, so {@code read(m.toBytes())} equals {@code m}, while a file written
 * by sentencepiece comes back shorter. Immutable, so any thread may use it.
 *
 * @param pieces the vocabulary; a piece's index is its id
 * @param algorithm how text is cut into pieces
 * @param whitespaceAsSuffix whether the space symbol ends a word instead of starting it
 * @param unknownSurface what an unknown piece decodes to
 * @param normalizer how text is normalised first
 */
public record SentencePieceModel(
        List<Piece> pieces,
        Algorithm algorithm,
        boolean whitespaceAsSuffix,
        String unknownSurface,
        Normalizer normalizer) {
    /** The symbol that stands for a space in pieces, U+2581. */
    public static final char SPACE = '\u2581';

    /** What sentencepiece decodes an unknown piece to unless a model says otherwise. */
    public static final String DEFAULT_UNKNOWN_SURFACE = " \u2047 ";

    /** mT5 has 250,000. */
    private static final int MAX_PIECES = 500_000;
    private static final int MAX_PIECE_CHARS = 8000 / 3; // sentencepiece refuses pieces of 8000 UTF-8 bytes

    /** What a piece is for. Byte pieces are not supported, T5 has none. */
    public enum Type {
        /** Stands for its text. */
        NORMAL,
        /** Stands for every character that no piece covers; there is exactly one. */
        UNKNOWN,
        /** Never comes out of text and decodes to nothing: padding, end. */
        CONTROL,
        /** Stands for its text and is never cut. */
        USER_DEFINED,
        /** Holds an id and never comes out of text. */
        UNUSED;

        private static final int COUNT = values().length;

        private int number() {
            return ordinal() + 1;
        }
    }

    /** How text is cut into pieces. */
    public enum Algorithm {
        /** The most probable sequence of pieces (Kudo 2018). */
        UNIGRAM,
        /** Byte-pair merges. */
        BPE,
        /** Whole words. */
        WORD,
        /** Single characters. */
        CHAR;

        private static final int COUNT = values().length;

        private int number() {
            return ordinal() + 1;
        }
    }

    /**
     * One entry of the vocabulary.
     *
     * @param text the piece's text, spaces as {@link #SPACE}, not empty
     * @param score its log probability, finite
     * @param type what it is for
     */
    public record Piece(String text, float score, Type type) {
    }

    /**
     * How text is normalised before it is cut into pieces.
     *
     * @param name the rule's name: {@code identity}, {@code nmt_nfkc}, ...
     * @param charsMap the compiled rule, empty for none; not copied, so not to be written to
     * @param addDummyPrefix whether a text is treated as if it began with a space
     * @param removeExtraWhitespaces whether spaces at both ends go and several become one
     * @param escapeWhitespaces whether a space becomes {@link #SPACE}
     */
    public record Normalizer(
            String name,
            byte[] charsMap,
            boolean addDummyPrefix,
            boolean removeExtraWhitespaces,
            boolean escapeWhitespaces) {
        /**
         * Changes nothing but white space: every kind becomes a space, several become one, those at the ends go. (An
         * empty rule would do less, and transformers 5 loads no model that has one.)
         */
        public static final Normalizer WHITE_SPACE = new Normalizer("user_defined", whiteSpace(), true, true, true);

        private static byte[] whiteSpace() {
            SortedMap<String, String> rules = new TreeMap<>();
            for (String space : List.of("\t", "\n", "\r", "\u00a0", "\u2028", "\u2029", "\u3000")) {
                rules.put(space, " ");
            }
            return CharsMap.compile(rules);
        }
    }

    /** A model of {@code pieces}; the list is copied. */
    public SentencePieceModel {
        pieces = List.copyOf(pieces);
    }

    /** A unigram model of {@code pieces} that normalises nothing but white space. */
    public static SentencePieceModel unigram(List<Piece> pieces) {
        return new SentencePieceModel(
                pieces, Algorithm.UNIGRAM, false, DEFAULT_UNKNOWN_SURFACE, Normalizer.WHITE_SPACE);
    }

    /**
     * The model in {@code file}, a whole {@code .model} file. Everything in it is checked, so that what comes back can
     * be handed to native code, which checks little.
     *
     * @param name what to call the file in an error
     * @throws UserException where the bytes are no model that T5 could use
     */
    public static SentencePieceModel read(byte[] file, String name) {
        try {
            SentencePieceModel model = parse(new ProtobufReader(file));
            model.check();
            return model;
        } catch (MalformedException e) {
            throw new UserException(
                    name + " is not a usable SentencePiece model (it " + e.getMessage() + "); fetch the file again", e);
        }
    }

    /** The id of the unknown piece. */
    public int unknownId() {
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).type() == Type.UNKNOWN) {
                return id;
            }
        }
        throw new IllegalStateException("no unknown piece");
    }

    /** The model as a {@code .model} file, which sentencepiece and every library on top of it can load. */
    public byte[] toBytes() {
        ProtobufWriter file = new ProtobufWriter();
        for (Piece piece : pieces) {
            ProtobufWriter entry = new ProtobufWriter().text(1, piece.text()).fixedFloat(2, piece.score());
            if (piece.type() != Type.NORMAL) {
                entry.number(3, piece.type().number());
            }
            file.message(1, entry);
        }
        file.message(2, new ProtobufWriter()
                .number(3, algorithm.number())
                .number(4, pieces.size())
                .number(24, whitespaceAsSuffix ? 1 : 0)
                .number(40, unknownId())
                .number(41, controlId("<s>"))
                .number(42, controlId("</s>"))
                .number(43, controlId("<pad>"))
                .text(44, unknownSurface));
        file.message(3, new ProtobufWriter()
                .text(1, normalizer.name())
                .bytes(2, normalizer.charsMap())
                .number(3, normalizer.addDummyPrefix() ? 1 : 0)
                .number(4, normalizer.removeExtraWhitespaces() ? 1 : 0)
                .number(5, normalizer.escapeWhitespaces() ? 1 : 0));
        return file.toBytes();
    }

    private int controlId(String text) {
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).type() == Type.CONTROL && pieces.get(id).text().equals(text)) {
                return id;
            }
        }
        return -1;
    }

    private static SentencePieceModel parse(ProtobufReader in) throws MalformedException {
        List<Piece> pieces = new ArrayList<>();
        TrainerFields trainer = new TrainerFields();
        Normalizer normalizer = new Normalizer("", new byte[0], true, true, true);
        while (in.next()) {
            switch (in.field()) {
                case 1 -> {
                    pieces.add(piece(in.message()));
                    if (pieces.size() > MAX_PIECES) {
                        throw new MalformedException("holds more than " + MAX_PIECES + " pieces");
                    }
                }
                case 2 -> trainer.parse(in.message());
                case 3 -> normalizer = normalizer(in.message());
                default -> in.skip();
            }
        }
        return new SentencePieceModel(
                pieces, trainer.algorithm, trainer.whitespaceAsSuffix, trainer.unknownSurface, normalizer);
    }

    private static Piece piece(ProtobufReader in) throws MalformedException {
        String text = "";
        float score = 0;
        Type type = Type.NORMAL;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> text = in.text();
                case 2 -> score = in.fixedFloat();
                case 3 -> type = Type.values()[index(in.number(), Type.COUNT, "piece of the unsupported type")];
                default -> in.skip();
            }
        }
        return new Piece(text, score, type);
    }

    private static Normalizer normalizer(ProtobufReader in) throws MalformedException {
        String name = "";
        byte[] charsMap = new byte[0];
        boolean addDummyPrefix = true;
        boolean removeExtraWhitespaces = true;
        boolean escapeWhitespaces = true;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> name = in.text();
                case 2 -> charsMap = in.bytes();
                case 3 -> addDummyPrefix = in.number() != 0;
                case 4 -> removeExtraWhitespaces = in.number() != 0;
                case 5 -> escapeWhitespaces = in.number() != 0;
                default -> in.skip();
            }
        }
        return new Normalizer(name, charsMap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces);
    }

    private static int index(long number, int count, String what) throws MalformedException {
        if (number < 1 || number > count) {
            throw new MalformedException("has a " + what + " " + number);
        }
        return (int) number - 1;
    }

    private void check() throws MalformedException {
        if (pieces.isEmpty()) {
            throw new MalformedException("holds no pieces");
        }
        Set<String> seen = new HashSet<>();
        int unknown = 0;
        for (int id = 0; id < pieces.size(); id++) {
            Piece piece = pieces.get(id);
            String text = piece.text();
            if (text.isEmpty() || text.length() > MAX_PIECE_CHARS || text.indexOf('\0') >= 0) {
                throw new MalformedException("has an empty, an overlong or a NUL-holding piece, number " + id);
            }
            if (!seen.add(text)) {
                throw new MalformedException("has piece number " + id + " twice");
            }
            if (!Float.isFinite(piece.score())) {
                throw new MalformedException("has the score " + piece.score() + " for piece number " + id);
            }
            unknown += piece.type() == Type.UNKNOWN ? 1 : 0;
        }
        if (unknown != 1) {
            throw new MalformedException("has " + unknown + " unknown pieces instead of one");
        }
        CharsMap.check(normalizer.charsMap());
    }

    /** The fields of {@code TrainerSpec} that change an encoding or a decoding. */
    private static final class TrainerFields {
        private Algorithm algorithm = Algorithm.UNIGRAM;
        private boolean whitespaceAsSuffix;
        private String unknownSurface = DEFAULT_UNKNOWN_SURFACE;

        private void parse(ProtobufReader in) throws MalformedException {
            while (in.next()) {
                switch (in.field()) {
                    case 3 -> algorithm = Algorithm.values()[index(in.number(), Algorithm.COUNT,
                            "model type of unknown number")];
                    case 24 -> whitespaceAsSuffix = in.number() != 0;
                    case 44 -> unknownSurface = in.text();
                    default -> in.skip();
                }
            }
        }
    }
}
