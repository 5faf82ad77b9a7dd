#include "leaving.h"

#include "guard.h"
#include "methods.h"
#include "recorder.h"

static ct_method exit_hook;
static PyObject *at_exit; /* owned, NULL when nobody waits */

/* What `os._exit` was given, a new reference; None for what it will refuse. */
static PyObject *status_of(PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    Py_ssize_t all = count + (names != NULL ? PyTuple_GET_SIZE(names) : 0);
    return Py_NewRef(all == 1 && PyLong_Check(arguments[0]) ? arguments[0] : Py_None);
}

static PyObject *leave(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                       PyObject *names)
{
    PyObject *status = status_of(arguments, count, names);
    PyObject *called = at_exit;
    if (called != NULL && status != Py_None && ct_guard.recorder == 0 && ct_guard_is_main()) {
        at_exit = NULL;
        PyObject *done = CT_RECORDERS_OWN(PyObject_CallOneArg(called, status));
        /* Nobody is left to be told: the process ends. */
        PyErr_Clear();
        Py_XDECREF(done);
        Py_DECREF(called);
    }
    Py_DECREF(status);
    return CT_AS(_PyCFunctionFastWithKeywords, exit_hook.original)(self, arguments, count, names);
}

void ct_leaving_open(PyObject *callable)
{
    ct_function_hook(&exit_hook, "posix", "_exit", METH_FASTCALL | METH_KEYWORDS,
                     CT_AS(PyCFunction, leave));
    Py_XSETREF(at_exit, Py_NewRef(callable));
}

/* Let `at_exit` go.  A session that has failed is closed without that: it has still to be ended. */
void ct_leaving_close(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    ct_method_unhook(&exit_hook);
    Py_CLEAR(at_exit);
    PyGILState_Release(gil);
}
