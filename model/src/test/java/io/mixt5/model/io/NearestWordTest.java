package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestWordTest {
    @ParameterizedTest
    @CsvSource({"'', '', 0", "abc, abc, 0", "'', abc, 3", "ab, ba, 1", "abcd, acbd, 1", "kitten, sitting, 3",
            "ca, abc, 3", "seed, sede, 1", "max_steps, max_step, 1"})
    void countsEditsAndSwaps(String a, String b, int distance) {
        assertEquals(distance, NearestWord.distance(a, b));
        assertEquals(distance, NearestWord.distance(b, a));
    }

    @Test
    void suggestsTheNearest() {
        List<String> known = List.of("save_steps", "eval_steps", "max_steps", "seed");
        assertEquals(Optional.of("max_steps"), NearestWord.of("maxsteps", known));
        assertEquals(Optional.of("seed"), NearestWord.of("sead", known));
        assertEquals(Optional.of("eval_steps"), NearestWord.of("val_steps", known));
        assertEquals(Optional.of("save_steps"), NearestWord.of("saveSteps", known));
    }

    @Test
    void suggestsTheFirstOfEqualsAndNothingFarOff() {
        assertEquals(Optional.of("bat"), NearestWord.of("at", List.of("cat", "bat")));
        assertTrue(NearestWord.of("output", List.of("seed", "metric")).isEmpty());
        assertTrue(NearestWord.of("seed", List.of()).isEmpty());
    }
}
