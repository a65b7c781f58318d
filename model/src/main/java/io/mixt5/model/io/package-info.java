/**
 * Files in and out, none of which is trusted: {@link io.mixt5.model.io.StrictJson} refuses what its author cannot have
 * meant, {@link io.mixt5.model.io.SafetensorsFile} checks every range before it maps, and {@link
 * io.mixt5.model.io.AtomicFile} writes a file whole or not at all. {@link io.mixt5.model.io.ShardedWriter} lays a
 * model's tensors out as Hugging Face does, one in memory at a time. Every error is one sentence that names the file.
 */
package io.mixt5.model.io;
