#include "interruptions.h"

static bool collects_nothing; /* because a thread has put collections off */

ct_interruptions ct_interruptions_defer(void)
{
    ct_interruptions before = {
        .runs_handlers = ct_thread_state()->thread_id == _PyRuntime.main_thread,
        .collects = PyGC_Disable(),
    };
    if (before.collects)
        collects_nothing = true;
    if (before.runs_handlers)
        _PyRuntime.main_thread = 0; /* which is no thread's */
    return before;
}

void ct_interruptions_resume(ct_interruptions before)
{
    if (before.collects) {
        collects_nothing = false;
        PyGC_Enable();
    }
    if (!before.runs_handlers)
        return;
    PyThreadState *state = ct_thread_state();
    _PyRuntime.main_thread = state->thread_id;
    /* It may have found some and forgotten them, as of a thread that runs none. */
    ct_look_for_signals(state);
}

#define FEW_CONTAINERS 16

int ct_interruptions_make_room(void)
{
    return ct_make_room_for_containers(FEW_CONTAINERS);
}

void ct_interruptions_take_room(int room)
{
    PyInterpreterState_Main()->gc.generations[0].count += room;
}

void ct_interruptions_forked(void)
{
    if (collects_nothing)
        PyInterpreterState_Main()->gc.enabled = 1;
    collects_nothing = false;
}
