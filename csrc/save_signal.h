/* The signal at which a copy of the trace is saved. */
#ifndef CT_SAVE_SIGNAL_H
#define CT_SAVE_SIGNAL_H

#include <stdbool.h>

/* Whether there is such a signal. */
bool ct_save_signal_is_watched(void);

/* Whether it has come since the last time; sees to it that it goes on being noticed. */
bool ct_save_signal_taken(void);

#endif
