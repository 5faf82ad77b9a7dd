/* Shadow stacks and units.  A unit is begun only when everything that can run Python or wait is done: from its first
 * byte to its commit the GIL is kept and nothing but the encoder runs. */
#include "tracer.h"

#include "ct.h"
#include "frame.h"
#include "types.h"

#define PREAMBLE_FRAMES 1024
#define PREAMBLE_BYTES  ((size_t)256 << 10)
#define ANCESTOR_HOPS   32
#define WAIT_SLICE_MS   50
#define WAIT_LIMIT_MS   10000

struct ct_session ct_session;

/* Returned by steps that may have let other code run. */
enum go { GO_ON, GO_AWAY, GO_RAISE };

/* ---- failures ------------------------------------------------------------------------------------------------ */

/* Stop recording and let Python apply the error policy.  GO_RAISE: the policy raised an exception. */
static enum go fail(const char *code)
{
    ct_session.active = false;
    PyObject *answer = PyObject_CallFunction(ct_session.on_failure, "s", code);
    if (answer == NULL)
        return GO_RAISE;
    Py_DECREF(answer);
    return GO_AWAY;
}

static inline PyObject *result(enum go go) { return go == GO_RAISE ? NULL : Py_None; }

/* ---- chunks -------------------------------------------------------------------------------------------------- */

static void put_switch(ct_thread *t)
{
    uint8_t *unit = ct_out.at;
    ct_commit(unit, ct_put_uv(unit + 1, t->id), CTJ_THREAD_SWITCH);
}

/* What makes a chunk readable alone: the open frames of every thread, and which thread runs. */
static void put_preamble(void)
{
    uint8_t *start = ct_out.at;
    for (ct_thread *t = ct_session.threads; t != NULL; t = t->next) {
        if (t->ignored || !t->announced)
            continue;
        int listed = t->depth < PREAMBLE_FRAMES ? t->depth : PREAMBLE_FRAMES;
        if ((size_t)(ct_out.at - start) > PREAMBLE_BYTES)
            listed = 0;
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
        put_switch(ct_session.current);
}

static enum go wait_for_slot(uint64_t session)
{
    for (int waited = 0; !ct_chunk_roll((struct ct_chunk_position){ct_session.steps, ct_session.next_key});
         waited += WAIT_SLICE_MS) {
        if (waited >= WAIT_LIMIT_MS)
            return fail("ERR_JOURNAL_STALLED");
        Py_BEGIN_ALLOW_THREADS
        ct_chunk_wait(WAIT_SLICE_MS);
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() < 0)
            return GO_RAISE;
        if (!ct_session.active || ct_session.number != session)
            return GO_AWAY;
        if (!ct_chunk_is_full())
            return GO_ON; /* another thread has opened a chunk */
    }
    put_preamble();
    ct_types_trim();
    if (ct_session.writer_runs)
        return GO_ON;
    PyObject *answer = PyObject_CallNoArgs(ct_session.on_sealed); /* starts the writer */
    if (answer == NULL)
        return GO_RAISE;
    Py_DECREF(answer);
    return ct_session.active && ct_session.number == session ? GO_ON : GO_AWAY;
}

static enum go boundary_slow(void)
{
    uint64_t session = ct_session.number;
    if (ct_session.failure != NULL)
        return fail(ct_session.failure);
    enum go go = GO_ON;
    while (go == GO_ON && ct_chunk_is_full() && ct_chunk_wants_seal())
        go = wait_for_slot(session);
    return go;
}

/* The first record of a thread: its name is asked for, then it is announced. */
static enum go announce(ct_thread *t)
{
    uint64_t session = ct_session.number;
    unsigned long ident = PyThread_get_thread_ident();
    PyObject *name = PyObject_CallFunction(ct_session.thread_name, "k", ident);
    if (name == NULL)
        return GO_RAISE;
    if (ct_session.active && ct_session.number == session && PyUnicode_Check(name)) {
        uint8_t *unit = ct_out.at;
        uint8_t *p = ct_put_uv(unit + 1, t->id);
        p = ct_put_uv(p, ident);
        ct_commit(unit, ct_put_text(p, name, 200), CTJ_THREAD_START);
        t->announced = true;
    }
    Py_DECREF(name);
    return ct_session.active && ct_session.number == session ? GO_ON : GO_AWAY;
}

/* Before each unit: a chunk with room, and the right thread. */
static inline enum go boundary(ct_thread *t)
{
    if (ct_unlikely(t != ct_session.current)) {
        enum go go = t->announced ? GO_ON : announce(t);
        if (go != GO_ON)
            return go;
    }
    if (ct_unlikely(ct_chunk_is_full())) {
        enum go go = boundary_slow();
        if (go != GO_ON)
            return go;
    }
    if (ct_unlikely(t != ct_session.current)) {
        ct_session.current = t;
        put_switch(t);
    }
    return GO_ON;
}

/* ---- threads ------------------------------------------------------------------------------------------------- */

#define THREAD_CAPSULE "codetracer_core.thread"

static void drop_frames(ct_thread *t, int depth);

static void thread_free(ct_thread *t)
{
    drop_frames(t, 0);
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
                put_switch(t);
            uint8_t *unit = ct_out.at;
            ct_commit(unit, ct_put_uv(unit + 1, t->id), CTJ_THREAD_EXIT);
        }
        *link = t->next;
        thread_free(t);
        ct_session.current = ct_session.last_seen = NULL;
        return;
    }
}

/* The record of a Python thread, made at its first event; NULL without memory. */
static ct_thread *thread_slow(PyThreadState *state)
{
    for (ct_thread *t = ct_session.threads; t != NULL; t = t->next)
        if (t->state == state && t->state_id == state->id)
            return ct_session.last_seen = t;
    ct_thread *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->state = state;
    t->state_id = state->id;
    t->id = ct_session.next_thread++;
    t->announced = t->id == 0;
    t->next = ct_session.threads;
    ct_session.threads = t;
    PyObject *dict = state == ct_thread_state() ? PyThreadState_GetDict() : NULL;
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

static inline ct_thread *thread_of(PyThreadState *state)
{
    ct_thread *t = ct_session.last_seen;
    if (ct_likely(t != NULL && t->state == state && t->state_id == state->id))
        return t;
    return thread_slow(state);
}

/* ---- frames -------------------------------------------------------------------------------------------------- */

static void drop_frames(ct_thread *t, int depth)
{
    while (t->depth > depth) {
        ct_shadow *frame = &t->frames[--t->depth];
        for (uint32_t i = frame->slots; i < t->slots_used; i++)
            ct_slot_drop(&t->slots[i]);
        t->slots_used = frame->slots;
        if (ct_unlikely(frame->space != NULL))
            ct_namespace_free(frame->space);
        ct_plan_release(frame->plan);
    }
}

static bool grow_frames(ct_thread *t)
{
    int room = t->room != 0 ? t->room * 2 : 256;
    ct_shadow *frames = realloc(t->frames, (size_t)room * sizeof *frames);
    if (frames == NULL)
        return false;
    t->frames = frames;
    t->room = room;
    return true;
}

static bool grow_slots(ct_thread *t, uint32_t need)
{
    uint32_t room = t->slots_room != 0 ? t->slots_room : 1024;
    while (room < need)
        room *= 2;
    ct_slot *slots = realloc(t->slots, room * sizeof *slots);
    if (slots == NULL)
        return false;
    t->slots = slots;
    t->slots_room = room;
    return true;
}

/* Put a frame on the stack; NULL without memory. */
static inline ct_shadow *push(ct_thread *t, ct_iframe *iframe, ct_plan *plan, int32_t line)
{
    uint32_t slots = t->slots_used + (uint32_t)plan->slot_count;
    if (ct_unlikely(t->depth == t->room && !grow_frames(t)))
        return NULL;
    if (ct_unlikely(slots > t->slots_room && !grow_slots(t, slots)))
        return NULL;
    memset(t->slots + t->slots_used, 0, (size_t)plan->slot_count * sizeof(ct_slot));
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

/* Write LOST for the frames above `depth`: they ended without an event that we saw. */
static void lose_frames(ct_thread *t, int depth)
{
    while (t->depth > depth) {
        uint8_t *unit = ct_out.at;
        ct_commit(unit, unit + 1, CTJ_LOST);
        drop_frames(t, t->depth - 1);
        ct_session.lost++;
    }
}

static int find_frame(const ct_thread *t, const ct_iframe *iframe)
{
    for (int i = t->depth - 1; i >= 0; i--)
        if (t->frames[i].iframe == iframe)
            return i;
    return -1;
}

/* Before a frame is pushed: drop frames of the shadow stack that do not run any more. */
static void drop_stale(ct_thread *t, ct_iframe *iframe)
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
        lose_frames(t, t->depth - 1);
    }
}

/* ---- variables ----------------------------------------------------------------------------------------------- */

static void refresh(ct_thread *t, ct_shadow *frame)
{
    frame->generation = ct_out.generation;
    for (int i = 0; i < frame->plan->slot_count; i++)
        ct_slot_make_stale(&t->slots[frame->slots + (uint32_t)i]);
    if (frame->space != NULL)
        ct_namespace_make_stale(frame->space);
}

/* Snapshots have grown large (deep recursion over containers): keep those of the innermost frames only. */
static void shed_snapshots(void)
{
    for (ct_thread *t = ct_session.threads; t != NULL; t = t->next)
        for (int i = 0; i < t->depth - 1 || (i < t->depth && t != ct_session.current); i++)
            refresh(t, &t->frames[i]);
}

static inline uint8_t *state_slot(ct_slot *slot, uint8_t *p, uint32_t i, PyObject *v, uint8_t flags,
                                  enum ct_kind kind, uint32_t *cost)
{
    if (ct_unlikely(flags & (CT_SLOT_REDACT | CT_SLOT_DROP))) {
        if ((flags & CT_SLOT_DROP) == 0)
            return ct_slot_state_redacted(slot, p, ct_item_of_slot(i), v, kind, cost);
        ct_slot_count_dropped(slot, v, kind);
        return p;
    }
    /* The common ways of not having changed, inline. */
    if (v == NULL) {
        if (slot->kind == CT_SLOT_NONE || slot->kind == CT_SLOT_UNSET)
            return p;
    } else if (slot->kind == CT_SLOT_INT) {
        if (Py_TYPE(v) == &PyLong_Type && PyUnstable_Long_IsCompact((PyLongObject *)v) &&
            slot->bits == (uint64_t)PyUnstable_Long_CompactValue((PyLongObject *)v))
            return p;
    } else if (slot->kind == CT_SLOT_HELD && slot->bits == (uint64_t)(uintptr_t)v) {
        return p;
    }
    return ct_slot_state(slot, p, ct_item_of_slot(i), v, cost);
}

/* The same through PyFrame_GetVar, for an interpreter whose frames are laid out in a way we do not know. */
static uint8_t *state_slots_public(ct_thread *t, ct_shadow *frame, uint8_t *p, int n, const uint8_t *flags,
                           enum ct_kind kind)
{
    PyFrameObject *object = PyEval_GetFrame();
    for (int i = 0; i < n; i++) {
        PyObject *v = ct_frame_variable_public(object, frame->plan->code, i);
        p = state_slot(&t->slots[frame->slots + (uint32_t)i], p, (uint32_t)i, v, flags[i], kind, &frame->cost);
        Py_XDECREF(v);
    }
    return p;
}

static inline uint8_t *state_slots(ct_thread *t, ct_shadow *frame, uint8_t *p, int n, const uint8_t *flags,
                           enum ct_kind kind)
{
    if (ct_unlikely(ct_frame_is_public))
        return state_slots_public(t, frame, p, n, flags, kind);
    ct_slot *slots = t->slots + frame->slots;
    for (int i = 0; i < n; i++)
        p = state_slot(&slots[i], p, (uint32_t)i, ct_frame_variable(frame->iframe, i, flags[i]), flags[i],
                       kind, &frame->cost);
    return p;
}

static bool is_shown_global(PyObject *v)
{
    return !PyFunction_Check(v) && !PyType_Check(v) && !PyModule_Check(v) && !PyCFunction_Check(v);
}

static bool is_immutable(PyObject *v)
{
    return v == Py_None || PyLong_CheckExact(v) || PyUnicode_CheckExact(v) || PyFloat_CheckExact(v) ||
           PyBool_Check(v) || PyBytes_CheckExact(v);
}

/* State the globals that the code refers to.  A dict whose version has not changed holds the same objects. */
static uint8_t *state_globals(ct_plan *plan, uint8_t *p, PyObject *dict)
{
    if (!PyDict_Check(dict) || !ct_dict_has_str_keys(dict))
        return p;
    if (plan->globals_generation != ct_out.generation) {
        plan->globals_generation = ct_out.generation;
        for (int i = 0; i < plan->global_count; i++)
            ct_slot_make_stale(&plan->globals[i].slot);
    }
    uint64_t version = ct_dict_version(dict);
    bool look_up = version != plan->globals_version;
    if (look_up) {
        plan->globals_version = version;
        plan->globals_mutable = false;
    }
    for (int i = 0; i < plan->global_count; i++) {
        ct_global *global = &plan->globals[i];
        if (look_up) {
            PyObject *v = PyDict_GetItemWithError(dict, global->name);
            global->value = v != NULL && is_shown_global(v) ? v : NULL;
            if (v != NULL && global->value != NULL && !is_immutable(v) && global->action == CT_ALLOW)
                plan->globals_mutable = true;
        }
        ct_item item = {.tag = CTJ_ITEM_GLOBAL, .wide = true, .number = (uint32_t)i};
        if (global->action == CT_REDACT)
            p = ct_slot_state_redacted(&global->slot, p, item, global->value, CT_KIND_GLOBAL, &plan->globals_cost);
        else
            p = ct_slot_state(&global->slot, p, item, global->value, &plan->globals_cost);
    }
    return p;
}

static inline bool globals_may_differ(const ct_plan *plan, PyObject *dict)
{
    return plan->globals_mutable || plan->globals_generation != ct_out.generation ||
           ct_dict_version(dict) != plan->globals_version;
}

/* Everything that has changed since the frame's last step. */
static inline uint8_t *state_variables(ct_thread *t, ct_shadow *frame, uint8_t *p)
{
    ct_plan *plan = frame->plan;
    ct_iframe *iframe = frame->iframe;
    if (ct_unlikely(frame->generation != ct_out.generation))
        refresh(t, frame);
    p = state_slots(t, frame, p, plan->slot_count, plan->slot_flags, CT_KIND_LOCAL);
    if (ct_unlikely(frame->space != NULL) && iframe->f_locals != NULL && PyDict_Check(iframe->f_locals))
        p = ct_namespace_state(frame->space, p, iframe->f_locals, &frame->cost);
    if (plan->global_count != 0 && globals_may_differ(plan, iframe->f_globals))
        p = state_globals(plan, p, iframe->f_globals);
    return p;
}

/* ---- units --------------------------------------------------------------------------------------------------- */

/* What has to happen in Python before a step of a module or class body can be written. */
static enum go prepare_space(ct_thread *t, ct_iframe *iframe)
{
    PyObject *dict = iframe->f_locals;
    if (dict == NULL || !PyDict_Check(dict))
        return GO_ON;
    uint64_t session = ct_session.number;
    ct_shadow *frame = &t->frames[t->depth - 1];
    int failed = ct_namespace_prepare(&frame->space, frame->plan, dict);
    if (failed)
        return GO_RAISE;
    return ct_session.active && ct_session.number == session ? GO_ON : GO_AWAY;
}

/* One step of the innermost frame. */
static inline enum go put_step(ct_thread *t, int32_t line)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    enum go go;
    if (ct_unlikely(frame->plan->flags & CTJ_FN_NAMESPACE)) {
        go = prepare_space(t, frame->iframe);
        if (go != GO_ON)
            return go;
    }
    go = boundary(t);
    if (ct_unlikely(go != GO_ON))
        return go;
    ct_plan_define(frame->plan);
    uint8_t *unit = ct_out.at, *p = unit + 1;
    uint8_t tag = CTJ_STEP_WIDE;
    uint64_t z = ct_zigzag((int64_t)line - frame->line);
    frame->line = line;
    frame->stepped = true;
    if (ct_likely(z < (CTJ_STEP_WIDE & 0x7F)))
        tag = CTJ_STEP | (uint8_t)z;
    else
        p = ct_put_uv(p, z);
    p = state_variables(t, frame, p);
    ct_commit(unit, p, tag);
    ct_session.steps++;
    if (ct_unlikely(ct_snapshot_bytes > CT_SNAPSHOT_LIMIT))
        shed_snapshots();
    return GO_ON;
}

/* The innermost frame ends: RETURN, YIELD or UNWIND. */
static inline enum go put_end(ct_thread *t, uint8_t tag, PyObject *value)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    enum go go;
    if (ct_unlikely(!frame->stepped)) {
        go = put_step(t, ct_frame_line(frame->iframe));
        if (go != GO_ON)
            return go;
    }
    go = boundary(t);
    if (ct_unlikely(go != GO_ON))
        return go;
    uint8_t *unit = ct_out.at, *p = unit + 1;
    uint8_t action = tag == CTJ_UNWIND ? CT_ALLOW : frame->plan->return_action;
    if (ct_likely(action == CT_ALLOW)) {
        ct_encoder e;
        ct_encoder_start(&e);
        p = ct_put_value(&e, p, value);
    } else {
        *p++ = action == CT_DROP ? CTJ_DROPPED : CTJ_REDACTED;
        (action == CT_DROP ? ct_value_counts.dropped : ct_value_counts.redacted)[CT_KIND_RETURN]++;
    }
    ct_commit(unit, p, tag);
    ct_session.returns++;
    drop_frames(t, t->depth - 1);
    return GO_ON;
}

static enum go put_call(ct_thread *t, ct_iframe *iframe, ct_plan *plan)
{
    enum go go = boundary(t);
    if (ct_unlikely(go != GO_ON))
        return go;
    if (ct_unlikely(t->depth != 0 && iframe->previous != t->frames[t->depth - 1].iframe))
        drop_stale(t, iframe);
    ct_plan_define(plan);
    ct_shadow *frame = push(t, iframe, plan, plan->first_line);
    if (frame == NULL)
        return fail("ERR_NO_MEMORY");
    frame->stepped = true; /* the entry step */
    uint8_t *unit = ct_out.at, *p = ct_put_uv(unit + 1, plan->id);
    p = state_slots(t, frame, p, plan->argument_count, plan->argument_flags, CT_KIND_ARGUMENT);
    if (plan->global_count != 0 && globals_may_differ(plan, iframe->f_globals))
        p = state_globals(plan, p, iframe->f_globals);
    ct_commit(unit, p, CTJ_CALL);
    ct_session.steps++;
    for (int i = 0; i < plan->argument_count; i++)
        if (ct_unlikely((plan->argument_flags[i] ^ plan->slot_flags[i]) & (CT_SLOT_REDACT | CT_SLOT_DROP)))
            ct_slot_make_stale(&t->slots[frame->slots + (uint32_t)i]);
    return GO_ON;
}

/* A frame that goes on: ENTER, RESUME, or THROW with its exception. */
static enum go put_entry(ct_thread *t, ct_iframe *iframe, ct_plan *plan, uint8_t tag, PyObject *exception)
{
    enum go go = boundary(t);
    if (go != GO_ON)
        return go;
    if (t->depth != 0 && iframe->previous != t->frames[t->depth - 1].iframe)
        drop_stale(t, iframe);
    ct_plan_define(plan);
    int32_t line = ct_frame_line(iframe);
    if (line <= 0)
        line = plan->first_line;
    if (push(t, iframe, plan, line) == NULL)
        return fail("ERR_NO_MEMORY");
    uint8_t *unit = ct_out.at, *p = ct_put_uv(unit + 1, plan->id);
    p = ct_put_uv(p, (uint64_t)line);
    if (exception != NULL) {
        ct_encoder e;
        ct_encoder_start(&e);
        p = ct_put_value(&e, p, exception);
    }
    ct_commit(unit, p, tag);
    return GO_ON;
}

/* ---- events -------------------------------------------------------------------------------------------------- */

/* Set LINE, PY_RETURN and PY_YIELD for code that is recorded; takes effect for the call that is starting. */
static bool arm(ct_plan *plan)
{
    plan->armed = true;
    PyObject *args[] = {ct_session.tool_id, (PyObject *)plan->code, ct_session.local_events};
    PyObject *done = PyObject_Vectorcall(ct_session.set_local_events, args, 3, NULL);
    Py_XDECREF(done);
    return done != NULL;
}

static void disarm(PyCodeObject *code)
{
    PyObject *zero = PyLong_FromLong(0);
    PyObject *args[] = {ct_session.tool_id, (PyObject *)code, zero};
    PyObject *done = PyObject_Vectorcall(ct_session.set_local_events, args, 3, NULL);
    if (done == NULL)
        PyErr_Clear();
    Py_XDECREF(done);
    Py_DECREF(zero);
}

/* The decision about the code of a frame that starts or goes on. */
static inline enum ct_scope scope_of(PyObject *code, ct_iframe *iframe, ct_plan **plan)
{
    enum ct_scope scope = ct_scope_of((PyCodeObject *)code, iframe->f_globals, plan);
    if (scope == CT_SCOPE_TRACE && ct_unlikely(!(*plan)->armed) && !arm(*plan))
        return CT_SCOPE_ERROR;
    if (ct_unlikely(!ct_session.active))
        return CT_SCOPE_UNDECIDED;
    return scope;
}

PyObject *ct_on_start(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    if (ct_unlikely(!ct_session.active))
        return Py_None;
    PyThreadState *state = ct_thread_state();
    ct_iframe *iframe = ct_current_frame(state);
    ct_plan *plan = NULL;
    enum ct_scope scope = scope_of(args[0], iframe, &plan);
    if (scope == CT_SCOPE_TRACE) {
        ct_thread *t = thread_of(state);
        if (t == NULL || t->ignored)
            return Py_None;
        return result(put_call(t, iframe, plan));
    }
    return scope == CT_SCOPE_SKIP ? Py_NewRef(ct_session.disable) : scope == CT_SCOPE_ERROR ? NULL : Py_None;
}

static PyObject *on_entry(PyObject *code, uint8_t tag, PyObject *exception)
{
    if (!ct_session.active)
        return Py_None;
    PyThreadState *state = ct_thread_state();
    ct_iframe *iframe = ct_current_frame(state);
    ct_plan *plan = NULL;
    enum ct_scope scope = scope_of(code, iframe, &plan);
    if (scope == CT_SCOPE_TRACE) {
        ct_thread *t = thread_of(state);
        if (t == NULL || t->ignored)
            return Py_None;
        return result(put_entry(t, iframe, plan, tag, exception));
    }
    /* PY_THROW cannot be disabled. */
    if (scope == CT_SCOPE_SKIP && tag == CTJ_RESUME)
        return Py_NewRef(ct_session.disable);
    return scope == CT_SCOPE_ERROR ? NULL : Py_None;
}

PyObject *ct_on_resume(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    return on_entry(args[0], CTJ_RESUME, NULL);
}

PyObject *ct_on_throw(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    return on_entry(args[0], CTJ_THROW, args[2]);
}

/* An event of a frame that is not the innermost of the shadow stack: the frames above it have ended, or it was running
 * before anybody looked.  GO_AWAY when the event is not for us. */
static enum go resynchronise(ct_thread *t, ct_iframe *iframe, PyObject *code, bool adopt)
{
    if (t->ignored)
        return GO_AWAY;
    int at = find_frame(t, iframe);
    if (at >= 0) {
        enum go go = boundary(t);
        if (go == GO_ON)
            lose_frames(t, at + 1);
        return go;
    }
    ct_plan *plan = NULL;
    void *extra = NULL;
    PyUnstable_Code_GetExtra(code, ct_scope_index, &extra);
    if (!adopt || extra == NULL || ((uintptr_t)extra & 1) != 0)
        return GO_AWAY;
    plan = extra;
    return put_entry(t, iframe, plan, CTJ_ENTER, NULL);
}

PyObject *ct_on_line(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    if (ct_unlikely(!ct_session.active))
        return Py_None;
    PyThreadState *state = ct_thread_state();
    ct_thread *t = thread_of(state);
    ct_iframe *iframe = ct_current_frame(state);
    if (ct_unlikely(t == NULL))
        return Py_None;
    if (ct_unlikely(t->depth == 0 || t->frames[t->depth - 1].iframe != iframe)) {
        enum go go = resynchronise(t, iframe, args[0], true);
        if (go != GO_ON)
            return result(go);
    }
    return result(put_step(t, (int32_t)PyUnstable_Long_CompactValue((PyLongObject *)args[1])));
}

static inline PyObject *on_end(PyObject *const *args, uint8_t tag)
{
    if (ct_unlikely(!ct_session.active))
        return Py_None;
    PyThreadState *state = ct_thread_state();
    ct_thread *t = thread_of(state);
    ct_iframe *iframe = ct_current_frame(state);
    if (ct_unlikely(t == NULL))
        return Py_None;
    if (ct_unlikely(t->depth == 0 || t->frames[t->depth - 1].iframe != iframe)) {
        enum go go = resynchronise(t, iframe, args[0], false);
        if (go != GO_ON)
            return result(go);
    }
    return result(put_end(t, tag, args[2]));
}

PyObject *ct_on_return(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    return on_end(args, CTJ_RETURN);
}

PyObject *ct_on_yield(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    return on_end(args, CTJ_YIELD);
}

/* PY_UNWIND cannot be disabled, so most of these are of frames that are not recorded. */
PyObject *ct_on_unwind(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    return on_end(args, CTJ_UNWIND);
}

/* ---- control plane ------------------------------------------------------------------------------------------- */

void ct_thread_ignore(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    ct_thread *t = ct_session.active ? thread_of(ct_thread_state()) : NULL;
    if (t != NULL)
        t->ignored = true;
    PyGILState_Release(gil);
}

/* Put the frames of one thread that run already on its stack, outermost first. */
static enum go adopt_frames(ct_thread *t, ct_iframe *iframe, int depth)
{
    if (iframe == NULL || depth > 100000)
        return GO_ON;
    enum go go = adopt_frames(t, iframe->previous, depth + 1);
    PyCodeObject *code = ct_frame_is_shim(iframe) ? NULL : ct_frame_code(iframe);
    if (go != GO_ON || code == NULL)
        return go;
    ct_plan *plan = NULL;
    enum ct_scope scope = scope_of((PyObject *)code, iframe, &plan);
    if (scope == CT_SCOPE_ERROR)
        return GO_RAISE;
    return scope == CT_SCOPE_TRACE ? put_entry(t, iframe, plan, CTJ_ENTER, NULL) : GO_ON;
}

/* Enter the frames that every thread is in: a session has started in the middle of a program. */
static int adopt_running(void)
{
    PyThreadState *own = ct_thread_state();
    for (PyThreadState *s = PyInterpreterState_ThreadHead(own->interp); s != NULL; s = PyThreadState_Next(s)) {
        ct_thread *t = thread_of(s);
        if (t == NULL)
            return PyErr_NoMemory(), -1;
        if (adopt_frames(t, ct_current_frame(s), 0) == GO_RAISE)
            return -1;
    }
    return 0;
}

/* `parts`: (resolver, on_failure, on_sealed, thread_name, set_local_events, DISABLE, tool id, local events, adopt) */
int ct_tracer_open(PyObject *parts)
{
    if (ct_scopes_open(PyTuple_GET_ITEM(parts, 0)) < 0)
        return -1;
    uint64_t number = ct_session.number + 1;
    ct_session = (struct ct_session){.number = number, .next_key = 1};
    ct_session.on_failure = PyTuple_GET_ITEM(parts, 1);
    ct_session.on_sealed = PyTuple_GET_ITEM(parts, 2);
    ct_session.thread_name = PyTuple_GET_ITEM(parts, 3);
    ct_session.set_local_events = PyTuple_GET_ITEM(parts, 4);
    ct_session.disable = PyTuple_GET_ITEM(parts, 5);
    ct_session.tool_id = PyTuple_GET_ITEM(parts, 6);
    ct_session.local_events = PyTuple_GET_ITEM(parts, 7);
    memset(&ct_value_counts, 0, sizeof ct_value_counts);
    ct_session.active = true;
    ct_session.current = thread_of(ct_thread_state());
    if (ct_session.current == NULL)
        return PyErr_NoMemory(), -1;
    return PyObject_IsTrue(PyTuple_GET_ITEM(parts, 8)) == 1 ? adopt_running() : 0;
}

void ct_tracer_close(void)
{
    ct_session.active = false;
    while (ct_session.threads != NULL) {
        ct_thread *t = ct_session.threads;
        ct_session.threads = t->next;
        thread_free(t);
    }
    ct_session.current = ct_session.last_seen = NULL;
    ct_scopes_close(disarm);
    ct_types_clear();
}
