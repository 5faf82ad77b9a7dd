/* Signals of the program while the recorder's own Python decides something: handlers run in the
 * interpreter's loop, whosever code it runs, and inside a callback they would not be recorded. */
#ifndef CT_SIGNALS_H
#define CT_SIGNALS_H

#include <signal.h>

#include "compat.h"

/* Run the handlers that are due, recorded as what the current frame calls: as if its code had been
 * interrupted, not the callback.  Returns -1 with the exception of a handler. */
int ct_signals_run(PyThreadState *state);

/* The same, then keep further signals from the calling thread until ct_signals_release.  Returns -1
 * with the exception of a handler, and nothing is kept.  Another thread of the program can still
 * take a signal. */
int ct_signals_hold(PyThreadState *state, sigset_t *before);

/* Only the second half, where no handler can run: in the middle of a unit. */
void ct_signals_block(sigset_t *before);
void ct_signals_release(const sigset_t *before);

#endif
