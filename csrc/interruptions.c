#include "interruptions.h"

#if PY_VERSION_HEX >= 0x030D0000
#include "internal/pycore_ceval.h"
#endif

/* Let the loop look for handlers; it may have found some and forgotten them, as of a thread that
 * runs none. */
static void look_again(PyThreadState *state)
{
#if PY_VERSION_HEX >= 0x030D0000
    if (_Py_atomic_load_int_relaxed(&_PyRuntime.signals.is_tripped))
        _Py_set_eval_breaker_bit(state, _PY_SIGNALS_PENDING_BIT);
#else
    if (_Py_atomic_load_relaxed(&_PyRuntime.ceval.signals_pending))
        _Py_atomic_store_relaxed(&state->interp->ceval.eval_breaker, 1);
#endif
}

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
    look_again(state);
}

#define FEW_CONTAINERS 16

int ct_interruptions_make_room(void)
{
#if PY_VERSION_HEX < 0x030C0000
    struct gc_generation *youngest = PyInterpreterState_Main()->gc.generations;
    int room = youngest->count - youngest->threshold + FEW_CONTAINERS;
    if (room > 0) {
        youngest->count -= room;
        return room;
    }
#endif
    return 0;
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
