package io.mixt5.train.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.model.io.UserFiles;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** What a run measures, one JSON object a line, each line written out at once. */
public final class MetricsLog implements AutoCloseable {
    private final ObjectMapper mapper = new ObjectMapper();
    private final Path file;
    private final Writer writer;

    /** Opens {@code file}, to go on behind what is there when {@code append}, else anew. */
    public MetricsLog(Path file, boolean append) {
        this.file = file;
        try {
            writer = append
                    ? Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)
                    : Files.newBufferedWriter(file);
        } catch (IOException e) {
            throw UserFiles.cannotWrite(file, e);
        }
    }

    /** Writes one line. */
    public void write(Map<String, ?> line) {
        try {
            writer.write(mapper.writeValueAsString(line) + "\n");
            writer.flush();
        } catch (IOException e) {
            throw UserFiles.cannotWrite(file, e);
        }
    }

    @Override
    public void close() {
        try {
            writer.close();
        } catch (IOException e) {
            throw UserFiles.cannotWrite(file, e);
        }
    }
}
