package io.mixt5.model;

import java.util.List;

/** The search for the outputs of one source: says what the decoder is to go on with, and chooses among what follows. */
interface Search {
    /** The rows to go on with, each from the start token on and all of one length; none once the search is done. */
    List<int[]> rows();

    /** The row of the step before that each of {@link #rows} continues; 0 for the first step's only row. */
    int[] parents();

    /** How many continuations of each row {@link #take} wants, most probable first. */
    int wanted();

    /** Chooses; one entry to a row. */
    void take(List<Continuations> continuations);

    /** The outputs, once there are no more rows. */
    List<Generated> outputs();
}
