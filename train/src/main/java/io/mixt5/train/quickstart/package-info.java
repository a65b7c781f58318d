/** The quickstart's data: made-up lives, questions about them, and a vocabulary, all generated from a seed. */
package io.mixt5.train.quickstart;
