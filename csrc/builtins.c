/* A program may replace a builtin, also for a moment, as tests do with `len`.  Code of the recorder
 * that runs then must find the builtin that it was written for: the other one is the program's. */
#include "builtins.h"

#include "watched.h"

static PyObject *live;   /* the dict of the module builtins, borrowed */
static PyObject *own;    /* a copy of it, owned; NULL outside of sessions */
static uint64_t version; /* of `live` when it last held all of `own` */

int ct_builtins_open(void)
{
    PyObject *module = PyImport_AddModule("builtins"); /* borrowed */
    live = module != NULL ? PyModule_GetDict(module) : NULL;
    Py_XSETREF(own, live != NULL ? PyDict_Copy(live) : NULL);
    version = own != NULL ? ct_watched_version(live) : 0;
    return own != NULL ? 0 : -1;
}

void ct_builtins_close(void)
{
    Py_CLEAR(own);
}

/* Replace one builtin and keep the program's, or Ellipsis where it has none. */
static void put_own(PyObject **programs, PyObject *name, PyObject *value)
{
    PyObject *found = PyDict_GetItemWithError(live, name);
    if (found == value)
        return;
    if (*programs == NULL)
        *programs = PyDict_New();
    if (*programs == NULL ||
        PyDict_SetItem(*programs, name, found != NULL ? found : Py_Ellipsis) < 0 ||
        PyDict_SetItem(live, name, value) < 0)
        PyErr_Clear();
}

PyObject *ct_builtins_enter(void)
{
    uint64_t now = own != NULL ? ct_watched_version(live) : 0;
    if (own == NULL || (now == version && now != 0) || !ct_dict_has_str_keys(live))
        return NULL;
    PyObject *raised = PyErr_GetRaisedException(), *programs = NULL, *name, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(own, &at, &name, &value))
        put_own(&programs, name, value);
    if (programs == NULL)
        version = now;
    PyErr_SetRaisedException(raised);
    return programs;
}

void ct_builtins_leave(PyObject *programs)
{
    if (programs == NULL)
        return;
    PyObject *raised = PyErr_GetRaisedException(), *name, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(programs, &at, &name, &value)) {
        /* Another thread of the program may have put something else there. */
        if (own != NULL &&
            PyDict_GetItemWithError(live, name) != PyDict_GetItemWithError(own, name))
            continue;
        int failed =
            value != Py_Ellipsis ? PyDict_SetItem(live, name, value) : PyDict_DelItem(live, name);
        if (failed < 0)
            PyErr_Clear();
    }
    Py_DECREF(programs);
    PyErr_SetRaisedException(raised);
}
