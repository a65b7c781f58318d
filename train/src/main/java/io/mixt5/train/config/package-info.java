/** The configuration of a training run. */
package io.mixt5.train.config;
