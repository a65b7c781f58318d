package io.mixt5.train.squad;

import java.util.List;

/** Exact match and F1 of many predictions. Not for use by several threads. */
public final class SquadScore {
    private final SquadMetric metric;
    private double exact;
    private double f1;
    private int total;
    private int missing;

    /** No prediction yet, to be compared by {@code metric}. */
    public SquadScore(SquadMetric metric) {
        this.metric = metric;
    }

    /**
     * Counts one question, at its best answer, which may be another one for F1 than for exact match.
     *
     * @param prediction null where there is none, which scores 0
     * @param answers at least one
     */
    public void add(String prediction, List<String> answers) {
        if (answers.isEmpty()) {
            throw new IllegalArgumentException("no answers");
        }
        total++;
        if (prediction == null) {
            missing++;
            return;
        }
        if (answers.stream().anyMatch(answer -> metric.exactMatch(prediction, answer))) {
            exact++;
        }
        f1 += answers.stream().mapToDouble(answer -> metric.f1(prediction, answer)).max().getAsDouble();
    }

    /** Per cent of the questions whose prediction is an answer; NaN before the first question. */
    public double exactMatch() {
        return 100.0 * exact / total;
    }

    /** Mean F1 over the questions, in per cent; NaN before the first question. */
    public double f1() {
        return 100.0 * f1 / total;
    }

    /** Questions counted. */
    public int total() {
        return total;
    }

    /** Questions without a prediction, which count in the total. */
    public int missing() {
        return missing;
    }

    /** The object that SQuAD's script prints. */
    public String toJson() {
        return "{\"exact_match\": " + exactMatch() + ", \"f1\": " + f1() + "}";
    }
}
