/**
 * Native libraries through the foreign function and memory API, and nothing of tensors: {@link io.mixt5.ffm.OpenBlas}
 * for matrix products, {@link io.mixt5.ffm.NativeLibraries} for what was looked for where, and what was found. A
 * library that is missing is no error until it is called; whoever asks is told why it is not there. The JVM needs
 * {@code --enable-native-access=ALL-UNNAMED}.
 */
package io.mixt5.ffm;
