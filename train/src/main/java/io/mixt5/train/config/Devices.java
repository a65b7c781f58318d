package io.mixt5.train.config;

import io.mixt5.engine.Device;
import io.mixt5.engine.UserException;

/** Devices by the names that configurations and commands take. */
public final class Devices {
    /** The best device there is: a GPU where CUDA works, else the processor. */
    public static final String AUTO = "auto";

    private static final String GPU = "cuda";
    private static final String PROCESSOR = "cpu";

    private Devices() {
    }

    /**
     * The device of that name.
     *
     * @param name {@link #AUTO}, or what {@link Device#of} takes: {@code cpu}, {@code cuda}, {@code cuda:1},
     *        {@code emulator}, {@code reference}
     * @throws UserException when there is none or it does not work here, saying why
     */
    public static Device open(String name) {
        if (!name.equals(AUTO)) {
            return Device.of(name);
        }
        return Device.of(Device.unavailable(GPU) == null ? GPU : PROCESSOR);
    }
}
