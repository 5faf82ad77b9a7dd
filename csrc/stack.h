/* Which frames of which thread are being recorded. */
#ifndef CT_STACK_H
#define CT_STACK_H

#include "tracer.h"

ct_thread *ct_thread_slow(PyThreadState *state);
void ct_thread_free(ct_thread *t);
/* The calling thread is the writer: nothing of it is recorded.  Nothing happens the second time. */
void ct_thread_add_writer(void);

/* The record of the thread of an event, made at its first one; NULL without memory. */
static inline ct_thread *ct_thread_of(PyThreadState *state)
{
    ct_thread *t = ct_session.last_seen;
    if (ct_likely(t != NULL && t->state == state && t->state_id == state->id))
        return t;
    return ct_thread_slow(state);
}

bool ct_grow_frames(ct_thread *t);
bool ct_grow_slots(ct_thread *t, uint32_t need);

/* Put a frame on the stack; NULL without memory. */
static inline ct_shadow *ct_push(ct_thread *t, ct_iframe *iframe, ct_plan *plan, int32_t line)
{
    uint32_t slots = t->slots_used + (uint32_t)plan->slot_count;
    if (ct_unlikely(t->depth == t->room && !ct_grow_frames(t)))
        return NULL;
    if (ct_unlikely(slots >= t->slots_room && !ct_grow_slots(t, slots + 1)))
        return NULL;
    ct_shadow *frame = &t->frames[t->depth++];
    *frame = (ct_shadow){.iframe = iframe,
                         .plan = plan,
                         .key = ct_session.next_key++,
                         .generation = ct_out.generation,
                         .slots = t->slots_used,
                         .line = line};
    t->slots_used = slots;
    plan->references++;
    ct_session.calls++;
    return frame;
}

/* Forget the frames above `depth`. */
void ct_drop_frames(ct_thread *t, int depth);

/* Write LOST for the frames above `depth`: they ended without an event that we saw. */
void ct_lose_frames(ct_thread *t, int depth);

/* The position of a frame on the stack, -1 when it is not there. */
int ct_find_frame(const ct_thread *t, const ct_iframe *iframe);

/* Before a frame is pushed: lose frames of the shadow stack that do not run any more. */
void ct_drop_stale(ct_thread *t, ct_iframe *iframe);

#endif
