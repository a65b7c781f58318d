/**
 * The commands of the command line, one class each, bound by picocli. A command checks all that it can before it
 * writes anything, writes results whole or not at all, and ends with 0 where it did what was asked and with 2 where
 * the user has something to mend.
 */
package io.mixt5.train.command;
