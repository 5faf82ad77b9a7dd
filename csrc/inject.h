/* Failures on request, in builds for tests alone: CODETRACER_TEST_INJECT_FAILURE names a stage and,
 * after a colon, which of its times is meant (the first unless given). */
#ifndef CT_INJECT_H
#define CT_INJECT_H

#include <stdbool.h>

#ifdef CT_TEST_INJECTION
/* Whether the stage fails this time; true once in a process. */
bool ct_injected(const char *stage);
#else
#define ct_injected(stage) false
#endif

#endif
