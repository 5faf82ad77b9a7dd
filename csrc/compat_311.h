/* What CPython 3.12 offers and 3.11 has not, or has under another name.  Included by compat.h. */
#ifndef CT_COMPAT_311_H
#define CT_COMPAT_311_H

#include "internal/pycore_runtime.h"

#include <structmember.h>

#define PyUnstable_Code_GetExtra              _PyCode_GetExtra
#define PyUnstable_Code_SetExtra              _PyCode_SetExtra
#define PyUnstable_Eval_RequestCodeExtraIndex _PyEval_RequestCodeExtraIndex

/* ---- threads: a state is in the list before it is filled in, by a thread without the GIL
 * --------------------------------------------------------------------------------------------- */

static inline PyThreadState *ct_first_thread(PyInterpreterState *interpreter)
{
    PyThread_acquire_lock(_PyRuntime.interpreters.mutex, WAIT_LOCK);
    PyThreadState *first = PyInterpreterState_ThreadHead(interpreter);
    PyThread_release_lock(_PyRuntime.interpreters.mutex);
    return first;
}

static inline PyThreadState *ct_next_thread(PyThreadState *state)
{
    PyThread_acquire_lock(_PyRuntime.interpreters.mutex, WAIT_LOCK);
    PyThreadState *next = PyThreadState_Next(state);
    PyThread_release_lock(_PyRuntime.interpreters.mutex);
    return next;
}

/* ---- garbage: it is collected, and finalizers run, wherever a container is made; between two
 * instructions of Python only since then
 * --------------------------------------------------------------------------------------------- */

/* Let nothing be collected until ct_collect_again, which is given what this returns. */
static inline int ct_collect_nothing(void)
{
    return PyGC_Disable();
}

static inline void ct_collect_again(int before)
{
    if (before)
        PyGC_Enable();
}

/* Let a few containers be made before anything is collected.  What this returns is to be added to
 * what the interpreter has counted of the youngest. */
static inline int ct_make_room_for_containers(int few)
{
    struct gc_generation *youngest = PyInterpreterState_Main()->gc.generations;
    int room = youngest->count - youngest->threshold + few;
    if (room <= 0)
        return 0;
    youngest->count -= room;
    return room;
}

/* ---- exceptions: three words of the thread state here, one object since then
 * --------------------------------------------------------------------------------------------- */

static inline PyObject *PyErr_GetRaisedException(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL)
        return NULL;
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(value, traceback);
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return value;
}

static inline void PyErr_SetRaisedException(PyObject *exception)
{
    if (exception == NULL)
        PyErr_Clear();
    else
        PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exception)), exception,
                      PyException_GetTraceback(exception));
}

/* ---- ints: the sign is that of the size
 * --------------------------------------------------------------------------------------------- */

static inline bool PyUnstable_Long_IsCompact(const PyLongObject *v)
{
    return (size_t)(Py_SIZE(v) + 1) <= 2;
}

static inline Py_ssize_t PyUnstable_Long_CompactValue(const PyLongObject *v)
{
    return Py_SIZE(v) * (Py_ssize_t)v->ob_digit[0];
}

static inline size_t ct_int_size(const PyLongObject *v)
{
    return (size_t)Py_ABS(Py_SIZE(v));
}

/* Whether an int is positive and of one digit of 30 bits. */
static inline bool ct_int_is_digit(PyObject *v)
{
    return Py_SIZE(v) == 1;
}

static inline digit ct_int_digit(PyObject *v)
{
    return ((PyLongObject *)v)->ob_digit[0];
}

static inline const digit *ct_int_digits(PyObject *v, size_t *count, bool *negative)
{
    *count = ct_int_size((PyLongObject *)v);
    *negative = Py_SIZE(v) < 0;
    return ((PyLongObject *)v)->ob_digit;
}

/* ---- frames
 * --------------------------------------------------------------------------------------------- */

/* The bytes of a code object up to the instruction that runs. */
static inline int ct_frame_offset(const struct _PyInterpreterFrame *f)
{
    return _PyInterpreterFrame_LASTI(f) * (int)sizeof(_Py_CODEUNIT);
}

static inline int PyUnstable_InterpreterFrame_GetLine(struct _PyInterpreterFrame *f)
{
    return PyCode_Addr2Line(f->f_code, ct_frame_offset(f));
}

/* A new reference.  This interpreter answers from a dict of all variables, which it keeps beside
 * the frame: a program that has taken it from locals() sees it change.  NULL with an exception set
 * when the variable is unbound. */
static inline PyObject *PyFrame_GetVar(PyFrameObject *frame, PyObject *name)
{
    PyObject *locals = PyFrame_GetLocals(frame);
    PyObject *value = locals != NULL ? PyObject_GetItem(locals, name) : NULL;
    Py_XDECREF(locals);
    return value;
}

/* ---- types
 * --------------------------------------------------------------------------------------------- */

#define Py_T_OBJECT_EX T_OBJECT_EX
#define _Py_T_OBJECT   T_OBJECT

/* What a class keeps behind itself: the descriptions of its slots. */
static inline void *PyObject_GetItemData(PyObject *type)
{
    return _PyHeapType_GET_MEMBERS((PyHeapTypeObject *)type);
}

/* Give the type a version if it can have one: looking anything up does. */
static inline bool PyUnstable_Type_AssignVersionTag(PyTypeObject *type)
{
    PyObject *name = PyUnicode_InternFromString("__class__");
    if (name == NULL) {
        PyErr_Clear();
        return false;
    }
    _PyType_Lookup(type, name);
    Py_DECREF(name);
    return PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG);
}

/* True when one tool alone, if any, hears of the lines and instructions of the code: the trace
 * function of the program, which gets them from us, cannot be told from none. */
static inline bool ct_is_heard_by_one(const PyCodeObject *code)
{
    (void)code;
    return false;
}

#endif
