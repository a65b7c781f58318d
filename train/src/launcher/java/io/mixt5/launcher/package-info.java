/**
 * What {@code java -jar} starts, compiled for Java 8 so that any JVM on the path can: it looks for a JDK 25, starts
 * the program there with the options that it needs, and hands on signals and the exit code.
 */
package io.mixt5.launcher;
