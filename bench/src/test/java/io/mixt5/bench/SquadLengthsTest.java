package io.mixt5.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.data.BatchPlan;
import io.mixt5.train.data.SquadPairs;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.squad.SquadPrompt;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SquadLengthsTest {
    private static final Path DATA = Path.of("../../shared/data");
    private static final Path FILE = Path.of("src/main/resources/io/mixt5/bench", SquadLengths.FILE);
    private static final int BATCH = 8;
    private static final int MAX_SOURCE = 512;
    private static final int MAX_TARGET = 32;

    /** With {@code -Dmixt5.update=true} the file is written anew. */
    @Test
    void theyAreThoseOfTheDevelopmentSet() throws Exception {
        if (!Files.isDirectory(DATA)) {
            System.out.println("NOT TESTED: that " + SquadLengths.FILE + " holds SQuAD's lengths, as " + DATA
                    + " is not there");
            return;
        }
        List<TextPair> pairs;
        try (T5Tokenizer tokenizer = T5Tokenizer.load(DATA.resolve("spm/t5-spiece.model"))
                .withAddedTokens(SquadPrompt.MARKERS)) {
            pairs = SquadPairs.read(DATA.resolve("squad/dev-small.json"), tokenizer, MAX_SOURCE, MAX_TARGET,
                    Integer.MAX_VALUE);
        }
        int[] lengths = pairs.stream().mapToInt(pair -> pair.source().length).toArray();
        String batches = BatchPlan.epoch(lengths, BATCH, false, RandomData.SEED, 0).stream()
                .filter(batch -> batch.length == BATCH)
                .map(batch -> Arrays.stream(batch).mapToObj(pairs::get)
                        .map(pair -> "[" + pair.source().length + "," + pair.target().length + "]")
                        .collect(Collectors.joining(",", "[", "]")))
                .collect(Collectors.joining(",\n", "[\n", "\n]\n"));
        if (Boolean.getBoolean("mixt5.update")) {
            Files.createDirectories(FILE.getParent());
            Files.writeString(FILE, batches);
        }
        assertEquals(batches, Files.readString(FILE));
    }

    @Test
    void batchesHaveSequencesOfTheseLengths() {
        int[][][] lengths = SquadLengths.read();
        List<T5Batch> batches = SquadLengths.batches(T5Config.preset("tiny"));
        assertEquals(lengths.length, batches.size());
        for (int b = 0; b < lengths.length; b++) {
            assertEquals(BATCH, lengths[b].length);
            assertEquals(Arrays.stream(lengths[b]).mapToInt(pair -> pair[0]).sum(),
                    batches.get(b).source().ids().length);
            assertEquals(Arrays.stream(lengths[b]).mapToInt(pair -> pair[1]).sum(), batches.get(b).labels().length);
        }
    }
}
