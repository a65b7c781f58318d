package io.mixt5.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The launcher answers --help from a text beside the main class. */
class HelpTextTest {
    @Test
    void textBesideTheMainClassIsPrintedAsItIs() throws IOException {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        assertTrue(Launcher.printHelp("io.mixt5.launcher.Sample", new PrintStream(printed)));
        assertEquals("Usage: sample – one line\n", printed.toString(StandardCharsets.UTF_8));
    }

    @Test
    void withoutATextThereIsNothingToPrint() throws IOException {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        assertFalse(Launcher.printHelp("io.mixt5.launcher.Missing", new PrintStream(printed)));
        assertEquals(0, printed.size());
    }
}
