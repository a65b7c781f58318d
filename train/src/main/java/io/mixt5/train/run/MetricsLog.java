package io.mixt5.train.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.model.io.UserFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What a run measures, one JSON object a line, each line written out at once. A line that cannot be written is left out: a run
 * is worth more than its log.
 */
public final class MetricsLog implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path file;
    private final Consumer<String> warnings;
    private final FileChannel channel;
    private boolean warned;

    /**
     * Opens {@code file} to go on after {@code step}: lines of later steps, which an interrupted run has left, and halves of
     * lines are removed.
     *
     * @param step from 0; 0 starts anew
     * @param warnings told of the first line that cannot be written
     * @throws io.mixt5.engine.UserException when the file cannot be opened
     */
    public MetricsLog(Path file, int step, Consumer<String> warnings) {
        this.file = file;
        this.warnings = warnings;
        try {
            long end = step > 0 && Files.exists(file) ? end(Files.readAllBytes(file), step) : 0;
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            channel.truncate(end).position(end);
        } catch (IOException e) {
            throw UserFiles.cannotWrite(file, e);
        }
    }

    /** Where the lines up to {@code step} end. */
    private static long end(byte[] content, int step) {
        int end = 0;
        for (int i = 0; i < content.length; i++) {
            if (content[i] == '\n') {
                if (stepOf(content, end, i) > step) {
                    break;
                }
                end = i + 1;
            }
        }
        return end;
    }

    /** The line's step; one that is beyond all for a line that is none. */
    private static int stepOf(byte[] content, int from, int to) {
        try {
            JsonNode line = MAPPER.readTree(content, from, to - from);
            return line.path("step").asInt(Integer.MAX_VALUE);
        } catch (IOException e) {
            return Integer.MAX_VALUE;
        }
    }

    /** Writes one line. */
    public void write(Map<String, ?> line) {
        ByteBuffer text;
        try {
            text = StandardCharsets.UTF_8.encode(MAPPER.writeValueAsString(line) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("no JSON can be made of " + line, e);
        }
        try {
            long before = channel.position();
            try {
                while (text.hasRemaining()) {
                    channel.write(text);
                }
            } catch (IOException e) {
                channel.truncate(before);
                throw e;
            }
        } catch (IOException e) {
            if (!warned) {
                warned = true;
                warnings.accept(UserFiles.cannotWrite(file, e).getMessage() + "; its lines are left out until it can");
            }
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw UserFiles.cannotWrite(file, e);
        }
    }
}
