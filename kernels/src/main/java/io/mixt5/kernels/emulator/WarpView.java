package io.mixt5.kernels.emulator;

/** A warp as a {@link Monitor} sees it. The object lives on after the call, for other warps: keep numbers, not it. */
public interface WarpView {
    /** The launch it belongs to. */
    Launch launch();

    /** Its block, counted with x fastest. */
    long block();

    /** Its place in the block; lane l is thread 32 * index + l. */
    int index();

    /** Mask of the lanes that have not exited. */
    int live();

    /** Where it is, for messages: kernel, PTX line, block and the thread of {@code lane}. */
    default String where(int line, int lane) {
        Launch launch = launch();
        return "kernel " + launch.kernel() + " of " + launch.module() + ", PTX line " + line + ", block "
                + launch.blockName(block()) + ", thread " + launch.threadName(32 * index() + lane);
    }
}
