/** Comparisons: variants of a run over shared settings and seeds, and the tables of their scores. */
package io.mixt5.train.experiment;
