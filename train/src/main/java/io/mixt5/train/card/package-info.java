/**
 * Model cards: what a model's directory says of itself to people and to Hugging Face's hub. {@link
 * io.mixt5.train.card.ModelCard} fills a template with what the model shows and with {@link
 * io.mixt5.train.card.CardFacts}, which runs gather and which travel with the model.
 */
package io.mixt5.train.card;
