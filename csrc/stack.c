/* Threads and their shadow stacks. */
#include "stack.h"

#include "boundary.h"

#define ANCESTOR_HOPS 32

void ct_drop_frames(ct_thread *t, int depth)
{
    while (t->depth > depth) {
        ct_shadow *frame = &t->frames[--t->depth];
        for (uint32_t i = frame->slots; i < t->slots_used; i++) {
            ct_slot_drop(&t->slots[i]);
            t->slots[i] = (ct_slot){0};
        }
        t->slots_used = frame->slots;
        if (ct_unlikely(frame->space != NULL))
            ct_namespace_free(frame->space);
        ct_plan_release(frame->plan);
    }
}

bool ct_grow_frames(ct_thread *t)
{
    int room = t->room != 0 ? t->room * 2 : 256;
    ct_shadow *frames = realloc(t->frames, (size_t)room * sizeof *frames);
    if (frames == NULL)
        return false;
    t->frames = frames;
    t->room = room;
    return true;
}

bool ct_grow_slots(ct_thread *t, uint32_t need)
{
    uint32_t room = t->slots_room != 0 ? t->slots_room : 1024;
    while (room < need)
        room *= 2;
    ct_slot *slots = realloc(t->slots, room * sizeof *slots);
    if (slots == NULL)
        return false;
    memset(slots + t->slots_room, 0, (room - t->slots_room) * sizeof *slots);
    t->slots = slots;
    t->slots_room = room;
    return true;
}

/* Write LOST for the frames above `depth`: they ended without an event that we saw. */
void ct_lose_frames(ct_thread *t, int depth)
{
    ct_session.is_unsettled = ct_session.is_unsettled || t->depth > depth;
    while (t->depth > depth) {
        uint8_t *unit = ct_out.at;
        ct_commit(unit, unit + 1, CTJ_LOST);
        ct_drop_frames(t, t->depth - 1);
        ct_session.lost++;
    }
}

int ct_find_frame(const ct_thread *t, const ct_iframe *iframe)
{
    for (int i = t->depth - 1; i >= 0; i--)
        if (t->frames[i].iframe == iframe)
            return i;
    return -1;
}

/* Before a frame is pushed: drop frames of the shadow stack that do not run any more. */
void ct_drop_stale(ct_thread *t, ct_iframe *iframe)
{
    while (t->depth > 0) {
        const ct_iframe *top = t->frames[t->depth - 1].iframe;
        if (top != iframe) {
            ct_iframe *f = iframe->previous;
            int hops = 0;
            while (f != NULL && f != top && hops++ < ANCESTOR_HOPS)
                f = f->previous;
            if (f != NULL)
                return;
        }
        ct_lose_frames(t, t->depth - 1);
    }
}

#define THREAD_CAPSULE "codetracer_core.thread"
#define WRITER_ID      UINT32_MAX /* the program's threads are numbered without it */

void ct_thread_free(ct_thread *t)
{
    ct_drop_frames(t, 0);
    Py_XDECREF(t->task_name);
    free(t->name);
    free(t->frames);
    free(t->slots);
    free(t);
}

/* A thread's state is being cleared: the capsule in its dict goes away in the thread that ends. */
static void thread_ended(PyObject *capsule)
{
    uint64_t session = (uint64_t)(uintptr_t)PyCapsule_GetContext(capsule) >> 32;
    uint32_t id = (uint32_t)(uintptr_t)PyCapsule_GetContext(capsule);
    if (!ct_session.active || (uint32_t)ct_session.number != (uint32_t)session)
        return;
    for (ct_thread **link = &ct_session.threads; *link != NULL; link = &(*link)->next) {
        ct_thread *t = *link;
        if (t->id != id)
            continue;
        if (t->announced && !t->ignored) {
            /* No boundary: waiting is not allowed here, and a chunk always has room for this. */
            if (t != ct_session.current)
                ct_put_switch(t);
            uint8_t *unit = ct_out.at;
            ct_commit(unit, ct_put_uv(unit + 1, t->id), CTJ_THREAD_EXIT);
        }
        *link = t->next;
        ct_thread_free(t);
        ct_session.current = ct_session.last_seen = NULL;
        return;
    }
}

static ct_thread *add_thread(PyThreadState *state, uint32_t id)
{
    ct_thread *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->state = state;
    t->state_id = state->id;
    t->id = id;
    t->announced = t->id == 0;
    t->next = ct_session.threads;
    ct_session.threads = t;
    int collects = ct_collect_nothing(); /* whoever asks is sure of the session */
    PyObject *dict = state == ct_thread_state() ? PyThreadState_GetDict() : NULL;
    ct_collect_again(collects);
    if (dict != NULL && t->id != 0) {
        PyObject *capsule = PyCapsule_New(t, THREAD_CAPSULE, thread_ended);
        if (capsule != NULL)
            PyCapsule_SetContext(capsule, (void *)(uintptr_t)(ct_session.number << 32 | t->id));
        if (capsule == NULL || PyDict_SetItemString(dict, THREAD_CAPSULE, capsule) < 0)
            PyErr_Clear();
        Py_XDECREF(capsule);
    }
    return ct_session.last_seen = t;
}

/* The record of a Python thread, made at its first event; NULL without memory. */
ct_thread *ct_thread_slow(PyThreadState *state)
{
    for (ct_thread *t = ct_session.threads; t != NULL; t = t->next)
        if (t->state == state && t->state_id == state->id)
            return ct_session.last_seen = t;
    return add_thread(state, ct_session.next_thread++);
}

void ct_thread_add_writer(void)
{
    PyThreadState *state = ct_thread_state();
    for (ct_thread *t = ct_session.threads; t != NULL; t = t->next)
        if (t->state == state && t->state_id == state->id)
            return;
    ct_thread *t = ct_session.active ? add_thread(state, WRITER_ID) : NULL;
    if (t != NULL)
        t->ignored = true;
}
