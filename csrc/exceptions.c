/* RAISE and CATCH.
 *
 * The interpreter tells when an exception reaches a handler (EXCEPTION_HANDLED) and when it ends a
 * frame (PY_UNWIND).  That is enough: each raising adds an entry of the frame to the exception's
 * traceback, and going on behind a `finally` or a clause that does not match adds none.  So nothing
 * has to be done where an exception is raised, which may be in code that is not recorded.
 *
 * Whether an `except` catches is told by the step with which its body begins, where that is on a
 * line of its own, and by the branch behind its test otherwise, as whether a `with` does.  Branches
 * are watched from the first exception on that a function with such a handler handles, and all but
 * those of its handlers are switched off when they are first met. */
#include "exceptions.h"

#include "boundary.h"
#include "ct.h"
#include "frame.h"
#include "handlers.h"
#include "inject.h"
#include "stack.h"
#include "tracer.h"

/* The last exception that a frame has handled, by the frame's address.  Everything is only
 * compared. */
struct seen {
    const ct_iframe *iframe;
    const PyCodeObject *code;
    const PyObject *exception;
    const PyTracebackObject *traceback;
    int lasti;
    int handler; /* the first that it reached */
    bool made;   /* not raised but made of one that was, as the rest that `except*` leaves */
    bool caught;
};

#define SEEN_FRAMES 512 /* a power of two; frames that share a place forget each other's */

static struct seen seen_frames[SEEN_FRAMES];

static struct seen *seen_in(const ct_iframe *iframe)
{
    uintptr_t address = (uintptr_t)iframe;
    return &seen_frames[(address >> 4 ^ address >> 13) % SEEN_FRAMES];
}

void ct_exceptions_clear(void)
{
    memset(seen_frames, 0, sizeof seen_frames);
}

#if !CT_HAS_MONITORING
struct ct_in_flight ct_in_flight;
#endif

static PyTracebackObject *traceback_of(PyObject *exception)
{
#if !CT_HAS_MONITORING
    if (exception == ct_in_flight.exception)
        return ct_in_flight.traceback;
#endif
    PyObject *traceback = ((PyBaseExceptionObject *)exception)->traceback;
    return traceback != NULL && PyTraceBack_Check(traceback) ? (PyTracebackObject *)traceback
                                                             : NULL;
}

/* Where the traceback says that the frame has raised, -1 where it does not begin in the frame: what
 * the interpreter makes itself, as for `except*`, may have no traceback, the program may give it
 * another one, and what a trace function raises has the entries of that function only. */
static int lasti_in(const ct_shadow *frame, const PyTracebackObject *traceback)
{
    return traceback != NULL && traceback->tb_frame->f_frame == frame->iframe ? traceback->tb_lasti
                                                                              : -1;
}

/* Whether what is raised at `lasti` goes to `handler`.  What comes from a callee or is thrown in is
 * looked up one unit before it (CPython 3.13). */
static bool leads_to(PyCodeObject *code, int lasti, int handler)
{
    return ct_handler_of(code, lasti) == handler ||
           ct_handler_of(code, lasti - (int)sizeof(_Py_CODEUNIT)) == handler;
}

/* Whether the exception is the one that the frame has handled before, on its way to `handler`.
 * Another exception may have got the address of an earlier one together with its traceback's, but
 * it reaches first what everything reaches first that is raised there. */
static bool goes_on(const struct seen *seen, const ct_shadow *frame, PyObject *exception,
                    int handler)
{
    const PyTracebackObject *traceback = traceback_of(exception);
    if (seen->exception != exception || seen->iframe != frame->iframe ||
        seen->code != frame->plan->code || seen->traceback != traceback ||
        seen->lasti != lasti_in(frame, traceback))
        return false;
    return seen->made ? !leads_to(frame->plan->code, seen->lasti, handler)
                      : handler != seen->handler;
}

/* Whether the exception has come from a frame that recorded it already: the entry of that frame's
 * traceback stands behind those of the frames between.  An exception that was made at the addresses
 * of one that C code has dropped has entries of other code there, or begins in this very frame. */
static bool arrives(const ct_thread *t, const ct_shadow *frame, PyObject *exception)
{
    if (!(frame->state & CT_ARRIVING) || t->flying != exception)
        return false;
    const PyTracebackObject *first = traceback_of(exception), *entry = first;
    while (entry != NULL && (const void *)entry != t->flying_traceback)
        entry = entry->tb_next;
    if (entry == NULL || t->flying_code == NULL)
        return (const void *)entry == t->flying_traceback;
    return ct_frame_code(entry->tb_frame->f_frame) == t->flying_code &&
           (entry != first || entry->tb_frame->f_frame != frame->iframe);
}

/* StopIteration that leaves a `__next__` says that there are no more items. */
static bool ends_iteration(const ct_plan *plan, PyObject *exception)
{
    return plan->ends_with != NULL && PyErr_GivenExceptionMatches(exception, plan->ends_with);
}

static enum ct_go put_exception_once(ct_thread *t, uint8_t tag, PyObject *exception)
{
    enum ct_go go = ct_boundary(t);
    if (go != CT_GO_ON)
        return go;
    ct_plan *plan = t->frames[t->depth - 1].plan;
    ct_plan_define(plan);
    uint8_t *unit = ct_out.at;
    ct_encoder e;
    ct_encoder_start(&e, plan->attributes);
    uint8_t *end = ct_put_exception(&e, unit + 1, exception, plan->unwind_action, CT_KIND_RETURN);
    if (ct_attributes_pending)
        return CT_GO_AGAIN;
    ct_commit(unit, end, tag);
    return CT_GO_ON;
}

static enum ct_go put_exception(ct_thread *t, uint8_t tag, PyObject *exception)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    enum ct_go go = CT_GO_ON;
    if (!(frame->state & CT_STEPPED))
        go = ct_put_step(t, frame->line);
    if (go == CT_GO_ON)
        go = put_exception_once(t, tag, exception);
    for (int round = 0; go == CT_GO_AGAIN; round++) {
        go = ct_give_up_unit(t, &t->frames[t->depth - 1], round);
        go = go == CT_GO_ON ? put_exception_once(t, tag, exception) : go;
        ct_round_ends(go);
    }
    return go;
}

/* ---- raising
 * ------------------------------------------------------------------------------------------------
 */

/* An exception is in the innermost frame, on its way to `handler` or out of it: write RAISE unless
 * it only goes on. */
static enum ct_go meet(ct_thread *t, PyObject *exception, int handler)
{
    const ct_shadow *frame = &t->frames[t->depth - 1];
    struct seen *seen = seen_in(frame->iframe);
    if (goes_on(seen, frame, exception, handler)) {
        if (!seen->caught)
            return CT_GO_ON;
        seen->caught = false; /* a `raise` of what was caught */
        return put_exception(t, CTJ_RAISE, exception);
    }
    const PyTracebackObject *traceback = traceback_of(exception);
    int lasti = lasti_in(frame, traceback);
    *seen = (struct seen){0};
    if (handler != CT_NO_HANDLER)
        *seen = (struct seen){
            .iframe = frame->iframe,
            .code = frame->plan->code,
            .exception = exception,
            .traceback = traceback,
            .lasti = lasti,
            .handler = handler,
            .made = lasti >= 0 && !leads_to(frame->plan->code, lasti, handler),
        };
    if (arrives(t, frame, exception) || ends_iteration(frame->plan, exception))
        return CT_GO_ON;
    return put_exception(t, CTJ_RAISE, exception);
}

enum ct_go ct_exception_ends(ct_thread *t, PyObject *exception)
{
    return meet(t, exception, CT_NO_HANDLER);
}

/* What the innermost frame sees next of the exception is no news. */
static void expect(ct_thread *t, PyObject *exception, bool left)
{
    const PyTracebackObject *traceback = traceback_of(exception);
    t->flying = exception;
    t->flying_traceback = traceback;
    t->flying_code = left && traceback != NULL ? ct_frame_code(traceback->tb_frame->f_frame) : NULL;
    t->frames[t->depth - 1].state |= CT_ARRIVING;
}

void ct_exception_left(ct_thread *t, PyObject *exception)
{
    if (t->depth != 0)
        expect(t, exception, true);
}

void ct_exception_enters(ct_thread *t, PyObject *exception)
{
    /* What a delegating generator gets is what has just left the inner one; GeneratorExit is how a
     * generator is closed. */
    bool left = t->flying == exception && t->flying_traceback == traceback_of(exception);
    if (left || PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit))
        expect(t, exception, false);
}

/* ---- catching
 * -----------------------------------------------------------------------------------------------
 */

/* A handler of the innermost frame catches the exception: write CATCH now, or at the step with
 * which its body begins. */
static enum ct_go catch_at(ct_thread *t, const ct_handler *body, PyObject *exception)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    struct seen *seen = seen_in(frame->iframe);
    if (seen->iframe == frame->iframe)
        seen->caught = true;
    if (body->line == 0)
        return put_exception(t, CTJ_CATCH, exception);
    frame->state |= CT_CATCHING;
    frame->body = body->line;
    return CT_GO_ON;
}

/* True when this step tells that the exception has been caught which reached a handler of the
 * innermost frame last. */
static bool is_in_body(const ct_shadow *frame, int32_t line, const PyObject *handled)
{
    if (frame->body != 0)
        return frame->body == line;
    struct seen *seen = seen_in(frame->iframe);
    if (!ct_handlers_have_body_on(frame->plan->handlers, line))
        return false;
    if (seen->iframe != frame->iframe)
        return true;
    if (seen->exception != handled || seen->caught)
        return false; /* the one that reached the handler is gone */
    seen->caught = true;
    return true;
}

enum ct_go ct_exception_step(ct_thread *t, int32_t line)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    PyObject *exception = PyErr_GetHandledException();
    enum ct_go go = CT_GO_ON;
    if (exception == NULL)
        return go;
    if (is_in_body(frame, line, exception))
        go = put_exception(t, CTJ_CATCH, exception);
    else
        frame->state |= CT_CATCHING;
    Py_DECREF(exception);
    return go;
}

/* Let the branches of a function's handlers tell where they go. */
static void watch_branches(ct_plan *plan)
{
    plan->watched = true;
    if (!ct_set_local_events((PyObject *)plan->code, ct_session.handler_events))
        PyErr_Clear(); /* the tool id is not ours any more; the next start of a function tells */
}

/* An exception has reached a handler: of an `except`, a `finally`, a `with`, a loop, or one that
 * the compiler adds. */
static enum ct_go handle(ct_thread *t, int handler, PyObject *exception)
{
    ct_shadow *frame = &t->frames[t->depth - 1];
    ct_plan *plan = frame->plan;
    frame->state &= (uint8_t)~CT_CATCHING;
    if (plan->handlers == NULL)
        plan->handlers = ct_handlers_of(plan->code);
    if (plan->handlers == NULL)
        return CT_GO_ON;
    const ct_handler *at = ct_handler_at(plan->handlers, handler);
    if (at != NULL && at->mark == CT_LOOP_END &&
        (PyErr_GivenExceptionMatches(exception, PyExc_StopIteration) ||
         PyErr_GivenExceptionMatches(exception, PyExc_StopAsyncIteration)))
        return CT_GO_ON;
    uint64_t session = ct_session.number;
    enum ct_go go = meet(t, exception, handler);
    if (go != CT_GO_ON)
        return go;
    at = ct_handler_at(plan->handlers, handler + (int)sizeof(_Py_CODEUNIT));
    if (at != NULL && at->mark == CT_BODY)
        return catch_at(t, at, exception);
    if (plan->handlers->decides && !plan->watched)
        watch_branches(plan);
    if (plan->handlers->told_by_line) {
        frame->state |= CT_CATCHING;
        frame->body = 0;
    }
    return ct_session.active && ct_session.number == session ? CT_GO_ON : CT_GO_AWAY;
}

/* An exception has reached a handler of recorded code. */
__attribute__((noinline)) static PyObject *on_handled(PyObject *code, int offset,
                                                      PyObject *exception)
{
    enum ct_go go;
    ct_thread *t = ct_thread_of_event(code, &go);
    if (t != NULL && ct_injected("exception_handled"))
        go = ct_fail("ERR_TRACE_INCOMPLETE");
    else if (t != NULL)
        go = handle(t, offset, exception);
    return ct_go_result_always(go);
}

static inline bool is_recorded(PyObject *code)
{
    return ct_session.active && ct_plan_of(code) != NULL;
}

PyObject *ct_handled_event(PyObject *code, int offset, PyObject *exception)
{
    return is_recorded(code) ? on_handled(code, offset, exception) : Py_None;
}

/* EXCEPTION_HANDLED cannot be disabled either, so skipped code is turned away first of all. */
PyObject *ct_on_handled(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    return is_recorded(args[0]) ? on_handled(args[0], (int)PyLong_AsLong(args[1]), args[2])
                                : Py_None;
}

PyObject *ct_branch_event(PyObject *code, int from, int to)
{
    ct_plan *plan = ct_session.active ? ct_plan_of(code) : NULL;
    if (plan == NULL || plan->handlers == NULL)
        return Py_None;
    const ct_handler *at = ct_handler_at(plan->handlers, from);
    if (at == NULL || at->mark != CT_DECIDES)
        return Py_NewRef(ct_session.disable);
    at = ct_handler_at(plan->handlers, to);
    if (at == NULL || at->mark != CT_BODY)
        return Py_None;
    enum ct_go go;
    ct_thread *t = ct_thread_of_event(code, &go);
    if (t != NULL && ct_injected("branch")) {
        go = ct_fail("ERR_TRACE_INCOMPLETE");
    } else if (t != NULL) {
        PyObject *exception = PyErr_GetHandledException();
        go = exception != NULL ? catch_at(t, at, exception) : CT_GO_ON;
        Py_XDECREF(exception);
    }
    return ct_go_result(go);
}

PyObject *ct_on_branch(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    (void)n;
    return ct_branch_event(args[0], (int)PyLong_AsLong(args[1]), (int)PyLong_AsLong(args[2]));
}
