/* Handlers of the program's signals while the recorder's own Python runs.  The interpreter's loop
 * calls them whosever code it runs, but from within a callback come no events: they would not be
 * recorded. */
#ifndef CT_SIGNALS_H
#define CT_SIGNALS_H

#include "compat.h"

/* Put off the handlers that become due in the calling thread.  Returns whether it is the one that
 * runs handlers, for ct_signals_resume. */
bool ct_signals_defer(void);

/* Those that have become due run when the program goes on. */
void ct_signals_resume(bool deferred);

#endif
