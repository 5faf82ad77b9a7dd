/* What events themselves cost: callbacks that do nothing.  They answer as fast as a callback can,
 * so whatever a recorder adds to them is its own. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* None is immortal from CPython 3.12 on, so it needs no new reference. */
static PyObject *answer_none(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return Py_None;
}

/* Append a new callback to the list at `out`; 0, or -1 when there is no memory. */
int empty_callback(uintptr_t out)
{
    static PyMethodDef method = {"answer_none", (PyCFunction)(void *)answer_none, METH_FASTCALL,
                                 NULL};
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *function = PyCFunction_New(&method, NULL);
    int status = function != NULL ? PyList_Append((PyObject *)out, function) : -1;
    Py_XDECREF(function);
    if (status < 0)
        PyErr_Clear();
    PyGILState_Release(gil);
    return status;
}

static int trace_nothing(PyObject *self, PyFrameObject *frame, int what, PyObject *argument)
{
    return 0;
}

/* Give the calling thread a trace function of C, which gets all events, or take it away. */
void empty_trace(int wanted)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyEval_SetTrace(wanted ? trace_nothing : NULL, NULL);
    PyGILState_Release(gil);
}
