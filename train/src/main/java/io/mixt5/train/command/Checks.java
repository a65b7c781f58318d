package io.mixt5.train.command;

import io.mixt5.engine.UserException;

/** Checks of options that commands share. */
final class Checks {
    private Checks() {
    }

    /** Throws a {@link UserException} when an option's value is too small. */
    static void atLeast(String option, int value, int least) {
        if (value < least) {
            throw new UserException(option + " is " + value + "; give at least " + least);
        }
    }
}
