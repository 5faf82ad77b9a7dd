/* Units and events.  A unit is begun only when everything that can run Python or wait is done: from
 * its first byte to its commit the GIL is kept and nothing but the encoder runs. */
#include "tracer.h"

#include "adopt.h"
#include "boundary.h"
#include "exceptions.h"
#include "frame.h"
#include "inject.h"
#include "logging.h"
#include "scalars.h"
#include "secrets.h"
#include "stack.h"
#include "tasks.h"
#include "variables.h"
#include "wake.h"

struct ct_session ct_session;

/* ---- units
 * ---------------------------------------------------------------------------------------------------
 */

/* What has to happen in Python before a step of a module or class body can be written. */
static enum ct_go prepare_space(ct_thread *t, ct_iframe *iframe)
{
    PyObject *dict = iframe->f_locals;
    if (dict == NULL || !PyDict_Check(dict))
        return CT_GO_ON;
    uint64_t session = ct_session.number;
    ct_shadow *frame = &t->frames[t->depth - 1];
    int failed = ct_namespace_prepare(&frame->space, frame->plan, dict);
    if (failed)
        return failed == -2 ? CT_GO_AWAY : ct_contain();
    return ct_session.active && ct_session.number == session ? CT_GO_ON : CT_GO_AWAY;
}

/* The tag of a step; *p moves behind the distance of its line from the last one, where that is too
 * far for the tag. */
static inline uint8_t put_distance(uint8_t **p, int32_t line, int32_t last)
{
    uint64_t z = ct_zigzag((int64_t)line - last);
    if (ct_likely(z < (CTJ_STEP_WIDE & 0x7F)))
        return CTJ_STEP | (uint8_t)z;
    *p = ct_put_uv(*p, z);
    return CTJ_STEP_WIDE;
}

static inline enum ct_go commit_step(ct_shadow *frame, int32_t line, uint8_t *end, uint8_t tag)
{
    if (ct_unlikely(ct_attributes_pending))
        return CT_GO_AGAIN;
    frame->line = line;
    frame->state = CT_STEPPED;
    ct_commit(ct_out.at, end, tag);
    ct_session.steps++;
    if (ct_unlikely(ct_snapshot_bytes > CT_SNAPSHOT_LIMIT))
        ct_shed_snapshots();
    return CT_GO_ON;
}

/* A step of any frame. */
__attribute__((noinline)) static enum ct_go put_any_step(ct_thread *t, ct_shadow *frame,
                                                         int32_t line)
{
    ct_plan_define(frame->plan);
    uint8_t *p = ct_out.at + 1, tag = put_distance(&p, line, frame->line);
    return commit_step(frame, line, ct_state_variables(t, frame, p), tag);
}

/* One step of the innermost frame, whose variables can be read at once. */
__attribute__((always_inline)) static inline enum ct_go put_step_once(ct_thread *t, int32_t line)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    if (ct_injected("line"))
        return ct_fail("ERR_TRACE_INCOMPLETE");
    enum ct_go go = ct_boundary(t);
    if (ct_unlikely(go != CT_GO_ON))
        return go;
    if (ct_unlikely(frame->generation != ct_out.generation || !frame->plan->is_plain))
        return put_any_step(t, frame, line);
    uint8_t *p = ct_out.at + 1, tag = put_distance(&p, line, frame->line);
    go = commit_step(frame, line, ct_state_plain_variables(t, frame, p), tag);
    if (ct_likely(go == CT_GO_ON))
        ct_note_quiet(t, frame);
    return go;
}

__attribute__((noinline)) static enum ct_go put_step_again(ct_thread *t, int32_t line)
{
    enum ct_go go = CT_GO_AGAIN;
    for (int round = 0; go == CT_GO_AGAIN; round++) {
        go = ct_give_up_unit(t, &t->frames[t->depth - 1], round);
        go = go == CT_GO_ON ? put_step_once(t, line) : go;
        ct_round_ends(go);
    }
    return go;
}

__attribute__((always_inline)) static inline enum ct_go put_plain_step(ct_thread *t, int32_t line)
{
    enum ct_go go = put_step_once(t, line);
    return ct_likely(go != CT_GO_AGAIN) ? go : put_step_again(t, line);
}

static enum ct_go put_quiet_step(ct_thread *t, ct_shadow *frame, int32_t line, uint64_t assigned)
{
    uint8_t *p = ct_out.at + 1, tag = put_distance(&p, line, frame->line);
    enum ct_go go = commit_step(frame, line, ct_state_some(t, frame, p, assigned), tag);
    if (ct_unlikely(go != CT_GO_ON))
        return put_step_again(t, line);
    ct_note_quiet(t, frame);
    return go;
}

/* A step before or behind which something else has to be done, or before which nothing has been. */
__attribute__((noinline)) static enum ct_go put_special_step(ct_thread *t, int32_t line)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    uint8_t state = frame->state;
    if ((state & (CT_QUIET | CT_CATCHING)) == CT_QUIET) {
        const ct_quiet_place *place = ct_quiet_place_ended(frame);
        if (place != NULL)
            return put_quiet_step(t, frame, line, place->assigned);
    }
    enum ct_go go = CT_GO_ON;
    if (frame->plan->is_namespace)
        go = prepare_space(t, frame->iframe);
    if (go == CT_GO_ON)
        go = put_plain_step(t, line);
    if (go == CT_GO_ON && state & CT_CATCHING)
        go = ct_exception_step(t, line);
    return go;
}

/* One step of the innermost frame. */
__attribute__((always_inline)) static inline enum ct_go put_step(ct_thread *t, int32_t line)
{
    const ct_shadow *frame = &t->frames[t->depth - 1];
    if (ct_unlikely(frame->state & (CT_QUIET | CT_CATCHING) || frame->plan->is_namespace))
        return put_special_step(t, line);
    return put_plain_step(t, line);
}

enum ct_go ct_put_step(ct_thread *t, int32_t line)
{
    return put_step(t, line);
}

/* What a frame returns or yields: an int or None, more often than not. */
static inline uint8_t *put_result(const ct_plan *plan, uint8_t *p, PyObject *value)
{
    if (value == Py_None) {
        *p++ = CTJ_NONE;
        return p;
    }
    ct_encoder e;
    ct_encoder_start(&e, plan->attributes);
    if (PyLong_CheckExact(value) && PyUnstable_Long_IsCompact((PyLongObject *)value))
        return ct_put_int(&e, p, value);
    return ct_put_value(&e, p, value);
}

static inline enum ct_go put_end_once(ct_thread *t, uint8_t tag, PyObject *value)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    enum ct_go go = ct_boundary(t);
    if (ct_unlikely(go != CT_GO_ON))
        return go;
    uint8_t *unit = ct_out.at, *p = unit + 1;
    const ct_plan *plan = frame->plan;
    uint8_t action = tag == CTJ_RETURN  ? plan->return_action
                     : tag == CTJ_YIELD ? plan->yield_action
                                        : plan->unwind_action;
    if (tag == CTJ_UNWIND) {
        ct_encoder e;
        ct_encoder_start(&e, plan->attributes);
        p = ct_put_exception(&e, p, value, action, CT_KIND_RETURN);
        if (ct_unlikely(ct_attributes_pending))
            return CT_GO_AGAIN;
    } else if (ct_likely(action == CT_ALLOW)) {
        p = put_result(plan, p, value);
        if (ct_unlikely(ct_attributes_pending))
            return CT_GO_AGAIN;
    } else {
        ct_secret(value);
        *p++ = action == CT_DROP ? CTJ_DROPPED : CTJ_REDACTED;
        (action == CT_DROP ? ct_value_counts.dropped : ct_value_counts.redacted)[CT_KIND_RETURN]++;
    }
    ct_commit(unit, p, tag);
    ct_session.returns++;
    ct_drop_frames(t, t->depth - 1);
    return CT_GO_ON;
}

/* The innermost frame ends: RETURN, YIELD or UNWIND. */
static inline enum ct_go put_end(ct_thread *t, uint8_t tag, PyObject *value)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    enum ct_go go = CT_GO_ON;
    if (ct_injected(tag == CTJ_RETURN ? "py_return" : tag == CTJ_YIELD ? "py_yield" : "py_unwind"))
        return ct_fail("ERR_TRACE_INCOMPLETE");
    if (ct_unlikely(!(frame->state & CT_STEPPED)))
        go = ct_put_step(t, ct_frame_line(frame->iframe));
    if (ct_likely(go == CT_GO_ON))
        go = put_end_once(t, tag, value);
    for (int round = 0; ct_unlikely(go == CT_GO_AGAIN); round++) {
        go = ct_give_up_unit(t, &t->frames[t->depth - 1], round);
        go = go == CT_GO_ON ? put_end_once(t, tag, value) : go;
        ct_round_ends(go);
    }
    return go;
}

/* Before a frame is pushed that the innermost one has not called: frames that do not run any more
 * are lost, and callers that nobody has seen are entered. */
static enum ct_go settle(ct_thread *t, ct_iframe *iframe)
{
    if (t->depth != 0)
        ct_drop_stale(t, iframe);
    if (!ct_session.is_unsettled)
        return CT_GO_ON;
    enum ct_go go = ct_enter_callers(t, iframe);
    return go == CT_GO_ON ? ct_boundary(t) : go;
}

static enum ct_go put_call_once(ct_thread *t, ct_iframe *iframe, ct_plan *plan)
{
    if (ct_injected("py_start"))
        return ct_fail("ERR_TRACE_INCOMPLETE");
    enum ct_go go = ct_boundary(t);
    if (ct_unlikely(go != CT_GO_ON))
        return go;
    if (ct_unlikely(t->depth == 0 || iframe->previous != t->frames[t->depth - 1].iframe)) {
        go = settle(t, iframe);
        if (go != CT_GO_ON)
            return go;
    }
    ct_plan_define(plan);
    ct_shadow *frame = ct_push(t, iframe, plan, plan->first_line);
    if (frame == NULL)
        return ct_fail("ERR_NO_MEMORY");
    frame->state = CT_STEPPED; /* the entry step */
    uint8_t *unit = ct_out.at, *p = ct_put_uv(unit + 1, plan->id);
    p = ct_state_arguments(t, frame, p);
    if (ct_unlikely(ct_attributes_pending))
        return CT_GO_AGAIN;
    ct_commit(unit, p, CTJ_CALL);
    ct_session.steps++;
    for (int i = 0; ct_unlikely(plan->arguments_differ) && i < plan->argument_count; i++)
        if (plan->argument_flags[i] != plan->slot_flags[i])
            ct_slot_make_stale(&t->slots[frame->slots + (uint32_t)i]);
    return CT_GO_ON;
}

static enum ct_go put_call(ct_thread *t, ct_iframe *iframe, ct_plan *plan)
{
    enum ct_go go = put_call_once(t, iframe, plan);
    for (int round = 0; ct_unlikely(go == CT_GO_AGAIN); round++) {
        go = ct_give_up_entry(t, round);
        go = go == CT_GO_ON ? put_call_once(t, iframe, plan) : go;
        ct_round_ends(go);
    }
    return go;
}

/* The unit of a frame that goes on. */
static enum ct_go put_entry_unit(ct_thread *t, ct_iframe *iframe, ct_plan *plan, uint8_t tag,
                                 PyObject *exception)
{
    ct_plan_define(plan);
    int32_t line = ct_frame_line(iframe);
    if (line <= 0)
        line = plan->first_line;
    if (ct_push(t, iframe, plan, line) == NULL)
        return ct_fail("ERR_NO_MEMORY");
    uint8_t *unit = ct_out.at, *p = ct_put_uv(unit + 1, plan->id);
    p = ct_put_uv(p, (uint64_t)line);
    if (exception != NULL) {
        ct_encoder e;
        ct_encoder_start(&e, plan->attributes);
        p = ct_put_exception(&e, p, exception, plan->throw_action, CT_KIND_ARGUMENT);
        if (ct_unlikely(ct_attributes_pending))
            return CT_GO_AGAIN;
    }
    ct_commit(unit, p, tag);
    return CT_GO_ON;
}

static enum ct_go put_entry_once(ct_thread *t, ct_iframe *iframe, ct_plan *plan, uint8_t tag,
                                 PyObject *exception)
{
    enum ct_go go = ct_boundary(t);
    if (go == CT_GO_ON && (t->depth == 0 || iframe->previous != t->frames[t->depth - 1].iframe))
        go = settle(t, iframe);
    return go == CT_GO_ON ? put_entry_unit(t, iframe, plan, tag, exception) : go;
}

/* A frame that goes on: ENTER, RESUME, or THROW with its exception. */
static enum ct_go put_entry(ct_thread *t, ct_iframe *iframe, ct_plan *plan, uint8_t tag,
                            PyObject *exception)
{
    if (ct_injected(tag == CTJ_THROW ? "py_throw" : "py_resume"))
        return ct_fail("ERR_TRACE_INCOMPLETE");
    enum ct_go go = put_entry_once(t, iframe, plan, tag, exception);
    for (int round = 0; ct_unlikely(go == CT_GO_AGAIN); round++) {
        go = ct_give_up_entry(t, round);
        go = go == CT_GO_ON ? put_entry_once(t, iframe, plan, tag, exception) : go;
        ct_round_ends(go);
    }
    return go;
}

enum ct_go ct_put_enter(ct_thread *t, ct_iframe *iframe, ct_plan *plan)
{
    enum ct_go go = ct_boundary(t);
    return go == CT_GO_ON ? put_entry_unit(t, iframe, plan, CTJ_ENTER, NULL) : go;
}

/* ---- events
 * --------------------------------------------------------------------------------------------------
 */

bool ct_set_local_events(PyObject *code, PyObject *events)
{
    if (ct_session.set_local_events == Py_None)
        return true;
    PyObject *args[] = {ct_session.tool_id, code, events};
    PyObject *done = PyObject_Vectorcall(ct_session.set_local_events, args, 3, NULL);
    Py_XDECREF(done);
    return done != NULL;
}

bool ct_plan_arm(ct_plan *plan)
{
    plan->armed = true;
    return ct_set_local_events((PyObject *)plan->code, ct_session.local_events);
}

/* Code that is recorded starts or goes on in a frame: the gate is asked, local events are set. */
static enum ct_scope get_ready(ct_plan *plan, ct_iframe *iframe)
{
    if (ct_gate_exists) {
        if (plan->activates)
            ct_gate_enter();
        else if (ct_gate_is_shut(ct_thread_of(ct_thread_state()), iframe))
            return CT_SCOPE_SHUT;
    }
    if (!plan->armed && !ct_plan_arm(plan)) {
        /* The tool id is not ours any more: somebody has freed it. */
        PyErr_Clear();
        return ct_fail("ERR_TOOL_ID_LOST") == CT_GO_RAISE ? CT_SCOPE_ERROR : CT_SCOPE_UNDECIDED;
    }
    bool is_coroutine = plan->flags & (CTJ_FN_COROUTINE | CTJ_FN_ASYNC_GENERATOR);
    plan->ready = !ct_gate_exists && !is_coroutine;
    return is_coroutine ? CT_SCOPE_TASK : CT_SCOPE_TRACE;
}

/* The decision about code that starts or goes on in a frame. */
static inline enum ct_scope scope_of(PyObject *code, ct_iframe *iframe, ct_plan **plan)
{
    enum ct_scope scope = ct_scope_of((PyCodeObject *)code, iframe->f_globals, plan);
    if (ct_unlikely(!ct_session.active))
        return scope == CT_SCOPE_ERROR ? scope : CT_SCOPE_UNDECIDED;
    if (scope == CT_SCOPE_TRACE && ct_unlikely(!(*plan)->ready))
        return get_ready(*plan, iframe);
    return scope;
}

enum ct_scope ct_scope_of_frame(PyCodeObject *code, ct_iframe *iframe, ct_plan **plan)
{
    return scope_of((PyObject *)code, iframe, plan);
}

/* What a callback returns for the start of code that is not recorded this time; PY_THROW cannot be
 * disabled. */
static PyObject *scope_result(enum ct_scope scope, bool can_disable)
{
    if (scope == CT_SCOPE_ERROR)
        return NULL;
    if (scope == CT_SCOPE_WATCH)
        ct_gate_enter();
    else if (scope == CT_SCOPE_SKIP && can_disable)
        return Py_NewRef(ct_session.disable);
    else if (scope == CT_SCOPE_SHUT && can_disable)
        return ct_gate_answer();
    return Py_None;
}

/* A coroutine or asynchronous generator starts: its task comes first. */
static PyObject *start_coroutine(PyThreadState *state, ct_iframe *iframe, ct_plan *plan)
{
    ct_thread *t = ct_thread_of(state);
    if (t == NULL || t->ignored)
        return Py_None;
    enum ct_go go = ct_state_task(t, iframe);
    return ct_go_result(go == CT_GO_ON ? put_call(t, iframe, plan) : go);
}

PyObject *ct_on_start(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    if (ct_unlikely(!ct_session.active)) {
        enum ct_go go = ct_wake(args[0], true);
        if (go != CT_GO_ON)
            return ct_go_result(go);
    }
    PyThreadState *state = ct_thread_state();
    ct_iframe *iframe = ct_current_frame(state);
    ct_plan *plan = NULL;
    enum ct_scope scope = scope_of(args[0], iframe, &plan);
    if (scope == CT_SCOPE_TRACE) {
        ct_thread *t = ct_thread_of(state);
        if (t == NULL || t->ignored)
            return Py_None;
        return ct_go_result(put_call(t, iframe, plan));
    }
    if (scope == CT_SCOPE_TASK)
        return start_coroutine(state, iframe, plan);
    return scope_result(scope, true);
}

static PyObject *on_entry(PyObject *code, uint8_t tag, PyObject *exception)
{
    if (!ct_session.active) {
        enum ct_go go = ct_wake(code, true);
        if (go != CT_GO_ON)
            return ct_go_result_always(go);
    }
    PyThreadState *state = ct_thread_state();
    ct_iframe *iframe = ct_current_frame(state);
    ct_plan *plan = NULL;
    enum ct_scope scope = scope_of(code, iframe, &plan);
    if (scope == CT_SCOPE_TRACE || scope == CT_SCOPE_TASK) {
        ct_thread *t = ct_thread_of(state);
        if (t == NULL || t->ignored)
            return Py_None;
        enum ct_go go = scope == CT_SCOPE_TASK ? ct_state_task(t, iframe) : CT_GO_ON;
        if (go == CT_GO_ON)
            go = put_entry(t, iframe, plan, tag, exception);
        if (go == CT_GO_ON && exception != NULL)
            ct_exception_enters(t, exception);
        return ct_go_result(go);
    }
    return scope_result(scope, tag == CTJ_RESUME);
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

/* An event of a frame that is not the innermost of the shadow stack: the frames above it have
 * ended, or it was running before anybody looked.  CT_GO_AWAY when the event is not for us. */
static enum ct_go resynchronise(ct_thread *t, ct_iframe *iframe, PyObject *code)
{
    if (t->ignored)
        return CT_GO_AWAY;
    int at = ct_find_frame(t, iframe);
    if (at >= 0) {
        bool is_same = t->frames[at].plan->code == (PyCodeObject *)code;
        enum ct_go go = ct_boundary(t);
        if (go != CT_GO_ON)
            return go;
        ct_lose_frames(t, is_same ? at + 1 : at);
        if (is_same)
            return CT_GO_ON;
    }
    ct_plan *plan = ct_plan_of(code);
    if (plan == NULL)
        return CT_GO_AWAY;
    if (ct_gate_exists && ct_gate_is_shut(t, iframe))
        return CT_GO_SHUT;
    ct_session.is_unsettled = true;
    return put_entry(t, iframe, plan, CTJ_ENTER, NULL);
}

/* The thread of an event, with the frame of the event on top of its stack; NULL and *go when there
 * is nothing to record. */
static inline ct_thread *thread_of_event(PyObject *code, enum ct_go *go)
{
    *go = CT_GO_AWAY;
    if (ct_unlikely(!ct_session.active)) {
        *go = ct_wake(code, false);
        if (*go != CT_GO_ON)
            return NULL;
    }
    PyThreadState *state = ct_thread_state();
    ct_thread *t = ct_thread_of(state);
    ct_iframe *iframe = ct_current_frame(state);
    if (ct_unlikely(t == NULL))
        return NULL;
    const ct_shadow *top = t->depth != 0 ? &t->frames[t->depth - 1] : NULL;
    /* A frame's address alone says little: frames that ended unseen leave theirs to others. */
    if (ct_unlikely(top == NULL || top->iframe != iframe ||
                    top->plan->code != (PyCodeObject *)code)) {
        *go = resynchronise(t, iframe, code);
        return *go == CT_GO_ON ? t : NULL;
    }
    return t;
}

/* Line numbers are small, but code.replace() takes any. */
static inline int32_t line_of(PyObject *number)
{
    int64_t line;
    if (ct_likely(ct_int_is_digit(number)))
        return (int32_t)ct_int_digit(number);
    return ct_int_fits(number, &line) && line <= INT32_MAX ? (int32_t)line : INT32_MAX;
}

ct_thread *ct_thread_of_event(PyObject *code, enum ct_go *go)
{
    return thread_of_event(code, go);
}

enum ct_go ct_line_event(PyObject *code, int32_t line)
{
    enum ct_go go;
    ct_thread *t = thread_of_event(code, &go);
    return ct_likely(t != NULL) ? put_step(t, line) : go;
}

PyObject *ct_on_line(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    enum ct_go go;
    ct_thread *t = thread_of_event(args[0], &go);
    if (ct_likely(t != NULL))
        go = put_step(t, line_of(args[1]));
    return ct_go_result(go);
}

static inline PyObject *on_end(PyObject *code, uint8_t tag, PyObject *value)
{
    enum ct_go go;
    ct_thread *t = thread_of_event(code, &go);
    if (ct_likely(t != NULL))
        go = put_end(t, tag, value);
    return ct_go_result(go);
}

PyObject *ct_on_return(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    if (ct_unlikely(args[0] == ct_logging_code) && ct_session.active) {
        enum ct_go go = ct_logging_handled();
        if (go == CT_GO_RAISE)
            return NULL;
    }
    return on_end(args[0], CTJ_RETURN, args[2]);
}

PyObject *ct_on_yield(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    return on_end(args[0], CTJ_YIELD, ct_yielded((PyCodeObject *)args[0], args[2]));
}

/* An exception ends a frame of recorded code. */
__attribute__((noinline)) static PyObject *on_unwind(PyObject *code, PyObject *exception)
{
    enum ct_go go;
    ct_thread *t = thread_of_event(code, &go);
    if (t != NULL)
        go = ct_exception_ends(t, exception);
    if (t != NULL && go == CT_GO_ON)
        go = put_end(t, CTJ_UNWIND, exception);
    if (t != NULL && go == CT_GO_ON)
        ct_exception_left(t, exception);
    return ct_go_result_always(go);
}

/* PY_UNWIND cannot be disabled, so most of these are of frames that are not recorded. */
PyObject *ct_on_unwind(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    if (!ct_session.active || ct_plan_of(args[0]) == NULL)
        return Py_None;
    return on_unwind(args[0], args[2]);
}
