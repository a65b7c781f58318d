package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Memory;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ScratchTest {
    @Test
    void keepsABufferWhileItIsLargeEnough() {
        int slot = Scratch.newSlot();
        long address = Scratch.get(slot, 100_000);
        assertEquals(0, address % Scratch.ALIGNMENT);
        assertEquals(address, Scratch.get(slot, 100_000));
        assertEquals(address, Scratch.get(slot, 1));
        Memory.fill(address, 100_000, (byte) 1);
    }

    @Test
    void growsToWhatIsAsked() {
        int slot = Scratch.newSlot();
        for (long bytes = 1; bytes < 1L << 26; bytes *= 3) {
            long address = Scratch.get(slot, bytes);
            assertEquals(0, address % Scratch.ALIGNMENT);
            Memory.fill(address, bytes, (byte) 7);
        }
    }

    @Test
    void separatesSlotsAndThreads() throws InterruptedException {
        int first = Scratch.newSlot();
        int second = Scratch.newSlot();
        long a = Scratch.get(first, 5000);
        long b = Scratch.get(second, 5000);
        assertTrue(Math.abs(a - b) >= 5000);
        assertEquals(a, Scratch.get(first, 5000), "a later slot moved an earlier one");
        AtomicLong elsewhere = new AtomicLong();
        Thread.ofPlatform().start(() -> elsewhere.set(Scratch.get(first, 5000))).join();
        assertNotEquals(a, elsewhere.get());
    }
}
