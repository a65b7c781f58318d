/** CUDA's driver API, as the engine uses it: the interface, its binding to libcuda, and a stand-in for tests. */
package io.mixt5.ffm.cuda;
