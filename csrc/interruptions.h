/* What the interpreter runs of the program between two instructions of Python, whosever these are:
 * handlers of signals, and finalizers when it collects garbage.  Of what runs in the recorder's own
 * Python there are no events, so it has to wait for the program to go on. */
#ifndef CT_INTERRUPTIONS_H
#define CT_INTERRUPTIONS_H

#include "compat.h"

/* What was in force before interruptions were put off. */
typedef struct {
    bool runs_handlers; /* the thread is the one that runs handlers of signals */
    bool collects;
} ct_interruptions;

/* Put off the handlers that become due in the calling thread, and every collection. */
ct_interruptions ct_interruptions_defer(void);

void ct_interruptions_resume(ct_interruptions before);

/* Between these no collection begins with one of the few containers that the calling thread makes:
 * CPython 3.11 collects wherever one is made, and the thread may let go of the GIL meanwhile. */
int ct_interruptions_make_room(void);
void ct_interruptions_take_room(int room);

/* In a forked child, before anything else: the thread that has put collections off may be gone.
 * Which thread runs handlers is settled by the interpreter. */
void ct_interruptions_forked(void);

#endif
