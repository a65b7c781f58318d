/** Bindings to native libraries through the foreign function and memory API; nothing here knows of tensors. */
package io.mixt5.ffm;
