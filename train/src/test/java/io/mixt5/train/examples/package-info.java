/**
 * What a researcher does with the library, in short programs to start from. Each has a {@code main} and is run by {@code
 * LibraryExamplesTest}, so that none of them is out of date.
 */
package io.mixt5.train.examples;
