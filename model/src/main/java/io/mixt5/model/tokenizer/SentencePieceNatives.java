package io.mixt5.model.tokenizer;

import ai.djl.sentencepiece.jni.SentencePieceLibrary;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Loads the shared library which the JNI binding's jar carries, once a process.
 *
 * <p>The binding's own loader would keep a copy in the home directory and needs half of DJL; this one unpacks the
 * library into the temporary directory and deletes it as soon as it is loaded.
 */
final class SentencePieceNatives {
    private static boolean loaded;

    private SentencePieceNatives() {
    }

    /**
     * The binding, with its library loaded. Any thread may call it.
     *
     * @throws UserException where this machine has no such library or does not let it be loaded
     */
    static synchronized SentencePieceLibrary library() {
        if (!loaded) {
            load();
            loaded = true;
        }
        return SentencePieceLibrary.LIB;
    }

    @SuppressWarnings("restricted")
    private static void load() {
        String file = System.mapLibraryName("sentencepiece_native");
        String resource = "/native/lib/" + platform() + "/" + file;
        Path copy = null;
        try (InputStream in = SentencePieceLibrary.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new UserException("SentencePiece's binding has no library for " + platform()
                        + "; run on Linux (x86_64, aarch64), macOS (aarch64) or Windows (x86_64)");
            }
            copy = Files.createTempFile("mixt5-", file);
            Files.write(copy, in.readAllBytes());
            System.load(copy.toAbsolutePath().toString());
        } catch (IOException | UnsatisfiedLinkError e) {
            throw new UserException("The library of SentencePiece does not load from the temporary directory "
                    + System.getProperty("java.io.tmpdir") + " (" + e.getMessage()
                    + "); name one that can be written and executed from by -Djava.io.tmpdir", e);
        } finally {
            delete(copy);
        }
    }

    private static void delete(Path copy) {
        if (copy != null && !copy.toFile().delete()) {
            copy.toFile().deleteOnExit(); // Windows holds a loaded library's file
        }
    }

    private static String platform() {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        String system = name.startsWith("mac") ? "osx" : name.startsWith("windows") ? "win" : "linux";
        return system + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }
}
