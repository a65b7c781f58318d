package io.mixt5.bench;

import io.mixt5.model.T5Config;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A whole training step, dense and with mixtures of experts in the last half of the blocks. */
public class TrainingStep extends Timed {
    /** A model, its optimiser and a batch. */
    @State(Scope.Benchmark)
    public static class Run {
        /** Experts of a mixture, of which each token has one; 0 for a dense model. */
        @Param({"0", "8", "64"})
        public int experts;

        private TrainingWork work;
        private long tokens;
        private long flops;

        /** Makes them. */
        @Setup(Level.Trial)
        public void open(DeviceState on, ModelSize model) {
            T5Config config = TrainingWork.config(model.config(), experts, 1);
            work = new TrainingWork(config, on.get(),
                    List.of(RandomData.batch(config, model.batch(), model.source(), model.target())));
            tokens = (long) model.batch() * model.source();
            flops = StepFlops.of(work.model(), model.batch(), model.source(), model.target());
        }

        /** Frees them. */
        @TearDown(Level.Trial)
        public void close() {
            work.close();
        }
    }

    /** Forward with dropout, backward, clipping, AdamW; its tokens are those of the sources. */
    @Benchmark
    public double step(Run run, Work work) {
        work.tokens = run.tokens;
        work.flops = run.flops;
        return run.work.step();
    }
}
