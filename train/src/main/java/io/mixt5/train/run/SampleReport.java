package io.mixt5.train.run;

import io.mixt5.train.squad.SquadExample;
import io.mixt5.train.squad.SquadMetric;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;

/** Prints a few questions with their contexts, the model's answers and the expected ones, spread evenly over the data. */
final class SampleReport {
    private static final int WIDTH = 100;

    private SampleReport() {
    }

    static void print(PrintStream out, List<SquadExample> examples, Map<String, String> answers, SquadMetric metric,
            int count) {
        int shown = Math.min(count, examples.size());
        for (int i = 0; i < shown; i++) {
            SquadExample example = examples.get((int) ((long) i * examples.size() / shown));
            String answer = answers.get(example.id());
            boolean right = example.answerTexts().stream().anyMatch(expected -> metric.exactMatch(answer, expected));
            out.println();
            out.println(wrap("context   ", example.context()));
            out.println(wrap("question  ", example.question()));
            out.println(wrap("answer    ",
                    answer + (right ? "  (right)" : "  (expected: " + example.answerTexts().getFirst() + ")")));
        }
        out.println();
    }

    private static String wrap(String label, String text) {
        StringBuilder lines = new StringBuilder(label);
        int column = label.length();
        for (String word : text.split(" ")) {
            if (column + word.length() + 1 > WIDTH) {
                lines.append("\n").append(" ".repeat(label.length()));
                column = label.length();
            }
            lines.append(word).append(' ');
            column += word.length() + 1;
        }
        return lines.toString().stripTrailing();
    }
}
