package io.mixt5.bench.report;

import io.mixt5.bench.report.Change.Verdict;
import io.mixt5.engine.UserException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Parameters;

/** Prints what changed between two files of results. */
@Command(name = "compare", mixinStandardHelpOptions = true,
        description = "Prints what takes longer or less long in AFTER than in BEFORE, beyond the noise of both: where all "
                + "samples of one lie above all of the other.")
public final class CompareCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "BEFORE", description = "Results that JMH wrote as JSON.")
    private Path before;

    @Parameters(index = "1", paramLabel = "AFTER", description = "Later ones.")
    private Path after;

    @Override
    public Integer call() {
        System.out.print(text(Results.read(before), Results.read(after)));
        return ExitCode.OK;
    }

    /** The comparison, largest changes first within what can be told for sure. */
    static String text(Results before, Results after) {
        List<Change> changes = new ArrayList<>();
        int missing = 0;
        for (Measurement later : after.all()) {
            Measurement earlier = before.find(later.key());
            if (earlier == null) {
                missing++;
            } else {
                changes.add(new Change(earlier, later));
            }
        }
        if (changes.isEmpty()) {
            throw new UserException(
                    before.name() + " and " + after.name() + " have no benchmark with the same parameters in "
                            + "common.");
        }
        changes.sort(Comparator.comparing(Change::verdict, CompareCommand::byCertainty).thenComparing(
                Comparator.comparingDouble((Change change) -> Math.abs(Math.log(change.ratio()))).reversed()));
        StringBuilder text = new StringBuilder();
        for (Change change : changes) {
            text.append(String.format("%-8s %10s -> %10s  %s: %s%n", mark(change.verdict()),
                    Numbers.seconds(change.before().seconds()), Numbers.seconds(change.after().seconds()),
                    change.after().key(), change.describe()));
        }
        long certain = changes.stream().filter(c -> sure(c.verdict())).count();
        return text
                .append(String.format("%d of %d changed beyond the noise; %d are only in %s%n", certain, changes.size(),
                        missing, after.name()))
                .toString();
    }

    private static int byCertainty(Verdict a, Verdict b) {
        return Boolean.compare(sure(b), sure(a));
    }

    private static boolean sure(Verdict verdict) {
        return verdict == Verdict.FASTER || verdict == Verdict.SLOWER;
    }

    private static String mark(Verdict verdict) {
        return switch (verdict) {
            case FASTER -> "FASTER";
            case SLOWER -> "SLOWER";
            case SAME -> "same";
            case UNKNOWN -> "?";
        };
    }
}
