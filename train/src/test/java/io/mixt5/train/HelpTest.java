package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Help.Ansi;

class HelpTest {
    @Test
    void textThatTheLauncherPrintsIsTheCommandLines() throws IOException {
        try (InputStream text = Main.class.getResourceAsStream("Main.help")) {
            assumeTrue(text != null, "the classes were not built by Maven, which makes Main.help");
            assertEquals(Main.commandLine().getUsageMessage(Ansi.OFF),
                    new String(text.readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
