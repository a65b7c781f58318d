package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.ffm.NativeLibraries;
import java.util.concurrent.atomic.AtomicInteger;
import jcuda.LibUtils;
import org.junit.jupiter.api.Test;

class JCudaNativesTest {
    @Test
    void tellsOfALibraryThatJCudaDoesNotHave() {
        String reason = JCudaNatives.load("JNothing", () -> {
            throw new AssertionError("there is nothing to initialise");
        });
        assertTrue(reason.contains("JNothing-12.6.0-") && reason.contains("on the class path"), reason);
        assertFalse(NativeLibraries.attempts("JNothing").getLast().loaded());
    }

    @Test
    void tellsWhatTheLinkerMissesAndTriesOnce() {
        AtomicInteger tries = new AtomicInteger();
        String temporary = System.getProperty("java.io.tmpdir");
        Runnable failing = () -> {
            tries.incrementAndGet();
            throw new UnsatisfiedLinkError("Error while loading native library\njava.lang.UnsatisfiedLinkError: "
                    + System.getProperty("java.io.tmpdir") + "/" + file()
                    + ": libnvrtc.so.12: cannot open shared object "
                    + "file: No such file or directory\n    at jcuda.LibUtils");
        };
        String reason = JCudaNatives.load("JNvrtc", failing);
        assertNotNull(reason);
        assertEquals(temporary, System.getProperty("java.io.tmpdir"));
        assertEquals(reason, JCudaNatives.load("JNvrtc", failing));
        assertTrue(tries.get() <= 1);
        if (tries.get() == 1) {
            assertEquals("libnvrtc.so.12: cannot open shared object file: No such file or directory", reason);
        } else {
            System.out.println("NOT TESTED. What is said of a missing library: " + reason + ".");
        }
    }

    private static String file() {
        return System.mapLibraryName(LibUtils.createPlatformLibraryName("JNvrtc-12.6.0"));
    }
}
