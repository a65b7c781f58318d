package io.mixt5.kernels.emulator;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** PTX among the tests' resources. */
final class PtxResource {
    private PtxResource() {
    }

    /** The text of a file in /emulator. */
    static String read(String name) {
        try (InputStream in = PtxResource.class.getResourceAsStream("/emulator/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
