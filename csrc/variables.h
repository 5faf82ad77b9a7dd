/* What a step or a call says about variables. */
#ifndef CT_VARIABLES_H
#define CT_VARIABLES_H

#include "frame.h"
#include "tracer.h"

/* State the globals that the code refers to, where they may differ. */
uint8_t *ct_state_globals(ct_plan *plan, uint8_t *p, PyObject *dict);

static inline bool ct_globals_may_differ(ct_plan *plan, PyObject *dict)
{
    return !ct_watched_is(dict, &plan->globals_state) || plan->globals_mutable ||
           plan->globals_generation != ct_out.generation;
}

/* State everything that has changed since the frame's last step, of any frame. */
uint8_t *ct_state_variables_of_any(ct_thread *t, ct_shadow *frame, uint8_t *p);

/* The same, at once where nothing has to be known of the variables but their values. */
static inline uint8_t *ct_state_variables(ct_thread *t, ct_shadow *frame, uint8_t *p)
{
    ct_plan *plan = frame->plan;
    if (ct_unlikely(plan->has_flags || frame->generation != ct_out.generation ||
                    frame->space != NULL || ct_frame_is_public))
        return ct_state_variables_of_any(t, frame, p);
    ct_iframe *iframe = frame->iframe;
    ct_slot *slots = t->slots + frame->slots;
    int n = plan->slot_count;
    for (int i = 0; i < n; i++) {
        PyObject *v = ct_frame_slot(iframe, i);
        if (!ct_slot_is_same(&slots[i], v))
            p = ct_slot_restate(&slots[i], p, ct_item_of_slot((uint32_t)i), v, &frame->cost,
                                plan->attributes);
    }
    if (plan->global_count != 0 && ct_globals_may_differ(plan, iframe->f_globals))
        p = ct_state_globals(plan, p, iframe->f_globals);
    return p;
}

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
