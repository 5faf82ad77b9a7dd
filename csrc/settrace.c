/* What the events of `sys.settrace` mean as events of sys.monitoring.
 *
 * - call: PY_START or PY_RESUME, told by the instruction; at any other an exception is thrown in,
 *   which the next event shows: PY_THROW;
 * - return: PY_RETURN or PY_YIELD, told by the instruction; without a value PY_UNWIND;
 * - exception: RAISE, unless it is how an iterator says that there are no more items;
 * - opcode: switched on for a frame from an exception that one of its handlers gets until that is
 *   dealt with, for EXCEPTION_HANDLED, BRANCH and the exceptions that are raised again, of which
 *   there is no other event. */
#include "settrace.h"

#include "ct.h"

#include <opcode.h>

#include "exceptions.h"
#include "logging.h"
#include "stack.h"
#include "tracer.h"

static struct {
    PyObject *handlers; /* a list by row, NULL for the native tracer; borrowed */
    PyObject *disable;  /* borrowed */
} sink;

/* A frame in which an exception is thrown, on its way, or handled.  The newest is the first. */
struct trouble {
    struct trouble *next;
    const ct_iframe *iframe;
    PyObject *leaving; /* what ends the frame, borrowed from the interpreter, which holds it */
    PyTracebackObject *leaving_traceback; /* the same, NULL: it is in the exception */
    bool thrown;                          /* the next exception is thrown in */
    bool watched;                         /* we have switched its opcodes on */
    bool shared;                          /* and the program wants them as well */
    int depth;                            /* of handlers that are entered */
    int handler;                          /* offset of the one that comes next */
    int branch;                           /* offset of a branch that was just met, or -1 */
};
static struct trouble *troubles;

static struct trouble *trouble_in(const ct_iframe *f)
{
    struct trouble *t = troubles;
    while (t != NULL && t->iframe != f)
        t = t->next;
    return t;
}

/* NULL without memory: the exception is then one that nobody has seen coming. */
static struct trouble *make_trouble(const ct_iframe *f)
{
    struct trouble *t = trouble_in(f);
    if (t == NULL && (t = calloc(1, sizeof *t)) != NULL) {
        *t =
            (struct trouble){.next = troubles, .iframe = f, .handler = CT_NO_HANDLER, .branch = -1};
        troubles = t;
    }
    return t;
}

static void end_trouble(PyFrameObject *frame)
{
    struct trouble **link = &troubles;
    while (*link != NULL && (*link)->iframe != frame->f_frame)
        link = &(*link)->next;
    struct trouble *t = *link;
    if (t == NULL)
        return;
    if (t->watched)
        frame->f_trace_opcodes = t->shared;
    *link = t->next;
    free(t);
}

void ct_settrace_forget(void)
{
    while (troubles != NULL) {
        struct trouble *t = troubles;
        troubles = t->next;
        free(t);
    }
}

/* Let the opcodes of a frame come. */
static void watch(struct trouble *t, PyFrameObject *frame)
{
    if (t->watched)
        return;
    t->shared = frame->f_trace_opcodes;
    t->watched = true;
    frame->f_trace_opcodes = 1;
}

static inline int opcode_of(const ct_iframe *f)
{
    return _Py_OPCODE(*f->prev_instr);
}

static PyObject *top_of_stack(const ct_iframe *f)
{
    return f->stacktop > f->f_code->co_nlocalsplus ? f->localsplus[f->stacktop - 1] : NULL;
}

/* Whether anybody wants to know of exceptions in code. */
static inline bool is_wanted(PyCodeObject *code)
{
    return sink.handlers != NULL || ct_plan_of((PyObject *)code) != NULL;
}

/* ---- handing events on
 * --------------------------------------------------------------------------------------------- */

static int settle(PyFrameObject *frame, PyObject *answer)
{
    if (answer == NULL)
        return -1;
    if (answer == Py_None)
        return 0;
    if (answer == sink.disable && !ct_settrace_is_shared())
        frame->f_trace_lines = 0;
    Py_DECREF(answer);
    return 0;
}

/* To a tracer in Python; `number` and `other` are a line or offsets, `value` may be NULL. */
static int tell_python(PyFrameObject *frame, int row, int number, PyObject *value)
{
    PyObject *handler = PyList_GET_ITEM(sink.handlers, row);
    if (handler == Py_None)
        return 0;
    PyObject *code = (PyObject *)frame->f_frame->f_code;
    PyObject *answer = value != NULL ? PyObject_CallFunction(handler, "OiO", code, number, value)
                                     : PyObject_CallFunction(handler, "Oi", code, number);
    /* None of native functions is borrowed; DISABLE counts where a frame starts or goes on. */
    if (answer == Py_None ||
        (answer == sink.disable && row != CT_ROW_START && row != CT_ROW_RESUME)) {
        Py_DECREF(answer);
        return 0;
    }
    return settle(frame, answer);
}

/* An event with a value or without. */
static int tell(PyFrameObject *frame, int row, PyObject *value)
{
    const ct_iframe *f = frame->f_frame;
    if (ct_unlikely(sink.handlers != NULL))
        return tell_python(frame, row, ct_frame_offset(f), value);
    PyObject *args[] = {(PyObject *)f->f_code, NULL, value};
    return settle(frame, CT_CALLBACK_SPECS[row].native(NULL, args, value != NULL ? 3 : 2));
}

/* The same about an exception whose traceback is not in it yet. */
static int tell_exception(PyFrameObject *frame, int row, PyObject *exception,
                          PyTracebackObject *traceback)
{
    struct ct_in_flight before = ct_in_flight;
    if (traceback != NULL)
        ct_in_flight = (struct ct_in_flight){exception, traceback};
    int status = 0;
    if (sink.handlers != NULL || CT_CALLBACK_SPECS[row].native != NULL)
        status = tell(frame, row, exception);
    ct_in_flight = before;
    return status;
}

static int tell_handled(PyFrameObject *frame, int offset, PyObject *exception)
{
    if (sink.handlers != NULL)
        return tell_python(frame, CT_ROW_HANDLED, offset, exception);
    return settle(frame, ct_handled_event((PyObject *)frame->f_frame->f_code, offset, exception));
}

static int tell_branch(PyFrameObject *frame, int from, int to)
{
    if (sink.handlers == NULL) {
        PyObject *answer = ct_branch_event((PyObject *)frame->f_frame->f_code, from, to);
        if (answer == sink.disable) /* there is no way to stop one branch */
            Py_DECREF(answer);
        return answer != NULL ? 0 : -1;
    }
    PyObject *destination = PyLong_FromLong(to);
    int status = destination != NULL ? tell_python(frame, CT_ROW_BRANCH, from, destination) : -1;
    Py_XDECREF(destination);
    return status;
}

/* ---- exceptions
 * --------------------------------------------------------------------------------------------- */

/* An exception is about to be looked up in the frame's table of handlers. */
static void expect(PyFrameObject *frame, PyObject *exception, PyTracebackObject *traceback)
{
    const ct_iframe *f = frame->f_frame;
    struct trouble *t = make_trouble(f);
    if (t == NULL)
        return;
    t->leaving = exception;
    t->leaving_traceback = traceback;
    t->handler = ct_handler_of(f->f_code, ct_frame_offset(f));
    if (t->handler != CT_NO_HANDLER)
        watch(t, frame);
}

static int on_exception(PyFrameObject *frame, PyObject *error)
{
    const ct_iframe *f = frame->f_frame;
    int opcode = opcode_of(f), status = 0;
    PyObject *exception = PyTuple_GET_ITEM(error, 1), *last = PyTuple_GET_ITEM(error, 2);
    PyTracebackObject *traceback = PyTraceBack_Check(last) ? (PyTracebackObject *)last : NULL;
    if ((opcode == FOR_ITER || opcode == SEND) &&
        PyErr_GivenExceptionMatches(exception, PyExc_StopIteration))
        return 0;
    struct trouble *t = troubles != NULL ? trouble_in(f) : NULL;
    if (t != NULL && t->thrown) {
        t->thrown = false;
        status = tell_exception(frame, CT_ROW_THROW, exception,
                                traceback != NULL ? traceback->tb_next : NULL);
    }
    if (status == 0 && is_wanted(f->f_code)) {
        expect(frame, exception, traceback);
        status = tell_exception(frame, CT_ROW_RAISE, exception, traceback);
    }
    return status;
}

/* A `raise` without an exception: the one that is handled goes on its way again. */
static void raise_again(PyFrameObject *frame)
{
    PyObject *exception = PyErr_GetHandledException();
    if (exception == NULL)
        return;
    expect(frame, exception, NULL);
    Py_DECREF(exception);
}

/* What the next instruction does to the exceptions that a frame handles. */
static void follow(struct trouble *t, PyFrameObject *frame, const _Py_CODEUNIT *instruction)
{
    PyObject *top = top_of_stack(frame->f_frame);
    switch (_Py_OPCODE(*instruction)) {
    case PUSH_EXC_INFO:
        t->depth++;
        break;
    case POP_EXCEPT:
        t->depth -= t->depth > 0;
        if (t->depth == 0 && _Py_OPCODE(instruction[1]) != RERAISE)
            end_trouble(frame);
        break;
    case END_ASYNC_FOR:
        if (!PyErr_GivenExceptionMatches(top, PyExc_StopAsyncIteration))
            expect(frame, top, NULL);
        else if (t->depth == 0)
            end_trouble(frame);
        break;
    case RERAISE:
        expect(frame, top, NULL);
        break;
    case RAISE_VARARGS:
        if (_Py_OPARG(*instruction) == 0)
            raise_again(frame);
        break;
    default:
        break;
    }
}

static bool is_branch(int opcode)
{
    return opcode == POP_JUMP_FORWARD_IF_FALSE || opcode == POP_JUMP_FORWARD_IF_TRUE ||
           opcode == POP_JUMP_FORWARD_IF_NONE || opcode == POP_JUMP_FORWARD_IF_NOT_NONE;
}

/* The frame has come to an instruction: by a branch, or because a handler begins there.  The line
 * that begins with it is told later than that. */
static int arrive(struct trouble *t, PyFrameObject *frame)
{
    const ct_iframe *f = frame->f_frame;
    int offset = ct_frame_offset(f), from = t->branch;
    t->branch = -1;
    if (from >= 0)
        return tell_branch(frame, from, offset);
    if (offset != t->handler)
        return 0;
    t->handler = CT_NO_HANDLER;
    t->leaving = NULL;
    return tell_handled(frame, offset, top_of_stack(f));
}

static int on_opcode(PyFrameObject *frame)
{
    const ct_iframe *f = frame->f_frame;
    struct trouble *t = trouble_in(f);
    int status = t != NULL ? arrive(t, frame) : 0;
    t = trouble_in(f); /* a recorder that has failed is gone */
    if (status < 0 || t == NULL)
        return status;
    const _Py_CODEUNIT *instruction = f->prev_instr;
    while (_Py_OPCODE(*instruction) == EXTENDED_ARG)
        instruction++;
    int offset = ct_frame_offset(f);
    if (is_branch(_Py_OPCODE(*instruction)))
        t->branch = offset + (int)((instruction - f->prev_instr) * sizeof *instruction);
    follow(t, frame, instruction);
    return 0;
}

/* An exception ends the frame.  One that nobody has seen coming was handled in it before we
 * looked. */
static int on_unwind(PyFrameObject *frame)
{
    const struct trouble *t = troubles != NULL ? trouble_in(frame->f_frame) : NULL;
    if (t != NULL && t->leaving != NULL)
        return tell_exception(frame, CT_ROW_UNWIND, t->leaving, t->leaving_traceback);
    PyObject *exception = PyErr_GetHandledException();
    if (exception == NULL)
        return 0;
    int status = tell_exception(frame, CT_ROW_UNWIND, exception, NULL);
    Py_DECREF(exception);
    return status;
}

/* ---- frames
 * --------------------------------------------------------------------------------------------- */

static int on_call(PyFrameObject *frame)
{
    const ct_iframe *f = frame->f_frame;
    int opcode = opcode_of(f);
    if (opcode != RESUME && opcode != RESUME_QUICK) {
        struct trouble *t = make_trouble(f);
        if (t != NULL)
            t->thrown = true;
        return 0;
    }
    if (ct_unlikely(troubles != NULL))
        end_trouble(frame); /* of an earlier frame in this place */
    if (_Py_OPARG(*f->prev_instr) == 0)
        return tell(frame, CT_ROW_START, NULL);
    int status = tell(frame, CT_ROW_RESUME, NULL);
    const PyObject *handled = ct_thread_state()->exc_info->exc_value;
    if (status == 0 && handled != NULL && handled != Py_None && is_wanted(f->f_code)) {
        struct trouble *t = make_trouble(f);
        if (t != NULL) {
            t->depth = 1;
            watch(t, frame);
        }
    }
    return status;
}

static int on_line(PyFrameObject *frame)
{
    PyCodeObject *code = frame->f_frame->f_code;
    struct trouble *t = ct_unlikely(troubles != NULL) ? trouble_in(frame->f_frame) : NULL;
    if (t != NULL && arrive(t, frame) < 0)
        return -1;
    if (ct_unlikely(frame->f_lineno < 0)) /* code without a table of lines */
        return 0;
    if (ct_unlikely(sink.handlers != NULL))
        return tell_python(frame, CT_ROW_LINE, frame->f_lineno, NULL);
    enum ct_go go = ct_line_event((PyObject *)code, frame->f_lineno);
    if (ct_likely(go == CT_GO_ON))
        return 0;
    if (go == CT_GO_AWAY && ct_session.active && ct_scope_skips(code))
        return settle(frame, Py_NewRef(sink.disable));
    return settle(frame, ct_go_result(go));
}

static int on_return(PyFrameObject *frame, PyObject *value)
{
    const ct_iframe *f = frame->f_frame;
    int status = 0, row = opcode_of(f) == YIELD_VALUE ? CT_ROW_YIELD : CT_ROW_RETURN;
    if (is_wanted(f->f_code) || (PyObject *)f->f_code == ct_logging_code)
        status = value != NULL ? tell(frame, row, value) : on_unwind(frame);
    if (row == CT_ROW_YIELD && !frame->f_trace_lines && !ct_settrace_is_shared())
        frame->f_trace_lines = 1; /* others may look at it when it goes on */
    if (ct_unlikely(troubles != NULL))
        end_trouble(frame);
    return status;
}

static int record(PyFrameObject *frame, int what, PyObject *value)
{
    if (ct_unlikely(!ct_settrace_is_on))
        return 0;
    switch (what) {
    case PyTrace_LINE:
        return on_line(frame);
    case PyTrace_CALL:
        return on_call(frame);
    case PyTrace_RETURN:
        return on_return(frame, value);
    case PyTrace_EXCEPTION:
        return on_exception(frame, value);
    case PyTrace_OPCODE:
        return on_opcode(frame);
    default:
        return 0;
    }
}

/* Hand an event on to the program, whose frame says meanwhile what the program wants of it. */
static int forward(PyObject *object, PyFrameObject *frame, int what, PyObject *value)
{
    struct trouble *t = troubles != NULL ? trouble_in(frame->f_frame) : NULL;
    if (t == NULL || !t->watched)
        return ct_settrace_forward(object, frame, what, value);
    frame->f_trace_opcodes = t->shared;
    int status = ct_settrace_forward(object, frame, what, value);
    t = trouble_in(frame->f_frame);
    if (t != NULL && t->watched) {
        t->shared = frame->f_trace_opcodes;
        frame->f_trace_opcodes = 1;
    }
    return status;
}

int ct_settrace_event(PyObject *object, PyFrameObject *frame, int what, PyObject *value)
{
    if (ct_likely(!ct_settrace_has_others))
        return record(frame, what, value);
    const struct trouble *t = what == PyTrace_OPCODE ? trouble_in(frame->f_frame) : NULL;
    bool is_ours = t != NULL && t->watched && !t->shared;
    int status = record(frame, what, value);
    return status == 0 && !is_ours ? forward(object, frame, what, value) : status;
}

void ct_settrace_start(uintptr_t handlers, uintptr_t disable)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    sink.handlers = (PyObject *)handlers;
    sink.disable = (PyObject *)disable;
    ct_settrace_hook();
    PyGILState_Release(gil);
}
