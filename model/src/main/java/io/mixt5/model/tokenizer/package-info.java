/**
 * From text to token ids and back: {@link io.mixt5.model.tokenizer.T5Tokenizer} is SentencePiece with T5's sentinels
 * and added tokens, and gives the ids of Hugging Face's; {@link io.mixt5.model.tokenizer.UnigramTrainer} makes small
 * vocabularies. Encoding itself is done by SentencePiece's own library, called natively. A tokenizer may be used by
 * any number of threads at once; close it.
 */
package io.mixt5.model.tokenizer;
