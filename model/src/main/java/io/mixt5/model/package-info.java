/** T5 built from the engine's operations: configuration, blocks, checkpoints, tokenizer, generation. */
package io.mixt5.model;
