/**
 * SQuAD v1.1: reading its files token by token, MixT5's prompt of a question and its context, the files of
 * predictions, and exact match and F1, as SQuAD's own script has them or as MixT5 does.
 */
package io.mixt5.train.squad;
