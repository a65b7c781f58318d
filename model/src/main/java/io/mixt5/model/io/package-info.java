/** Files in and out: strict JSON, safetensors, pickles that run nothing, shards, and writing so that nothing half-written is left behind. */
package io.mixt5.model.io;
