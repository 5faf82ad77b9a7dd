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

/* Answers each chunk with its frame or the exception that compressing it has raised; NULL where
 * not even that can be done. */
static PyObject *compressed(PyObject *functions, PyObject *chunk)
{
    PyObject *arguments[] = {chunk, PyTuple_GET_ITEM(functions, 1)};
    PyObject *frame = PyObject_Vectorcall(PyTuple_GET_ITEM(functions, 0), arguments, 2, NULL);
    return frame != NULL ? frame : PyErr_GetRaisedException();
}

/* The functions are builtin methods: with no frame of Python nobody sees this thread, and no
 * garbage of the program is collected in it. */
static void *compress_all(void *given)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *functions = given, *chunk;
    bool more = true;
    while (more && (chunk = PyObject_CallNoArgs(PyTuple_GET_ITEM(functions, 2))) != NULL) {
        more = chunk != Py_None;
        PyObject *answer = more ? compressed(functions, chunk) : Py_NewRef(Py_None);
        Py_DECREF(chunk);
        PyObject *done = PyObject_CallOneArg(PyTuple_GET_ITEM(functions, 3), answer);
        more = more && done != NULL;
        Py_DECREF(answer);
        Py_XDECREF(done);
    }
    if (PyErr_Occurred())
        PyErr_WriteUnraisable(functions);
    Py_DECREF(functions);
    PyGILState_Release(gil);
    return NULL;
}

int ct_own_thread_compress(uintptr_t functions)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    pthread_t thread;
    Py_INCREF((PyObject *)functions);
    int failed = ct_own_thread_start(&thread, compress_all, (void *)functions);
    if (failed == 0)
        pthread_detach(thread);
    else
        Py_DECREF((PyObject *)functions);
    PyGILState_Release(gil);
    return failed;
}

void ct_own_thread_pause(int ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&rest, NULL);
}
