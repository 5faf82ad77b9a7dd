/* What a step or a call says about variables. */
#ifndef CT_VARIABLES_H
#define CT_VARIABLES_H

#include "frame.h"
#include "mirror.h"
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

/* A variable of a frame holds a container now: at which quiet places is it not compared? */
void ct_slot_has_tree(ct_shadow *frame, const ct_slot *slot);

static inline void ct_slot_was_stated(ct_shadow *frame, const ct_slot *slot)
{
    if (ct_unlikely(slot->kind == CT_SLOT_TREE && frame->quiet_limit < CT_QUIET_PLACES))
        ct_slot_has_tree(frame, slot);
}

/* State the first n variables of a frame of a plain plan. */
__attribute__((always_inline)) static inline uint8_t *
ct_state_plain_slots(ct_thread *t, ct_shadow *frame, uint8_t *p, int n)
{
    const ct_iframe *iframe = frame->iframe;
    ct_slot *slots = t->slots + frame->slots;
    for (int i = 0; i < n; i++) {
        PyObject *v = ct_frame_slot(iframe, i);
        if (!ct_slot_is_same(&slots[i], v)) {
            p = ct_slot_restate(&slots[i], p, ct_item_of_slot((uint32_t)i), v, &frame->cost,
                                frame->plan->attributes);
            ct_slot_was_stated(frame, &slots[i]);
        }
    }
    return p;
}

/* State those variables of a frame of a plain plan that have a bit in `which`. */
uint8_t *ct_state_some(ct_thread *t, ct_shadow *frame, uint8_t *p, uint64_t which);

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

/* After a step of a frame: remember the quiet place that begins there, if one does. */
static inline void ct_note_quiet(const ct_thread *t, ct_shadow *frame)
{
    if (ct_likely(frame->quiet_limit == 0))
        return;
    const ct_quiet_places *quiet = frame->plan->quiet;
    uint8_t number = quiet->numbers[ct_frame_unit(frame->iframe)];
    if (ct_likely(number == 0 || number > frame->quiet_limit))
        return;
    if (number > quiet->idle &&
        !ct_quiet_holds(&quiet->places[number - 1], frame->iframe, t->slots + frame->slots))
        return;
    frame->quiet = number;
    frame->state |= CT_QUIET;
    ct_session.quiet_at = ct_out.at;
}

/* The quiet place at whose end a frame is, when nothing has run since its beginning and nothing
 * will before the step is written; NULL otherwise. */
static inline const ct_quiet_place *ct_quiet_place_ended(const ct_shadow *frame)
{
    /* Whoever else had recorded anything would have gone on behind the same place in the journal.
     */
    const ct_quiet_place *place = &frame->plan->quiet->places[frame->quiet - 1];
    bool is_quiet = ct_session.quiet_at == ct_out.at && frame->generation == ct_out.generation &&
                    ct_mirror_count == 0 && !ct_chunk_is_full() &&
                    ct_is_heard_by_one(frame->plan->code) &&
                    ct_quiet_has_ended(place, frame->iframe);
    return is_quiet ? place : NULL;
}

/* The unit that is being written about `frame` is given up: what was stated in it will be stated
 * again. */
void ct_undo_unit(ct_thread *t, ct_shadow *frame);

/* Snapshots have grown large (deep recursion over containers): keep those of the innermost frame
 * only. */
void ct_shed_snapshots(void);

#endif
