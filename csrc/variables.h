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

/* State everything that has changed since the frame's last step. */
uint8_t *ct_state_variables(ct_thread *t, ct_shadow *frame, uint8_t *p);

/* State the first n variables of a frame of a plain plan. */
__attribute__((always_inline)) static inline uint8_t *
ct_state_plain_slots(ct_thread *t, ct_shadow *frame, uint8_t *p, int n)
{
    const ct_iframe *iframe = frame->iframe;
    ct_slot *slots = t->slots + frame->slots;
    for (int i = 0; i < n; i++) {
        PyObject *v = ct_frame_slot(iframe, i);
        if (!ct_slot_is_same(&slots[i], v))
            p = ct_slot_restate(&slots[i], p, ct_item_of_slot((uint32_t)i), v, &frame->cost,
                                frame->plan->attributes);
    }
    return p;
}

/* State the globals that the code of a frame refers to. */
static inline uint8_t *ct_state_globals_of(const ct_shadow *frame, uint8_t *p)
{
    ct_plan *plan = frame->plan;
    PyObject *globals = frame->iframe->f_globals;
    if (plan->global_count != 0 && ct_globals_may_differ(plan, globals))
        p = ct_state_globals(plan, p, globals);
    return p;
}

/* ct_state_variables for a frame of a plain plan whose variables this chunk has in full. */
__attribute__((always_inline)) static inline uint8_t *
ct_state_plain_variables(ct_thread *t, ct_shadow *frame, uint8_t *p)
{
    return ct_state_globals_of(frame, ct_state_plain_slots(t, frame, p, frame->plan->slot_count));
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
