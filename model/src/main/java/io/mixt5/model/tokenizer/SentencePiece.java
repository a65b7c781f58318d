package io.mixt5.model.tokenizer;

import ai.djl.sentencepiece.jni.SentencePieceLibrary;
import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.SentencePieceModel.Piece;
import io.mixt5.model.tokenizer.SentencePieceModel.Type;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Text to ids and back with a SentencePiece model (Kudo and Richardson 2018), its ids exactly sentencepiece's.
 *
 * <p>Encoding runs in the native library, through the JNI binding of DJL. Decoding runs here: the binding would hand
 * the text back in JNI's modified UTF-8, which garbles every character beyond U+FFFF. The native side sees only what
 * {@link SentencePieceModel#read} has checked.
 *
 * <p>Any number of threads may encode and decode at once. {@link #close} waits for those still encoding; encoding
 * afterwards throws IllegalStateException.
 */
public final class SentencePiece implements AutoCloseable {
    private static final String SPACE = String.valueOf(SentencePieceModel.SPACE);

    private final SentencePieceModel model;
    private final Map<String, Integer> ids;
    private final SentencePieceLibrary library;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private long handle; // 0 once closed; guarded by lock

    /**
     * A tokenizer of {@code model}, which holds native memory until it is closed.
     *
     * @param name what to call the model in an error
     * @throws UserException where the native library cannot be loaded or refuses the model
     */
    public SentencePiece(SentencePieceModel model, String name) {
        this.model = model;
        ids = HashMap.newHashMap(model.pieces().size());
        for (int id = 0; id < model.pieces().size(); id++) {
            ids.put(model.pieces().get(id).text(), id);
        }
        library = SentencePieceNatives.library();
        handle = library.createSentencePieceProcessor();
        try {
            library.loadModelFromBytes(handle, model.toBytes());
        } catch (RuntimeException e) {
            close();
            throw new UserException(
                    name + " is refused by SentencePiece (" + e.getMessage() + "); fetch the file again", e);
        }
    }

    /** The model. */
    public SentencePieceModel model() {
        return model;
    }

    /** How many pieces there are; ids are 0 to size - 1. */
    public int size() {
        return model.pieces().size();
    }

    /** The id of the piece whose text is {@code piece}, -1 where there is none. */
    public int idOf(String piece) {
        return ids.getOrDefault(piece, -1);
    }

    /**
     * The ids of {@code text}, without an end token. A surrogate that stands alone counts as U+FFFD.
     *
     * @throws IllegalStateException where this is closed
     */
    public int[] encode(String text) {
        lock.readLock().lock();
        try {
            if (handle == 0) {
                throw new IllegalStateException("closed");
            }
            return library.encode(handle, mendSurrogates(text));
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * The text of {@code ids}, as sentencepiece's own decoder has it: control pieces vanish, the unknown piece
     * becomes {@link SentencePieceModel#unknownSurface}, and the spaces before the first word go.
     *
     * @throws IndexOutOfBoundsException where an id is not in 0 to size - 1
     */
    public String decode(int[] ids) {
        boolean dropAll = model.normalizer().removeExtraWhitespaces();
        boolean dropSpace = dropAll || model.normalizer().addDummyPrefix();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            Piece piece = model.pieces().get(id);
            if (piece.type() == Type.CONTROL) {
                continue;
            }
            String surface = piece.type() == Type.UNKNOWN ? model.unknownSurface() : piece.text();
            if (dropSpace && text.isEmpty() && surface.startsWith(SPACE)) {
                surface = surface.substring(1);
                dropSpace = dropAll;
            }
            text.append(surface.replace(SentencePieceModel.SPACE, ' '));
        }
        return text.toString();
    }

    /** Frees the native memory, after encodings still running have ended. Calling it again does nothing. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (handle != 0) {
                library.deleteSentencePieceProcessor(handle);
                handle = 0;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** The binding turns a lone surrogate into a question mark, sentencepiece invalid UTF-8 into U+FFFD. */
    private static String mendSurrogates(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                int[] points = text.codePoints()
                        .map(point -> point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE
                                ? 0xfffd
                                : point)
                        .toArray();
                return new String(points, 0, points.length);
            }
        }
        return text;
    }
}
