package io.mixt5.model.tokenizer;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/**
 * T5's tokenizer: SentencePiece pieces, then the sentinels, then added special tokens.
 *
 * <p>Ids: the model's pieces from 0 ({@code <pad>} 0, {@code </s>} 1, {@code <unk>} 2 in T5's own), the sentinels
 * {@code <extra_id_0>}, {@code <extra_id_1>}, ... from the end down ({@code <extra_id_n>} is
 * {@code pieces + sentinels - 1 - n}, so 32099 is {@code <extra_id_0>} of T5), the added tokens from
 * {@code pieces + sentinels} up in the order of adding (32100, 32101, ...).
 *
 * <p>Encoding cuts a text at special tokens, the leftmost first and the longest of those, and hands each stretch
 * between to SentencePiece, which trims it and begins it with a space of its own; so white space around a special
 * token makes no difference. That gives the ids of Hugging Face's {@code T5Tokenizer}. Left open are cuts of equal
 * probability ("444" as 44 4 or 4 44), which rounding decides and which versions of sentencepiece and transformers
 * decide differently, 1 text in 8,000 of SQuAD's; and U+0085 and some combining marks, which transformers 5 normalises
 * otherwise than sentencepiece, whose way is followed here.
 *
 * <p>Any number of threads may use one tokenizer at once. It holds native memory until it is closed.
 */
public final class T5Tokenizer implements AutoCloseable {
    /** The token that ends a sequence. */
    public static final String END = "</s>";

    /** The token that fills a batch up; T5's decoder also starts with it. */
    public static final String PAD = "<pad>";

    /** The token for whatever no piece covers. */
    public static final String UNKNOWN = "<unk>";

    /** mT5's, with 250,000 pieces, has 4 MB. */
    private static final long MAX_MODEL_BYTES = 1 << 26;
    private static final String SPACE = String.valueOf(SentencePieceModel.SPACE);

    private final SentencePiece pieces;
    private final byte[] modelFile;
    private final int sentinels;
    private final List<String> tokens; // all of them, by id
    private final SequencedMap<String, Integer> special = new LinkedHashMap<>();
    private final BitSet specialIds = new BitSet();
    private final Map<Character, List<String>> specialByFirst = new HashMap<>(); // the longest first

    /**
     * The first {@code count} ids are the pieces and sentinels, {@code added} asks for special tokens beyond them.
     * A token that is a piece already keeps that piece's id and becomes special.
     */
    private T5Tokenizer(SentencePiece pieces, byte[] modelFile, int sentinels, Iterable<String> added, String name) {
        this.pieces = pieces;
        this.modelFile = modelFile;
        this.sentinels = sentinels;
        tokens = new ArrayList<>(pieces.model().pieces().stream().map(SentencePieceModel.Piece::text).toList());
        for (String own : List.of(PAD, END, UNKNOWN)) {
            if (pieces.idOf(own) < 0) {
                throw new UserException(name + " has no piece " + own + ", so it is no T5 tokenizer's model");
            }
            addSpecial(own);
        }
        for (int n = sentinels - 1; n >= 0; n--) {
            addSpecial(TokenizerFiles.sentinel(n));
        }
        added.forEach(this::addSpecial);
        specialByFirst.values().forEach(list -> list.sort(Comparator.comparing(String::length).reversed()));
    }

    private void addSpecial(String token) {
        if (special.containsKey(token)) {
            return;
        }
        int id = pieces.idOf(token);
        if (id < 0) {
            id = tokens.size();
            tokens.add(token);
        }
        special.put(token, id);
        specialIds.set(id);
        specialByFirst.computeIfAbsent(token.charAt(0), first -> new ArrayList<>()).add(token);
    }

    /**
     * The tokenizer in {@code path}: a directory with {@code spiece.model} and perhaps {@code tokenizer_config.json},
     * {@code special_tokens_map.json} and {@code added_tokens.json}, as Hugging Face's save_pretrained leaves them; or
     * a {@code .model} file, which gets 100 sentinels.
     *
     * @throws UserException where a file is missing, cannot be read, or does not hold what it should
     */
    public static T5Tokenizer load(Path path) {
        Objects.requireNonNull(path, "path");
        boolean directory = Files.isDirectory(path);
        Path file = directory ? path.resolve(TokenizerFiles.MODEL) : path;
        if (!Files.isRegularFile(file)) {
            throw missing(file, directory);
        }
        byte[] modelFile;
        try {
            if (Files.size(file) > MAX_MODEL_BYTES) {
                throw new UserException(file + " is no SentencePiece model: it has " + Files.size(file)
                        + " bytes, and at most " + MAX_MODEL_BYTES + " are allowed");
            }
            modelFile = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UserException(file + " cannot be read (" + e + ")", e);
        }
        TokenizerFiles files = directory ? TokenizerFiles.read(path) : TokenizerFiles.DEFAULT;
        return load(modelFile, files, file.toString());
    }

    private static UserException missing(Path file, boolean directory) {
        if (directory && Files.exists(file.resolveSibling(TokenizerFiles.FAST))) {
            return new UserException("There is a " + TokenizerFiles.FAST + " but no SentencePiece model " + file
                    + ", which is what this reads; fetch spiece.model from the model's page on huggingface.co, or from "
                    + "that of the T5 it was made from (all of google/t5-v1_1-* have the same)");
        }
        return new UserException("There is no SentencePiece model " + file
                + "; name a directory with a spiece.model or a .model file");
    }

    private static T5Tokenizer load(byte[] modelFile, TokenizerFiles files, String name) {
        SentencePiece pieces = new SentencePiece(SentencePieceModel.read(modelFile, name), name);
        try {
            T5Tokenizer tokenizer = new T5Tokenizer(pieces, modelFile, files.sentinels(), files.special(), name);
            files.ids().forEach((token, id) -> {
                if (tokenizer.idOf(token) != id) {
                    throw new UserException("The files beside " + name + " give the token " + token + " the id " + id
                            + ", but it comes out as " + tokenizer.idOf(token)
                            + ": added tokens must follow the pieces and sentinels without a gap");
                }
            });
            return tokenizer;
        } catch (RuntimeException e) {
            pieces.close();
            throw e;
        }
    }

    /**
     * This tokenizer with further special tokens, each of which takes the next id unless it has one. It shares the
     * native memory: closing either closes both.
     *
     * @throws IllegalArgumentException where a token is empty
     */
    public T5Tokenizer withAddedTokens(List<String> added) {
        Objects.requireNonNull(added, "added");
        if (added.contains("")) {
            throw new IllegalArgumentException("an empty token");
        }
        List<String> all = new ArrayList<>(special.keySet());
        all.addAll(added);
        return new T5Tokenizer(pieces, modelFile, sentinels, all, "The model");
    }

    /**
     * The ids of {@code text}, special tokens in it recognised, without an end token.
     *
     * @throws IllegalStateException where this is closed
     */
    public int[] encode(String text) {
        Objects.requireNonNull(text, "text");
        IntStream.Builder ids = IntStream.builder();
        int start = 0;
        int at = 0;
        while (at < text.length()) {
            String token = specialAt(text, at);
            if (token == null) {
                at++;
                continue;
            }
            encodePlain(text.substring(start, at), ids);
            ids.add(special.get(token));
            at += token.length();
            start = at;
        }
        encodePlain(text.substring(start), ids);
        return ids.build().toArray();
    }

    /**
     * The ids of {@code text} and the end token after them.
     *
     * @throws IllegalStateException where this is closed
     */
    public int[] encodeWithEnd(String text) {
        int[] ids = encode(text);
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = endId();
        return ended;
    }

    private void encodePlain(String text, IntStream.Builder ids) {
        if (!text.isEmpty()) {
            for (int id : pieces.encode(text)) {
                ids.add(id);
            }
        }
    }

    /** The longest special token that begins at {@code at} in {@code text}, null where none does. */
    private String specialAt(String text, int at) {
        for (String token : specialByFirst.getOrDefault(text.charAt(at), List.of())) {
            if (text.startsWith(token, at)) {
                return token;
            }
        }
        return null;
    }

    /**
     * The text of {@code ids} as Hugging Face decodes it: the tokens one after the other, a space wherever a piece
     * has one but none before the first. Ids beyond the vocabulary (a model's embedding may have more rows) are
     * passed over.
     *
     * @param skipSpecial whether special tokens are left out, the unknown one among them
     */
    public String decode(int[] ids, boolean skipSpecial) {
        Objects.requireNonNull(ids, "ids");
        StringBuilder text = new StringBuilder();
        boolean first = true;
        for (int id : ids) {
            if (id < 0 || id >= tokens.size() || skipSpecial && specialIds.get(id)) {
                continue;
            }
            text.append(tokens.get(id).replace(SPACE, first ? "" : " "));
            first = false;
        }
        return text.toString();
    }

    /** How many ids there are: pieces, sentinels and added tokens. */
    public int vocabularySize() {
        return tokens.size();
    }

    /** The id of {@link #END}. */
    public int endId() {
        return special.get(END);
    }

    /** The id of {@link #PAD}. */
    public int padId() {
        return special.get(PAD);
    }

    /** The id of {@link #UNKNOWN}. */
    public int unknownId() {
        return special.get(UNKNOWN);
    }

    /** The id of a piece, sentinel or added token, -1 where there is none of that text. */
    public int idOf(String token) {
        Integer id = special.get(token);
        return id == null ? pieces.idOf(token) : id;
    }

    /**
     * The text of the token {@code id}, spaces as {@link SentencePieceModel#SPACE}.
     *
     * @throws IndexOutOfBoundsException where {@code id} is not in 0 to vocabularySize - 1
     */
    public String token(int id) {
        return tokens.get(id);
    }

    /**
     * Writes {@code spiece.model}, {@code tokenizer_config.json} and {@code special_tokens_map.json}, which Hugging
     * Face and {@link #load} read, into {@code directory}; it is made if need be.
     *
     * @throws UserException where it cannot be written
     */
    public void save(Path directory) {
        Objects.requireNonNull(directory, "directory");
        SequencedMap<String, Integer> byId = new LinkedHashMap<>();
        special.entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .forEach(entry -> byId.put(entry.getKey(), entry.getValue()));
        TokenizerFiles.write(directory, modelFile, sentinels, byId);
    }

    /** Frees the native memory; encoding afterwards throws IllegalStateException. Decoding still works. */
    @Override
    public void close() {
        pieces.close();
    }
}
