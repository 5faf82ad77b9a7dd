/* The thread in which an expander makes chunks of values beside another one.  Each of the two
 * expanders reads all of the journal: what a step repeats is much more than what a journal says of
 * it, and compressing it is fast only where it was made. */
#include <errno.h>

#include "compat.h"
#include "ct.h"
#include "own_thread.h"
#include "value_helper.h"

struct helper {
    ct_expander *expander;
    PyObject *functions; /* owned */
    bool has_failed;
};

static PyObject *function(const struct helper *helper, int number)
{
    return PyTuple_GET_ITEM(helper->functions, number);
}

/* Hand on `answer`, which is taken over, or the exception where there is none. */
static void put(struct helper *helper, PyObject *answer)
{
    if (answer == NULL) {
        helper->has_failed = true;
        answer = PyErr_GetRaisedException();
    }
    PyObject *done = answer == NULL ? NULL : PyObject_CallOneArg(function(helper, 3), answer);
    if (done == NULL)
        PyErr_WriteUnraisable(helper->functions);
    Py_XDECREF(answer);
    Py_XDECREF(done);
}

static void compress_values(struct helper *helper)
{
    size_t length;
    const uint8_t *records = ct_expander_take_values(helper->expander, &length);
    if (length == 0)
        return;
    PyObject *chunk = PyMemoryView_FromMemory((char *)records, (Py_ssize_t)length, PyBUF_READ);
    PyObject *arguments[] = {chunk, function(helper, 1)};
    put(helper,
        chunk == NULL ? NULL : PyObject_Vectorcall(function(helper, 0), arguments, 2, NULL));
    Py_XDECREF(chunk);
}

static void expand(struct helper *helper, PyObject *item)
{
    const char *data = PyBytes_AS_STRING(PyTuple_GET_ITEM(item, 0));
    size_t length = (size_t)PyBytes_GET_SIZE(PyTuple_GET_ITEM(item, 0));
    uint64_t sequence = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(item, 1));
    bool gap = PyTuple_GET_ITEM(item, 2) == Py_True;
    ct_expander *e = helper->expander;
    ct_expander_feed(e, (const uint8_t *)data, length, sequence, gap);
    for (;;) {
        int state;
        size_t ignored;
        Py_BEGIN_ALLOW_THREADS while ((state = ct_expander_run(e)) == CT_EXPAND_STEPS ||
                                      state == CT_EXPAND_EVENTS) state == CT_EXPAND_STEPS
            ? ct_expander_take_steps(e, &ignored)
            : ct_expander_take_events(e, &ignored);
        Py_END_ALLOW_THREADS if (state != CT_EXPAND_VALUES)
        {
            if (state == CT_EXPAND_FAILED && !helper->has_failed)
                put(helper, PyErr_NoMemory());
            return;
        }
        compress_values(helper);
    }
}

/* The functions are builtin methods: with no frame of Python nobody sees this thread, and no
 * garbage of the program is collected in it. */
static void *help(void *given)
{
    struct helper *helper = given;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *item;
    while ((item = PyObject_CallNoArgs(function(helper, 2))) != NULL && item != Py_None) {
        if (!helper->has_failed)
            expand(helper, item);
        Py_DECREF(item);
        put(helper, PyBytes_FromStringAndSize(NULL, 0));
    }
    if (item == NULL)
        put(helper, NULL);
    else if (!helper->has_failed)
        compress_values(helper);
    Py_XDECREF(item);
    put(helper, Py_NewRef(Py_None));
    Py_DECREF(helper->functions);
    PyMem_Free(helper);
    PyGILState_Release(gil);
    return NULL;
}

int ct_expander_start_helping(ct_expander *e, uintptr_t functions)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    struct helper *helper = PyMem_Malloc(sizeof *helper);
    int failed = ENOMEM;
    if (helper != NULL) {
        *helper = (struct helper){e, Py_NewRef((PyObject *)functions), false};
        pthread_t thread;
        failed = ct_own_thread_start(&thread, help, helper);
        if (failed == 0) {
            pthread_detach(thread);
        } else {
            Py_DECREF(helper->functions);
            PyMem_Free(helper);
        }
    }
    PyGILState_Release(gil);
    return failed;
}
