/**
 * The command line of {@code mixt5-train.jar}: {@link io.mixt5.train.Main} runs a configuration or one of the commands
 * of {@code io.mixt5.train.command}. Whoever uses the library starts from {@link io.mixt5.model.T5Model} and {@link
 * io.mixt5.train.optim.Optimizer} instead.
 */
package io.mixt5.train;
