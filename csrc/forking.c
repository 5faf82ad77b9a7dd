/* CPython counts the threads of the process behind its hooks for forks, and warns when there are
 * several; behind the function itself it does not. */
#include "forking.h"

#include "guard.h"
#include "methods.h"
#include "tracer.h"

static ct_method fork_hook, forkpty_hook;

/* In the parent, where `forked` is what the function returns or NULL with an exception set. */
static PyObject *resume_writer(PyObject *forked)
{
    if (!ct_session.active || ct_session.writer_runs)
        return forked;
    PyObject *error = PyErr_GetRaisedException();
    PyObject *started = CT_RECORDERS_OWN(PyObject_CallNoArgs(ct_session.on_sealed));
    if (started == NULL)
        PyErr_Clear(); /* the next boundary tries again */
    Py_XDECREF(started);
    PyErr_SetRaisedException(error);
    return forked;
}

static PyObject *after_fork(PyObject *module, PyObject *nothing)
{
    return resume_writer(fork_hook.original(module, nothing));
}

static PyObject *after_forkpty(PyObject *module, PyObject *nothing)
{
    return resume_writer(forkpty_hook.original(module, nothing));
}

void ct_forking_open(void)
{
    ct_function_hook(&fork_hook, "posix", "fork", METH_NOARGS, after_fork);
    ct_function_hook(&forkpty_hook, "posix", "forkpty", METH_NOARGS, after_forkpty);
}

void ct_forking_close(void)
{
    ct_method_unhook(&fork_hook);
    ct_method_unhook(&forkpty_hook);
}
