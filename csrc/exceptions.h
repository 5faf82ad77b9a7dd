/* Raising and catching: which event of an exception is worth a record. */
#ifndef CT_EXCEPTIONS_H
#define CT_EXCEPTIONS_H

#include "boundary.h"

/* The native tracer's event functions, METH_FASTCALL. */
PyObject *ct_on_handled(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *ct_on_branch(PyObject *self, PyObject *const *args, Py_ssize_t n);

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
