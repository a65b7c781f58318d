/** Training runs: the loop, validation, checkpoints, what is shown and what is written down. */
package io.mixt5.train.run;
