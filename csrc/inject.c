#include "inject.h"

#ifdef CT_TEST_INJECTION

#include <stdlib.h>
#include <string.h>

bool ct_injected(const char *stage)
{
    static bool is_spent;
    static long times;
    const char *wanted = getenv("CODETRACER_TEST_INJECT_FAILURE");
    size_t n = strlen(stage);
    if (is_spent || wanted == NULL || strncmp(wanted, stage, n) != 0 ||
        (wanted[n] != '\0' && wanted[n] != ':'))
        return false;
    long due = wanted[n] == ':' ? strtol(wanted + n + 1, NULL, 10) : 1;
    is_spent = ++times >= due;
    return is_spent;
}

#else

typedef int ct_nothing_injected; /* a translation unit must not be empty */

#endif
