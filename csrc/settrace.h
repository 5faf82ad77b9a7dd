/* Events from PyEval_SetTrace, where there is no sys.monitoring: CPython 3.11.
 *
 * The events of `sys.settrace` are made into those of sys.monitoring, for the same handlers. */
#ifndef CT_SETTRACE_H
#define CT_SETTRACE_H

#include "callbacks.h"

/* The function that every thread calls for its events. */
int ct_settrace_event(PyObject *object, PyFrameObject *frame, int what, PyObject *value);

/* Hand an event on to the function that the program, or a debugger, has set in the calling thread.
 * -1: it has raised an exception. */
int ct_settrace_forward(PyObject *object, PyFrameObject *frame, int what, PyObject *value);

/* Trace all threads, and those that are started. */
void ct_settrace_hook(void);

extern bool ct_settrace_is_on;      /* a thread that was about to call us may still do so after */
extern bool ct_settrace_has_others; /* other functions get the events of some thread as well */

/* Whether a function of the program, or of a debugger, gets the calling thread's events as well. */
bool ct_settrace_is_shared(void);

/* Forget what is known of exceptions in frames. */
void ct_settrace_forget(void);

#endif
