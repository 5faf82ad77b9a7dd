/* What a step or a call says about variables. */
#ifndef CT_VARIABLES_H
#define CT_VARIABLES_H

#include "tracer.h"

/* State everything that has changed since the frame's last step. */
uint8_t *ct_state_variables(ct_thread *t, ct_shadow *frame, uint8_t *p);

/* State the arguments of a frame that has just been pushed, and the globals that its code refers
 * to. */
uint8_t *ct_state_arguments(ct_thread *t, ct_shadow *frame, uint8_t *p);

/* The unit that is being written about `frame` is given up: what was stated in it will be stated
 * again. */
void ct_undo_unit(ct_thread *t, ct_shadow *frame);

/* Snapshots have grown large (deep recursion over containers): keep those of the innermost frame
 * only. */
void ct_shed_snapshots(void);

#endif
