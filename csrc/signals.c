#include "signals.h"

/* Whether a handler waits for its turn; CPython 3.11 does not tell. */
static bool are_due(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return _Py_atomic_load_int_relaxed(&_PyRuntime.signals.is_tripped);
#elif PY_VERSION_HEX >= 0x030C0000
    return _Py_atomic_load_relaxed(&_PyRuntime.signals.is_tripped);
#else
    return false;
#endif
}

int ct_signals_run(PyThreadState *state)
{
    if (state->thread_id != _PyRuntime.main_thread)
        return 0;
    PyThreadState_LeaveTracing(state);
    int failed = PyErr_CheckSignals();
    PyThreadState_EnterTracing(state);
    return failed;
}

void ct_signals_block(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

int ct_signals_hold(PyThreadState *state, sigset_t *before)
{
    do {
        if (ct_signals_run(state) < 0)
            return -1;
        ct_signals_block(before);
        if (state->thread_id != _PyRuntime.main_thread || !are_due())
            return 0;
        ct_signals_release(before);
    } while (true);
}

void ct_signals_release(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}
