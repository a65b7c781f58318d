/**
 * The configuration of a training run: {@link io.mixt5.train.config.TrainConfig} documents every key, which are
 * MixT5's and those of Hugging Face's {@code TrainingArguments}. Keys are checked, each by itself and together, before
 * anything is read or trained; unknown ones are refused with the nearest that exists.
 */
package io.mixt5.train.config;
