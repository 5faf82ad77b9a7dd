#include "own_thread.h"

#include <signal.h>
#include <time.h>

#include "compat.h"
#include "ct.h"

int ct_own_thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void *call(void *callable)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *done = PyObject_CallNoArgs((PyObject *)callable);
    if (done == NULL)
        PyErr_WriteUnraisable((PyObject *)callable);
    Py_XDECREF(done);
    Py_DECREF((PyObject *)callable);
    PyGILState_Release(gil);
    return NULL;
}

int ct_own_thread_call(uintptr_t callable)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    pthread_t thread;
    Py_INCREF((PyObject *)callable);
    int failed = ct_own_thread_start(&thread, call, (void *)callable);
    if (failed == 0)
        pthread_detach(thread);
    else
        Py_DECREF((PyObject *)callable);
    PyGILState_Release(gil);
    return failed;
}

void ct_own_thread_pause(int ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&rest, NULL);
}
