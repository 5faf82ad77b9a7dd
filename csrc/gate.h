/* Activation: in a session with an activation file, only what runs above a frame of that file is
 * recorded.  Nothing is kept about which frames those are; the stacks say it. */
#ifndef CT_GATE_H
#define CT_GATE_H

#include "tracer.h"

extern bool ct_gate_exists; /* the session has an activation file */

/* Start a session's gate.  `is_activation` is called as is_activation(file name) -> bool, once for
 * each file, or None when there is no activation file; it and `restart_events` are borrowed for the
 * session.  Returns -1 with an exception set. */
int ct_gate_open(PyObject *is_activation, PyObject *restart_events);
void ct_gate_close(void);

/* Whether the code is of the activation file; -1 with an exception set.  May run Python. */
int ct_gate_activates(PyCodeObject *code);

/* Whether nothing of the frame is to be recorded: no frame of the activation file is on the stack
 * that it tops.  `t` may be NULL; what it has recorded was above such a frame already. */
bool ct_gate_is_shut(const ct_thread *t, ct_iframe *iframe);

/* A frame of the activation file starts or goes on: places that were disabled are live again. */
void ct_gate_enter(void);

/* What a callback returns for an event at a shut gate, a new reference: DISABLE when the program
 * has waited for a while, so that waiting costs no more than skipped code does. */
PyObject *ct_gate_answer(void);

#endif
