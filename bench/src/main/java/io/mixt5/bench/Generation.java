package io.mixt5.bench;

import io.mixt5.model.Generator;
import io.mixt5.model.T5Model;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Greedy generation with random weights: sources as long as in training, 64 new tokens at full size. */
public class Generation extends Timed {
    /** A model and texts. */
    @State(Scope.Benchmark)
    public static class Run {
        /** Experts of a mixture, of which each token has one; 0 for a dense model. */
        @Param({"0", "8"})
        public int experts;

        /** Sequences at once. */
        @Param({"1", "8"})
        public int sequences;

        private T5Model model;
        private Generator generator;
        private List<int[]> sources;

        /** Makes them. */
        @Setup(Level.Trial)
        public void open(DeviceState on, ModelSize size) {
            model = T5Model.random(TrainingWork.config(size.config(), experts, 1), on.get(), RandomData.SEED);
            generator = new Generator(model, 2 * size.target() + 1);
            sources = RandomData.words(model.config(), sequences, size.source(), 0);
        }

        /** Frees them. */
        @TearDown(Level.Trial)
        public void close() {
            model.close();
        }
    }

    /** Encodes the sources and generates; its tokens are the new ones. */
    @Benchmark
    public List<int[]> greedy(Run run, Work work) {
        List<int[]> outputs = run.generator.generate(run.sources);
        work.tokens = outputs.stream().mapToLong(output -> output.length).sum();
        return outputs;
    }
}
