package io.mixt5.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Route;
import org.junit.jupiter.api.Test;

class LayerKindTest {
    @Test
    void namesSayWhatTheLayerIs() {
        assertEquals(new LayerKind(1, 0, 0, false), LayerKind.parse("dense"));
        assertEquals(new LayerKind(2, 0, 0, false), LayerKind.parse("dense x2"));
        assertEquals(new LayerKind(2, 128, 0, false), LayerKind.parse("top-2 of 128"));
        assertEquals(new LayerKind(1, 8, 1.25, true), LayerKind.parse("top-1 of 8 capacity 1.25 skewed"));
    }

    @Test
    void capacityDropsTokensAndNoneOtherwise() {
        assertEquals(Route.Policy.CAPACITY, LayerKind.parse("top-1 of 8 capacity 1.0").config().capacityPolicy);
        assertEquals(Route.Policy.DROPLESS, LayerKind.parse("top-1 of 8").config().capacityPolicy);
    }

    @Test
    void otherNamesAreRefused() {
        for (String name : new String[]{"", "top-1", "dense x", "top-1 of 8 capacity", "Top-1 of 8"}) {
            assertThrows(UserException.class, () -> LayerKind.parse(name), name);
        }
    }
}
