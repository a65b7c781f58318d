/** Examples as token ids, and the order in which a run sees them. */
package io.mixt5.train.data;
