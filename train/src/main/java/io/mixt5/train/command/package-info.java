/** The commands of the command line. */
package io.mixt5.train.command;
