/* Frames that were running before anybody looked: at the start of a session, in other threads, and
 * after something has exchanged a thread's stack. */
#ifndef CT_ADOPT_H
#define CT_ADOPT_H

#include "boundary.h"

/* A frame whose start is the next event, so that it is not entered; NULL for none. */
extern ct_iframe *ct_adopt_not_yet;

/* Enter the frames that the calling thread is in, outermost first.  -1: an exception is set. */
int ct_adopt_own_frames(ct_thread *t);

/* Decide about the code that other threads are in.  A frame of theirs is entered at its next event,
 * with its callers.  -1: an exception is set. */
int ct_adopt_other_threads(void);

/* Enter the recorded callers of a frame that are not on the thread's stack, outermost first, as far
 * as they are near. */
enum ct_go ct_enter_callers(ct_thread *t, ct_iframe *iframe);

#endif
