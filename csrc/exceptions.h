/* Raising and catching: which event of an exception is worth a record. */
#ifndef CT_EXCEPTIONS_H
#define CT_EXCEPTIONS_H

#include "boundary.h"

/* The native tracer's event functions, METH_FASTCALL. */
PyObject *ct_on_handled(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *ct_on_branch(PyObject *self, PyObject *const *args, Py_ssize_t n);

/* The same with offsets as numbers: an exception has reached a handler; a branch was taken. */
PyObject *ct_handled_event(PyObject *code, int offset, PyObject *exception);
PyObject *ct_branch_event(PyObject *code, int from, int to);

#if !CT_HAS_MONITORING
/* The exception that is on its way, whose traceback the interpreter stores in it only where it is
 * handled; both are borrowed for the time of an event. */
extern struct ct_in_flight {
    PyObject *exception;
    PyTracebackObject *traceback;
} ct_in_flight;
#endif

/* An exception is about to end the innermost frame: write RAISE if it was raised there. */
enum ct_go ct_exception_ends(ct_thread *t, PyObject *exception);

/* The frame that an exception has ended is gone: its caller will see it next. */
void ct_exception_left(ct_thread *t, PyObject *exception);

/* An exception is thrown into the innermost frame, which has just been entered. */
void ct_exception_enters(ct_thread *t, PyObject *exception);

/* The innermost frame has made a step at `line`: write CATCH if an `except` body begins there. */
enum ct_go ct_exception_step(ct_thread *t, int32_t line);

/* Forget what was seen of exceptions. */
void ct_exceptions_clear(void);

#endif
