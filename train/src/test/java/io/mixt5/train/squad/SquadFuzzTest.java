package io.mixt5.train.squad;

import io.mixt5.model.Fuzz;
import io.mixt5.train.squad.SquadReader.Answers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged and hostile data sets; the model's own files are fuzzed beside the model. */
class SquadFuzzTest {
    private static final String V1 = """
            {"version": "1.1", "data": [{"title": "Fish", "paragraphs": [{"context": "Cod is a fish \\u2013 na\u00efve.",
              "qas": [{"id": "1", "question": "What is cod?", "answers": [{"text": "a fish", "answer_start": 7}]},
                {"id": "2", "question": "Who?", "answers": [{"text": "Cod", "answer_start": 0}]}]}]}]}
            """;
    private static final String V2 = """
            {"data": [{"paragraphs": [{"qas": [{"id": "3", "question": "Which?", "answers": [], "is_impossible": true},
              {"id": "4", "question": "Which?", "answers": [{"text": "owl", "answer_start": 3}]}],
              "context": "An owl."}], "title": "Birds"}]}
            """;

    @TempDir
    private Path directory;

    @Test
    void dataSetsAreReadOrRefused() throws Exception {
        Fuzz.run("squad", List.of(bytes(V1), bytes(V2), packed(V1)), directory.resolve("data.json"), 0, file -> {
            SquadReader.readAll(file, Answers.OPTIONAL);
            SquadReader.readAll(file, Answers.REQUIRED);
        }, () -> 0);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] packed(String text) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(packed)) {
            out.write(bytes(text));
        }
        return packed.toByteArray();
    }
}
