/* A forked child records into a trace of its own, which begins when the first event comes that is
 * to be recorded: many children run another program at once, or end, and leave nothing. */
#ifndef CT_WAKE_H
#define CT_WAKE_H

#include "tracer.h"

/* Called while no session is active.  In a forked child it begins one when the event of `code` is
 * to be recorded.  CT_GO_ON: a session is active, and the event is its first.  The frame of the
 * event is open already unless it `begins` with it. */
enum ct_go ct_wake(PyObject *code, bool begins);

#endif
