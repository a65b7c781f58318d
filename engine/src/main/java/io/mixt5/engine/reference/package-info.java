/**
 * The definition of every op: plain loops over elements, accumulated in double, without any cleverness. {@link
 * io.mixt5.engine.reference.ReferenceBackend} is the device {@code reference}, slow, and what every other backend is
 * compared with; gradients are themselves compared with central differences here.
 */
package io.mixt5.engine.reference;
