/* Exceptions on their way: the same one is written when it is raised, at the end of each frame that
 * it leaves, and where it is caught. */
#ifndef CT_RAISED_H
#define CT_RAISED_H

#include "value.h"

/* ct_put_value for an exception: what was written of late is written again while it holds the same.
 */
uint8_t *ct_put_raised(ct_encoder *e, uint8_t *p, PyObject *v);

/* At the end of a session. */
void ct_raised_clear(void);

#endif
