/* The moments between units: sealing chunks, waiting, announcing threads, giving up. */
#include "boundary.h"

#include "ct.h"
#include "guard.h"
#include "inject.h"
#include "reprs.h"
#include "stack.h"
#include "types.h"
#include "variables.h"

#define PREAMBLE_FRAMES 1024
#define PREAMBLE_BYTES  ((size_t)128 << 10)
#define WAIT_SLICE_MS   50
#define WAIT_LIMIT_MS   10000
#define WAIT_DEAF_MS    500 /* before handlers run inside the wait, unrecorded */

/* Stop recording and let Python apply the error policy.  CT_GO_RAISE: the policy raised an
 * exception. */
enum ct_go ct_fail(const char *code)
{
    ct_session.active = false;
    PyObject *answer =
        CT_RECORDERS_OWN(PyObject_CallFunction(ct_session.on_failure, "sO", code, Py_None));
    if (answer == NULL)
        return ct_forgive() ? CT_GO_AWAY : CT_GO_RAISE;
    Py_DECREF(answer);
    return CT_GO_AWAY;
}

enum ct_go ct_contain(void)
{
    if (ct_forgive())
        return CT_GO_AWAY;
    if (!ct_session.active) /* it is what the policy has raised, or nobody can be asked any more */
        return CT_GO_RAISE;
    PyObject *error = PyErr_GetRaisedException();
    PyObject *answer =
        CT_RECORDERS_OWN(PyObject_CallFunction(ct_session.on_failure, "sO", "ERR_UNKNOWN", error));
    Py_DECREF(error);
    if (answer == NULL)
        return ct_forgive() ? CT_GO_AWAY : CT_GO_RAISE;
    Py_DECREF(answer);
    return CT_GO_AWAY;
}

#define ROUNDS_LIMIT 4 /* of one unit, before names that keep coming are hidden unasked */

/* Ask the filter about names, and objects for their texts. */
static enum ct_go ask(int round)
{
    uint64_t session = ct_session.number;
    ct_attributes_conceal = round >= ROUNDS_LIMIT;
    if (ct_attributes_settle() < 0 || ct_reprs_settle() < 0) {
        if (ct_contain() == CT_GO_RAISE)
            return CT_GO_RAISE;
        ct_attributes_conceal = true;
    }
    return ct_session.active && ct_session.number == session ? CT_GO_ON : CT_GO_AWAY;
}

void ct_round_ends(enum ct_go go)
{
    ct_attributes_conceal = false;
    if (go != CT_GO_AGAIN)
        ct_reprs_forget();
}

enum ct_go ct_give_up_unit(ct_thread *t, ct_shadow *frame, int round)
{
    ct_undo_unit(t, frame);
    return ask(round);
}

enum ct_go ct_give_up_entry(ct_thread *t, int round)
{
    ct_undo_unit(t, &t->frames[t->depth - 1]);
    ct_drop_frames(t, t->depth - 1);
    ct_session.next_key--;
    ct_session.calls--;
    return ask(round);
}

void ct_put_switch(ct_thread *t)
{
    uint8_t *unit = ct_out.at;
    ct_commit(unit, ct_put_uv(unit + 1, t->id), CTJ_THREAD_SWITCH);
}

/* How many of the innermost frames of a thread fit into what is left of the preamble. */
static int frames_that_fit(const ct_thread *t, size_t used)
{
    int listed = 0;
    while (listed < t->depth && listed < PREAMBLE_FRAMES) {
        ct_plan *plan = t->frames[t->depth - 1 - listed].plan;
        used += 32 + (plan->counted == ct_out.generation ? 0 : plan->definition);
        plan->counted = ct_out.generation;
        if (used > PREAMBLE_BYTES)
            break;
        listed++;
    }
    return listed;
}

static void put_thread_name(const ct_thread *t)
{
    if (t->name == NULL)
        return;
    uint8_t id[10], *unit = ct_out.at;
    uint32_t id_length = (uint32_t)(ct_put_uv(id, t->id) - id);
    uint8_t *p = ct_put_uv(unit + 1, id_length + t->name_length);
    p = ct_put_uv(p, t->id);
    memcpy(p, t->name, t->name_length);
    ct_commit(unit, p + t->name_length, CTJ_THREAD_NAME);
}

/* What makes a chunk readable alone: the open frames of every thread, and which thread runs. */
static void put_preamble(void)
{
    uint8_t *start = ct_out.at;
    for (ct_thread *t = ct_session.threads; t != NULL; t = t->next) {
        size_t used = (size_t)(ct_out.at - start);
        if (t->ignored || !t->announced || used > PREAMBLE_BYTES)
            continue;
        put_thread_name(t);
        int listed = frames_that_fit(t, used);
        for (int i = t->depth - listed; i < t->depth; i++)
            ct_plan_define(t->frames[i].plan);
        uint8_t *unit = ct_out.at, *p = ct_put_uv(unit + 1, t->id);
        p = ct_put_uv(p, (uint64_t)(t->depth - listed));
        ct_commit(unit, ct_put_uv(p, (uint64_t)listed), CTJ_STACK);
        for (int i = t->depth - listed; i < t->depth; i++) {
            ct_shadow *frame = &t->frames[i];
            unit = ct_out.at;
            p = ct_put_uv(unit + 1, frame->plan->id);
            p = ct_put_uv(p, frame->key);
            ct_commit(unit, ct_put_uv(p, (uint64_t)frame->line), CTJ_FRAME);
        }
    }
    if (ct_session.current != NULL)
        ct_put_switch(ct_session.current);
    ct_out.news = ct_out.at;
}

/* Let Python start the writer, when none takes sealed chunks. */
static enum ct_go start_writer(uint64_t session)
{
    PyObject *answer = CT_RECORDERS_OWN(PyObject_CallNoArgs(ct_session.on_sealed));
    if (answer == NULL && ct_contain() == CT_GO_RAISE)
        return CT_GO_RAISE;
    Py_XDECREF(answer);
    return ct_session.active && ct_session.number == session ? CT_GO_ON : CT_GO_AWAY;
}

static enum ct_go wait_for_slot(uint64_t session)
{
    if (ct_injected("seal"))
        return ct_fail("ERR_TRACE_INCOMPLETE");
    for (int waited = 0;
         !ct_chunk_roll((struct ct_chunk_position){ct_session.steps, ct_session.next_key});
         waited += WAIT_SLICE_MS) {
        if (waited >= WAIT_LIMIT_MS)
            return ct_fail("ERR_JOURNAL_STALLED");
        ct_chunk_counts.stalls += waited == 0;
        Py_BEGIN_ALLOW_THREADS;
        ct_chunk_wait(WAIT_SLICE_MS);
        Py_END_ALLOW_THREADS;
        if (waited >= WAIT_DEAF_MS && PyErr_CheckSignals() < 0)
            return CT_GO_RAISE;
        if (!ct_session.active || ct_session.number != session)
            return CT_GO_AWAY;
        if (ct_session.failure != NULL)
            return ct_fail(ct_session.failure);
        if (!ct_chunk_is_full())
            return CT_GO_ON; /* another thread has opened a chunk */
    }
    put_preamble();
    ct_types_trim();
    return ct_session.writer_runs ? CT_GO_ON : start_writer(session);
}

enum ct_go ct_boundary_slow(void)
{
    uint64_t session = ct_session.number;
    if (ct_session.failure != NULL)
        return ct_fail(ct_session.failure);
    enum ct_go go = ct_session.writer_runs ? CT_GO_ON : start_writer(session);
    while (go == CT_GO_ON && ct_chunk_is_full() && ct_chunk_wants_seal())
        go = wait_for_slot(session);
    return go;
}

enum ct_go ct_boundary_seal(void)
{
    if (ct_session.failure != NULL)
        return ct_fail(ct_session.failure);
    return wait_for_slot(ct_session.number);
}

void ct_boundary_seal_idle(uint64_t sequence)
{
    if (!ct_session.active || ct_session.failure != NULL || !ct_chunk_has_news(sequence) ||
        !ct_chunk_roll((struct ct_chunk_position){ct_session.steps, ct_session.next_key}))
        return;
    put_preamble();
    ct_types_trim();
}

/* Without memory the name is missing where the chunk with THREAD_START is. */
static void keep_name(ct_thread *t, const uint8_t *text, uint32_t length)
{
    t->name = malloc(length);
    if (t->name == NULL)
        return;
    memcpy(t->name, text, length);
    t->name_length = length;
}

/* The first record of a thread: its name is asked for, then it is announced. */
enum ct_go ct_announce(ct_thread *t)
{
    if (ct_injected("thread"))
        return ct_fail("ERR_TRACE_INCOMPLETE");
    uint64_t session = ct_session.number;
    unsigned long ident = PyThread_get_thread_ident();
    PyObject *name = CT_RECORDERS_OWN(PyObject_CallFunction(ct_session.thread_name, "k", ident));
    if (name == NULL)
        return ct_contain();
    if (ct_session.active && ct_session.number == session && PyUnicode_Check(name)) {
        uint8_t *unit = ct_out.at;
        uint8_t *p = ct_put_uv(unit + 1, t->id);
        p = ct_put_uv(p, ident);
        uint8_t *end = ct_put_text(p, name, 200);
        keep_name(t, p, (uint32_t)(end - p));
        ct_commit(unit, end, CTJ_THREAD_START);
        t->announced = true;
    }
    Py_DECREF(name);
    return ct_session.active && ct_session.number == session ? CT_GO_ON : CT_GO_AWAY;
}
