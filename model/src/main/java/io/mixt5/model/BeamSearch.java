package io.mixt5.model;

import io.mixt5.model.GenerationConfig.EarlyStopping;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Beam search for one source, with the rules of Hugging Face's {@code _beam_search}: of twice as many continuations as
 * beams, the best ones that do not end go on as beams; an ending one counts as finished where it is among the best
 * {@code num_beams}. Of the finished the best {@code num_beams} by score over length^penalty are kept.
 *
 * <p>The result does not depend on what else is in the batch: Hugging Face goes on until the last source is done, but adds
 * nothing to one whose finished outputs cannot be beaten, which here just ends.
 */
final class BeamSearch implements Search {
    private final GenerationConfig config;
    private final int end;
    private final List<Generated> finished = new ArrayList<>();
    private List<Candidate> running;

    /** A beam's continuation: the beam's number, and what it has become. */
    private record Candidate(int beam, Hypothesis hypothesis) {
    }

    BeamSearch(GenerationConfig config, int start, int end) {
        this.config = config;
        this.end = end;
        running = List.of(new Candidate(0, Hypothesis.start(start)));
    }

    @Override
    public List<int[]> rows() {
        return running.stream().map(candidate -> candidate.hypothesis.ids()).toList();
    }

    @Override
    public int[] parents() {
        return running.stream().mapToInt(Candidate::beam).toArray();
    }

    @Override
    public int wanted() {
        return 2 * config.numBeams;
    }

    @Override
    public void take(List<Continuations> continuations) {
        List<Candidate> best = best(continuations);
        List<Candidate> next = new ArrayList<>();
        for (int rank = 0; rank < best.size(); rank++) {
            Candidate candidate = best.get(rank);
            Hypothesis hypothesis = candidate.hypothesis;
            boolean ends = hypothesis.last() == end || hypothesis.newTokens() == config.mostNewTokens();
            if (!ends && next.size() < config.numBeams) {
                next.add(candidate);
            } else if (ends && rank < config.numBeams) {
                finished.add(hypothesis.generated(penalized(hypothesis.score(), hypothesis.newTokens())));
            }
        }
        keepTheBest();
        running = done(next) ? List.of() : next;
    }

    /** The best continuations of all beams; among equals the lower beam's, then the lower token, comes first. */
    private List<Candidate> best(List<Continuations> continuations) {
        List<Candidate> all = new ArrayList<>();
        for (int beam = 0; beam < running.size(); beam++) {
            Continuations following = continuations.get(beam);
            for (int i = 0; i < following.count(); i++) {
                all.add(new Candidate(beam, running.get(beam).hypothesis.with(following.tokens()[i],
                        following.logProbabilities()[i])));
            }
        }
        return all.stream().sorted(Comparator.comparingDouble(candidate -> -candidate.hypothesis.score()))
                .limit(wanted()).toList();
    }

    /** Among equals those that finished earlier stay. */
    private void keepTheBest() {
        finished.sort(Comparator.comparingDouble(output -> -output.score()));
        if (finished.size() > config.numBeams) {
            finished.subList(config.numBeams, finished.size()).clear();
        }
    }

    private boolean done(List<Candidate> next) {
        if (next.isEmpty()) {
            return true;
        }
        if (finished.size() < config.numBeams) {
            return false;
        }
        if (config.earlyStopping == EarlyStopping.TRUE) {
            return true;
        }
        Hypothesis first = next.getFirst().hypothesis;
        boolean longest = config.earlyStopping == EarlyStopping.NEVER && config.lengthPenalty > 0;
        int length = longest ? config.mostNewTokens() : first.newTokens();
        return penalized(first.score(), length) <= finished.getLast().score();
    }

    /** In single precision, as the scores that Hugging Face compares. */
    private float penalized(float score, int length) {
        return score / (float) Math.pow(length, config.lengthPenalty);
    }

    @Override
    public List<Generated> outputs() {
        return List.copyOf(finished.subList(0, Math.min(config.numReturnSequences, finished.size())));
    }
}
