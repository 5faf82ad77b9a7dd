/* Which threads are traced, and living beside others who trace.
 *
 * A thread has room for one function.  Ours takes the place of the one that is there, which is kept
 * and called with each event: `sys.gettrace()` answers what it would answer alone, because the
 * object of that function stays.  `sys.settrace` is hooked to keep it so.  A thread that Python
 * starts is traced before it has run anything: its state is made by the thread that starts it. */
#include "settrace.h"

#include "ct.h"

#include "methods.h"
#include "scope_cache.h"

/* Somebody else's function in a thread. */
struct shared {
    struct shared *next;
    PyThreadState *state; /* only compared, together with its id: addresses are reused */
    uint64_t state_id;
    Py_tracefunc function;
};

static struct shared *shared_threads;
bool ct_settrace_is_on;
bool ct_settrace_has_others;
static ct_method set_hook, start_hooks[2];

static struct shared *shared_of(const PyThreadState *state)
{
    struct shared *s = shared_threads;
    while (s != NULL && (s->state != state || s->state_id != state->id))
        s = s->next;
    return s;
}

bool ct_settrace_is_shared(void)
{
    return ct_settrace_has_others && shared_of(ct_thread_state()) != NULL;
}

static void set_function(PyThreadState *state, Py_tracefunc function)
{
    state->c_tracefunc = function;
    if (state->tracing == 0) /* otherwise it is done when the function that runs returns */
        state->cframe->use_tracing = function != NULL || state->c_profilefunc != NULL ? 255 : 0;
}

/* Let the lines of frames come whose code we had skipped. */
static void show_lines(PyThreadState *state)
{
    for (ct_iframe *f = ct_current_frame(state); f != NULL; f = f->previous)
        if (f->frame_obj != NULL && ct_plan_of((PyObject *)f->f_code) == NULL)
            f->frame_obj->f_trace_lines = 1;
}

/* Without memory the other function gets no events. */
static void share(PyThreadState *state, Py_tracefunc function)
{
    struct shared *s = shared_of(state);
    if (s == NULL && (s = calloc(1, sizeof *s)) != NULL) {
        *s = (struct shared){.next = shared_threads, .state = state, .state_id = state->id};
        shared_threads = s;
        ct_settrace_has_others = true;
    }
    if (s != NULL)
        s->function = function;
    show_lines(state);
}

static void end_sharing(const PyThreadState *state)
{
    struct shared **link = &shared_threads;
    while (*link != NULL) {
        struct shared *s = *link;
        if (s->state != state) {
            link = &s->next;
            continue;
        }
        *link = s->next;
        free(s);
    }
    ct_settrace_has_others = shared_threads != NULL;
}

/* Trace a thread of the main interpreter, whoever else does. */
static void trace_thread(PyThreadState *state)
{
    Py_tracefunc function = state->c_tracefunc;
    if (!ct_settrace_is_on || function == ct_settrace_event ||
        state->interp != PyInterpreterState_Main())
        return;
    if (function != NULL)
        share(state, function);
    else
        end_sharing(state);
    set_function(state, ct_settrace_event);
}

static void trace_all_threads(void)
{
    PyThreadState *s = ct_first_thread(ct_thread_state()->interp);
    for (; s != NULL; s = ct_next_thread(s))
        trace_thread(s);
}

int ct_settrace_forward(PyObject *object, PyFrameObject *frame, int what, PyObject *value)
{
    PyThreadState *state = ct_thread_state();
    const struct shared *s = shared_of(state);
    if (s == NULL)
        return 0;
    int status = s->function(object, frame, what, value);
    trace_thread(state); /* a function that fails is taken out by the interpreter */
    return status;
}

static PyObject *set_trace(PyObject *self, PyObject *function)
{
    PyObject *done = set_hook.original(self, function);
    trace_thread(ct_thread_state());
    return done;
}

static PyObject *start_thread(PyObject *self, PyObject *arguments)
{
    PyObject *ident = start_hooks[0].original(self, arguments);
    if (ct_settrace_is_on)
        trace_all_threads();
    return ident;
}

void ct_settrace_hook(void)
{
    ct_settrace_is_on = true;
    ct_function_hook(&set_hook, "sys", "settrace", METH_O, set_trace);
    ct_function_hook(&start_hooks[0], "_thread", "start_new_thread", METH_VARARGS, start_thread);
    ct_function_hook(&start_hooks[1], "_thread", "start_new", METH_VARARGS, start_thread);
    trace_all_threads();
}

void ct_settrace_stop(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    ct_settrace_is_on = false;
    ct_method_unhook(&set_hook);
    ct_method_unhook(&start_hooks[0]);
    ct_method_unhook(&start_hooks[1]);
    PyThreadState *s = ct_first_thread(ct_thread_state()->interp);
    for (; s != NULL; s = ct_next_thread(s)) {
        if (s->c_tracefunc != ct_settrace_event)
            continue;
        const struct shared *other = shared_of(s);
        set_function(s, other != NULL ? other->function : NULL);
        show_lines(s);
        end_sharing(s);
    }
    while (shared_threads != NULL)
        end_sharing(shared_threads->state);
    ct_settrace_forget();
    PyGILState_Release(gil);
}
