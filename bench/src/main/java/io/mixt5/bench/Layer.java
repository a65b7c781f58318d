package io.mixt5.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The mixture-of-experts layer against the dense one at equal products: a token's k experts multiply as much as a dense
 * layer k times as wide. What is slower than that is the price of routing.
 */
public class Layer extends Timed {
    /** A layer and a batch of states. */
    @State(Scope.Benchmark)
    public static class Kind {
        /** Which, as {@link LayerKind} reads it; any other may be given on the command line. */
        @Param({"dense", "dense x2", "top-1 of 1", "top-1 of 2", "top-1 of 4", "top-1 of 8", "top-1 of 16",
                "top-1 of 32", "top-1 of 64", "top-1 of 128", "top-2 of 2", "top-2 of 8", "top-2 of 32", "top-2 of 128",
                "top-1 of 8 capacity 1.0", "top-1 of 8 capacity 1.25", "top-1 of 8 capacity 2.0",
                "top-1 of 8 capacity 1.0 skewed", "top-1 of 8 capacity 1.25 skewed",
                "top-1 of 8 capacity 2.0 skewed", "top-1 of 8 skewed"})
        public String layer;

        private DeviceState device;
        private LayerRun run;

        /** Makes it. */
        @Setup(Level.Trial)
        public void open(DeviceState on, ModelSize model) {
            device = on;
            run = new LayerRun(on.get(), model.config(), LayerKind.parse(layer), model.batch() * model.source());
        }

        /** Frees it. */
        @TearDown(Level.Trial)
        public void close() {
            run.close();
        }
    }

    /** A pass to go back through. */
    @State(Scope.Thread)
    public static class Pass {
        /** Goes forward, untimed. */
        @Setup(Level.Invocation)
        public void open(Kind kind) {
            kind.device.await(kind.run.forward());
        }

        /** Frees it. */
        @TearDown(Level.Invocation)
        public void close(Kind kind) {
            kind.run.end();
        }
    }

    /** A pass forward, recorded for its gradients. */
    @Benchmark
    public void forward(Kind kind, Work work) {
        work.bytes = kind.run.bytes();
        work.flops = kind.run.flops();
        work.tokens = kind.run.tokens();
        kind.device.await(kind.run.forward());
        kind.run.end();
    }

    /** The gradients of the input and of all weights. */
    @Benchmark
    public void backward(Kind kind, Pass pass, Work work) {
        work.bytes = 2 * kind.run.bytes();
        work.flops = 2 * kind.run.flops();
        work.tokens = kind.run.tokens();
        kind.device.await(kind.run.backward());
    }
}
