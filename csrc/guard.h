/* Whose work it is when the calling thread writes something: the program's, that of a method which
 * runs already, or the recorder's. */
#ifndef CT_GUARD_H
#define CT_GUARD_H

#include "builtins.h"
#include "interruptions.h"

struct ct_guard {
    uintptr_t frame; /* with bit 0 set: what is called from here belongs to the method that runs */
    int recorder;    /* not 0: code of the recorder runs, whatever its frame */
};
extern _Thread_local struct ct_guard ct_guard;

/* The calling thread's frame, as a guard holds it. */
static inline uintptr_t ct_guard_frame(void)
{
    return (uintptr_t)ct_current_frame(ct_thread_state()) | 1;
}

/* Around a method that was hooked: what it calls in turn is its own business. */
static inline uintptr_t ct_guard_enter(void)
{
    uintptr_t before = ct_guard.frame;
    ct_guard.frame = ct_guard_frame();
    return before;
}
static inline void ct_guard_leave(uintptr_t before)
{
    ct_guard.frame = before;
}

/* Whether the calling thread runs the program's main interpreter.  The others share the methods
 * that are hooked, not the GIL. */
static inline bool ct_guard_is_main(void)
{
    return ct_thread_state()->interp == PyInterpreterState_Main();
}

/* Whether what the calling thread does is the program's. */
static inline bool ct_guard_is_open(void)
{
    return ct_guard.recorder == 0 && ct_guard.frame != ct_guard_frame() && ct_guard_is_main();
}

/* The value of a call of the recorder's own Python code, which finds its own builtins, and in which
 * nothing of the program runs. */
#define CT_RECORDERS_OWN(call)                                                                     \
    ({                                                                                             \
        ct_guard.recorder++;                                                                       \
        ct_interruptions before_ = ct_interruptions_defer();                                       \
        PyObject *programs_ = ct_builtins_enter();                                                 \
        PyObject *answer_ = (call);                                                                \
        ct_builtins_leave(programs_);                                                              \
        ct_interruptions_resume(before_);                                                          \
        ct_guard.recorder--;                                                                       \
        answer_;                                                                                   \
    })

#endif
