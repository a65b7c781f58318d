package io.mixt5.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Outputs that each grow by one token a step, greedily or drawn, until they end. Draws depend on the seed, the source's
 * tokens, the number of the output and the position: not on what else is in the batch, nor on how batches are cut.
 */
final class SampleSearch implements Search {
    private final GenerationConfig config;
    private final TokenSampler sampler;
    private final int stream;
    private final int end;
    private final Hypothesis[] outputs;
    /** The numbers of the outputs that go on. */
    private List<Integer> running;
    private int[] parents = {0};

    SampleSearch(GenerationConfig config, int[] source, int start, int end) {
        this.config = config;
        this.end = end;
        sampler = new TokenSampler(config);
        stream = Arrays.hashCode(source);
        outputs = new Hypothesis[config.rows()];
        Arrays.fill(outputs, Hypothesis.start(start));
        running = List.of(0);
    }

    @Override
    public List<int[]> rows() {
        return running.stream().map(number -> outputs[number].ids()).toList();
    }

    @Override
    public int[] parents() {
        return parents;
    }

    @Override
    public int wanted() {
        return sampler.wanted();
    }

    @Override
    public void take(List<Continuations> continuations) {
        boolean first = outputs[0].newTokens() == 0 && running.size() == 1;
        List<Integer> next = new ArrayList<>();
        List<Integer> continued = new ArrayList<>();
        for (int i = 0; i < (first ? outputs.length : running.size()); i++) {
            // All outputs begin with one row, the start token's.
            int row = first ? 0 : i;
            int number = first ? i : running.get(i);
            Continuations following = continuations.get(row);
            int choice = sampler.choose(following, stream, outputs[number].newTokens(), number);
            Hypothesis longer = outputs[number].with(following.tokens()[choice], following.logProbabilities()[choice]);
            outputs[number] = longer;
            if (longer.last() != end && longer.newTokens() < config.mostNewTokens()) {
                next.add(number);
                continued.add(row);
            }
        }
        running = next;
        parents = continued.stream().mapToInt(Integer::intValue).toArray();
    }

    @Override
    public List<Generated> outputs() {
        return Arrays.stream(outputs).map(output -> output.generated(output.score())).toList();
    }
}
