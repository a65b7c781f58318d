package io.mixt5.bench.report;

import io.mixt5.model.io.AtomicFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a page and a table beside a file of results. */
@Command(name = "report", mixinStandardHelpOptions = true,
        description = "Writes RESULTS as one HTML page and one Markdown table, beside it and under its name.")
public final class ReportCommand implements Callable<Integer> {
    @Parameters(paramLabel = "RESULTS", description = "What JMH wrote with -rf json -rff RESULTS.")
    private Path results;

    @Option(names = "--earlier", paramLabel = "RESULTS",
            description = "Earlier results, oldest first, for the history; may be given several times.")
    private List<Path> earlier = new ArrayList<>();

    @Override
    public Integer call() {
        Results current = Results.read(results);
        List<Results> history = earlier.stream().map(Results::read).toList();
        List<Section> sections = Sections.of(current, history);
        write(".html", HtmlPage.of(current, history, sections));
        write(".md", MarkdownTable.of(current, sections));
        return ExitCode.OK;
    }

    private void write(String ending, String text) {
        Path target = results.resolveSibling(results.getFileName().toString().replaceFirst("\\.json$", "") + ending);
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
        AtomicFile.write(target, channel -> {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        });
        System.out.println(target);
    }
}
