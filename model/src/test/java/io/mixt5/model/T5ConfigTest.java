package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.engine.UserException;
import org.junit.jupiter.api.Test;

class T5ConfigTest {
    @Test
    void theMaximumDistanceLiesPastTheExactBuckets() {
        T5Config config = T5Config.preset("tiny");
        config.relativeAttentionMaxDistance = 17;
        config.check("config.json");
        config.relativeAttentionMaxDistance = 16;
        var error = assertThrows(UserException.class, () -> config.check("config.json"));
        assertEquals("config.json: relative_attention_max_distance is 16, but it must be greater than half of "
                + "relative_attention_num_buckets, 16, as smaller distances have a bucket each", error.getMessage());
        config.relativeAttentionNumBuckets = 8;
        config.check("config.json");
    }
}
