/*
 * Functions without logic. The file that includes this one names a list of functions (FUNCTIONS), what they return
 * (STATUS), and with which value (UNSET) while nobody has installed a target for them. Each becomes a function that
 * calls its target; mixt5_standin_install sets the targets.
 */
#include <stddef.h>
#include <string.h>

#define FORWARD(name, parameters, arguments)                                                                    \
    static void *name##_target;                                                                                 \
    STATUS name parameters {                                                                                    \
        return name##_target == NULL ? UNSET : ((STATUS(*) parameters) name##_target) arguments;                \
    }
#include FUNCTIONS
#undef FORWARD

static const struct {
    const char *name;
    void **target;
} functions[] = {
#define FORWARD(name, parameters, arguments) {#name, &name##_target},
#include FUNCTIONS
#undef FORWARD
};

int mixt5_standin_install(const char *name, void *target);

/* Makes calls of a function go to target, or nowhere when it is NULL. Returns 0, or 1 for a name not in the list. */
int mixt5_standin_install(const char *name, void *target) {
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            *functions[i].target = target;
            return 0;
        }
    }
    return 1;
}
