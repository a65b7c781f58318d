/*
 * The rest of a library: JCuda's bindings want every one of its functions to exist, and calling one that does not ends
 * the process. These return that they are not supported, whatever they are given; being weak, they give way to the
 * functions that are handed on. SYMBOLS names the list, STATUS the number to return.
 */
#define UNSUPPORTED(name)                                                                                       \
    __attribute__((weak)) int name(void) {                                                                      \
        return STATUS;                                                                                          \
    }
#include SYMBOLS
