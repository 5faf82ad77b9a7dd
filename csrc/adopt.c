#include "adopt.h"

/* How far up callers are looked for, so that a thread whose stack is exchanged all the time pays
 * little for what lies deep below. */
#define CALLER_HOPS 64

ct_iframe *ct_adopt_not_yet;

/* They stay where they are while the resolver runs above them. */
int ct_adopt_own_frames(ct_thread *t)
{
    size_t n = 0, room = 0;
    ct_iframe **frames = NULL;
    for (ct_iframe *f = ct_current_frame(ct_thread_state()); f != NULL; f = f->previous) {
        if (ct_frame_is_shim(f) || ct_frame_code(f) == NULL || f == ct_adopt_not_yet)
            continue;
        if (n == room) {
            room = room != 0 ? room * 2 : 64;
            ct_iframe **larger = realloc(frames, room * sizeof *frames);
            if (larger == NULL) {
                free(frames);
                return PyErr_NoMemory(), -1;
            }
            frames = larger;
        }
        frames[n++] = f;
    }
    enum ct_go go = CT_GO_ON;
    while (n > 0 && go == CT_GO_ON) {
        ct_iframe *f = frames[--n];
        ct_plan *plan = NULL;
        enum ct_scope scope = ct_scope_of_frame(ct_frame_code(f), f, &plan);
        if (scope == CT_SCOPE_ERROR)
            go = CT_GO_RAISE;
        else if (scope == CT_SCOPE_TRACE || scope == CT_SCOPE_TASK)
            go = ct_put_enter(t, f, plan);
    }
    free(frames);
    return go == CT_GO_RAISE ? -1 : 0;
}

/* The code that other threads are in, as pairs with its globals.  Nothing runs meanwhile: their
 * frames go as soon as they may. */
static PyObject *code_of_other_threads(void)
{
    PyThreadState *own = ct_thread_state();
    int collects = ct_collect_nothing();
    PyObject *pairs = PyList_New(0);
    PyThreadState *s = ct_first_thread(own->interp);
    for (; pairs != NULL && s != NULL; s = ct_next_thread(s)) {
        if (s == own)
            continue;
        for (ct_iframe *f = ct_current_frame(s); f != NULL && pairs != NULL; f = f->previous) {
            PyCodeObject *code = ct_frame_is_shim(f) ? NULL : ct_frame_code(f);
            if (code == NULL)
                continue;
            PyObject *pair = PyTuple_Pack(2, (PyObject *)code, f->f_globals);
            if (pair == NULL || PyList_Append(pairs, pair) < 0)
                Py_CLEAR(pairs);
            Py_XDECREF(pair);
        }
    }
    ct_collect_again(collects);
    return pairs;
}

/* The plan of a frame's code, if the session has decided to record it there; NULL otherwise. */
static ct_plan *plan_of(ct_iframe *f)
{
    PyCodeObject *code = ct_frame_is_shim(f) ? NULL : ct_frame_code(f);
    ct_plan *plan = code != NULL ? ct_plan_of((PyObject *)code) : NULL;
    return plan == NULL || (ct_gate_exists && ct_gate_is_shut(NULL, f)) ? NULL : plan;
}

/* Let the lines of a frame that runs already come, if the session has decided to record it. */
static bool arm_running(ct_iframe *f)
{
    ct_plan *plan = plan_of(f);
    return plan == NULL || plan->armed || ct_plan_arm(plan);
}

int ct_adopt_other_threads(void)
{
    PyObject *pairs = code_of_other_threads();
    int status = pairs != NULL ? 0 : -1;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(pairs); i++) {
        PyObject *pair = PyList_GET_ITEM(pairs, i);
        ct_plan *plan = NULL;
        if (ct_scope_of((PyCodeObject *)PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1),
                        &plan) == CT_SCOPE_ERROR)
            status = -1;
    }
    Py_XDECREF(pairs);
    PyThreadState *own = ct_thread_state(), *s = ct_first_thread(own->interp);
    for (; status == 0 && s != NULL; s = ct_next_thread(s))
        for (ct_iframe *f = s != own ? ct_current_frame(s) : NULL; f != NULL; f = f->previous)
            if (!arm_running(f))
                status = -1;
    return status;
}

enum ct_go ct_enter_callers(ct_thread *t, ct_iframe *iframe)
{
    const ct_iframe *top = t->depth != 0 ? t->frames[t->depth - 1].iframe : NULL;
    ct_iframe *callers[CALLER_HOPS];
    int n = 0, hops = 0;
    for (ct_iframe *f = iframe->previous; f != NULL && f != top && hops++ < CALLER_HOPS;
         f = f->previous) {
        const ct_plan *plan = plan_of(f);
        if (plan != NULL && plan->armed)
            callers[n++] = f;
    }
    enum ct_go go = CT_GO_ON;
    while (n > 0 && go == CT_GO_ON) {
        ct_iframe *f = callers[--n];
        ct_plan *plan = plan_of(f);
        if (plan != NULL)
            go = ct_put_enter(t, f, plan);
    }
    return go;
}
