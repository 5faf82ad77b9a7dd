#include "signals.h"

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

bool ct_signals_defer(void)
{
    bool runs_handlers = ct_thread_state()->thread_id == _PyRuntime.main_thread;
    if (runs_handlers)
        _PyRuntime.main_thread = 0; /* which is no thread's */
    return runs_handlers;
}

void ct_signals_resume(bool deferred)
{
    if (!deferred)
        return;
    PyThreadState *state = ct_thread_state();
    _PyRuntime.main_thread = state->thread_id;
    look_again(state);
}
