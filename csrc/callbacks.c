#include "callbacks.h"

#include "ct.h"
#include "exceptions.h"
#include "tracer.h"

const struct ct_callback_spec CT_CALLBACK_SPECS[] = {
    [CT_ROW_START] = {"PY_START", "on_py_start", ct_on_start},
    [CT_ROW_RESUME] = {"PY_RESUME", "on_py_resume", ct_on_resume},
    [CT_ROW_RETURN] = {"PY_RETURN", "on_py_return", ct_on_return},
    [CT_ROW_YIELD] = {"PY_YIELD", "on_py_yield", ct_on_yield},
    [CT_ROW_THROW] = {"PY_THROW", "on_py_throw", ct_on_throw},
    [CT_ROW_UNWIND] = {"PY_UNWIND", "on_py_unwind", ct_on_unwind},
    [CT_ROW_LINE] = {"LINE", "on_line", ct_on_line},
    [CT_ROW_CALL] = {"CALL", "on_call", NULL},
    [CT_ROW_INSTRUCTION] = {"INSTRUCTION", "on_instruction", NULL},
    [CT_ROW_JUMP] = {"JUMP", "on_jump", NULL},
#if CT_BRANCH_HAS_SIDES
    [CT_ROW_BRANCH_LEFT] = {"BRANCH_LEFT", "on_branch_left", ct_on_branch},
    [CT_ROW_BRANCH_RIGHT] = {"BRANCH_RIGHT", "on_branch_right", ct_on_branch},
#else
    [CT_ROW_BRANCH] = {"BRANCH", "on_branch", ct_on_branch},
#endif
    [CT_ROW_RAISE] = {"RAISE", "on_raise", NULL},
    [CT_ROW_RERAISE] = {"RERAISE", "on_reraise", NULL},
    [CT_ROW_HANDLED] = {"EXCEPTION_HANDLED", "on_exception_handled", ct_on_handled},
    [CT_ROW_C_RETURN] = {"C_RETURN", "on_c_return", NULL},
    [CT_ROW_C_RAISE] = {"C_RAISE", "on_c_raise", NULL},
};
const int ct_callback_count = sizeof CT_CALLBACK_SPECS / sizeof *CT_CALLBACK_SPECS;

const char *ct_callback_event(int row)
{
    return CT_CALLBACK_SPECS[row].event;
}
const char *ct_callback_method(int row)
{
    return CT_CALLBACK_SPECS[row].method;
}
int ct_callback_is_native(int row)
{
    return CT_CALLBACK_SPECS[row].native != NULL;
}
int ct_callback_rows(void)
{
    return ct_callback_count;
}

/* Registered for a tracer written in Python; self is (method, on_error).  An exception goes to
 * on_error, which raises it again (policy abort) or takes the tracer out and returns (policy
 * disable). */
static PyObject *dispatch(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    PyObject *answer = PyObject_Vectorcall(PyTuple_GET_ITEM(self, 0), args, (size_t)n, NULL);
    if (ct_likely(answer != NULL))
        return answer;
    PyObject *error = PyErr_GetRaisedException();
    answer = PyObject_CallOneArg(PyTuple_GET_ITEM(self, 1), error);
    Py_DECREF(error);
    return answer;
}

/* Append to the list `out` the function to register for a row: the native one when `handler` is 0,
 * otherwise one that calls the tuple (method, on_error) at `handler`.  -1: there is none. */
int ct_callback_make(int row, uintptr_t handler, uintptr_t out)
{
    static PyMethodDef native[sizeof CT_CALLBACK_SPECS / sizeof *CT_CALLBACK_SPECS];
    static PyMethodDef python = {"dispatch", (PyCFunction)(void *)dispatch, METH_FASTCALL, NULL};
    if (handler == 0 && CT_CALLBACK_SPECS[row].native == NULL)
        return -1;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyMethodDef *method = &python;
    if (handler == 0) {
        method = &native[row];
        *method =
            (PyMethodDef){CT_CALLBACK_SPECS[row].method,
                          (PyCFunction)(void *)CT_CALLBACK_SPECS[row].native, METH_FASTCALL, NULL};
    }
    PyObject *function = PyCFunction_New(method, (PyObject *)handler);
    int status = function != NULL ? PyList_Append((PyObject *)out, function) : -1;
    Py_XDECREF(function);
    if (status < 0)
        PyErr_Clear();
    PyGILState_Release(gil);
    return status;
}

/* Handle an event of a row that a tracer written in Python has received: `args` is the tuple of
 * what it was given.  The frame of the event is the innermost one of that code, and is made the
 * current one meanwhile.  What is to be returned, or the exception that was raised, is appended to
 * the list `out`; -1: it is an exception, or out of memory. */
int ct_callback_forward(int row, uintptr_t args, uintptr_t out)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *tuple = (PyObject *)args, *answer = NULL;
    PyThreadState *state = ct_thread_state();
    ct_iframe *current = ct_current_frame(state), *f = current;
    PyObject *code = PyTuple_GET_SIZE(tuple) != 0 ? PyTuple_GET_ITEM(tuple, 0) : NULL;
    while (f != NULL && (ct_frame_is_shim(f) || (PyObject *)ct_frame_code(f) != code))
        f = f->previous;
    if (f == NULL) {
        PyErr_SetString(PyExc_LookupError, "no frame runs the code of the event");
    } else {
        ct_set_current_frame(state, f);
        answer = CT_CALLBACK_SPECS[row].native(NULL, &PyTuple_GET_ITEM(tuple, 0),
                                               PyTuple_GET_SIZE(tuple));
        if (answer == Py_None)
            Py_INCREF(answer); /* natively it is borrowed */
        ct_set_current_frame(state, current);
    }
    int status = answer != NULL ? 0 : -1;
    if (answer == NULL)
        answer = PyErr_GetRaisedException();
    if (answer == NULL || PyList_Append((PyObject *)out, answer) < 0)
        status = -1;
    Py_XDECREF(answer);
    PyErr_Clear();
    PyGILState_Release(gil);
    return status;
}
