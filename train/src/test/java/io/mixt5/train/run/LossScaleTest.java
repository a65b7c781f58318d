package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import org.junit.jupiter.api.Test;

class LossScaleTest {
    @Test
    void halvesAndCountsAtAnOverflow() {
        LossScale scale = LossScale.start().after(true).after(true);
        assertEquals(new LossScale(65536, 2, 0), scale);
        assertEquals(new LossScale(32768, 0, 1), scale.after(false));
        assertEquals(new LossScale(16384, 1, 2), scale.after(false).after(false).after(true));
    }

    @Test
    void doublesAfter2000GoodStepsInARow() {
        LossScale scale = LossScale.start();
        for (int step = 0; step < 1999; step++) {
            scale = scale.after(true);
        }
        assertEquals(new LossScale(65536, 1999, 0), scale);
        assertEquals(new LossScale(131072, 0, 0), scale.after(true));
        assertEquals(new LossScale(32768, 1, 1), scale.after(false).after(true));
    }

    @Test
    void givesUpWhenNoScaleHelps() {
        LossScale scale = LossScale.start();
        for (int halvings = 0; halvings < 40; halvings++) {
            scale = scale.after(false);
        }
        assertEquals(0x1p-24, scale.scale());
        LossScale least = scale;
        String message = assertThrows(UserException.class, () -> least.after(false)).getMessage();
        assertTrue(message.contains("use precision bf16 or fp32"), message);
    }
}
