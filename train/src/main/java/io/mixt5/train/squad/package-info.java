/** SQuAD: reading the data, MixT5's prompt, and the scores. */
package io.mixt5.train.squad;
