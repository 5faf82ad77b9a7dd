#include "gate.h"
#include "guard.h"

/* Events at a shut gate before places are disabled: that they cost as much as making all places
 * live again, so a gate that opens often never costs more than twice what it has to. */
#define PATIENCE 4096

bool ct_gate_exists;

static struct {
    PyObject *is_activation;  /* borrowed */
    PyObject *restart_events; /* borrowed */
    PyObject *files;          /* dict of file name -> bool */
    uint32_t waited;          /* events since the gate was shut */
    bool disabled;            /* some place is disabled because of the gate */
} gate;

int ct_gate_open(PyObject *is_activation, PyObject *restart_events)
{
    gate.is_activation = is_activation;
    gate.restart_events = restart_events;
    gate.waited = PATIENCE;
    gate.disabled = false;
    ct_gate_exists = is_activation != Py_None;
    gate.files = ct_gate_exists ? PyDict_New() : NULL;
    return ct_gate_exists && gate.files == NULL ? -1 : 0;
}

void ct_gate_close(void)
{
    ct_gate_exists = false;
    Py_CLEAR(gate.files);
}

int ct_gate_activates(PyCodeObject *code)
{
    PyObject *known = PyDict_GetItemWithError(gate.files, code->co_filename);
    if (known != NULL)
        return known == Py_True;
    PyObject *files = Py_NewRef(gate.files);
    PyObject *answer = CT_RECORDERS_OWN(PyObject_CallOneArg(gate.is_activation, code->co_filename));
    int status = answer == NULL ? -1 : PyDict_SetItem(files, code->co_filename, answer);
    status = status < 0 ? -1 : answer == Py_True;
    Py_XDECREF(answer);
    Py_DECREF(files);
    return status;
}

static bool frame_activates(ct_iframe *f)
{
    PyCodeObject *code = ct_frame_is_shim(f) ? NULL : ct_frame_code(f);
    return code != NULL && ct_scope_activates(code);
}

bool ct_gate_is_shut(const ct_thread *t, ct_iframe *iframe)
{
    const ct_iframe *top = t != NULL && t->depth != 0 ? t->frames[t->depth - 1].iframe : NULL;
    for (ct_iframe *f = iframe; f != NULL; f = f->previous)
        if (f == top || frame_activates(f))
            return false;
    return true;
}

void ct_gate_enter(void)
{
    gate.waited = 0;
    if (!gate.disabled)
        return;
    gate.disabled = false;
    if (gate.restart_events == Py_None)
        return; /* what is disabled is single frames */
    PyObject *done = PyObject_CallNoArgs(gate.restart_events);
    if (done == NULL)
        PyErr_Clear();
    Py_XDECREF(done);
}

/* Whether any thread is above a frame of the activation file: it may need every place. */
static bool is_open_anywhere(void)
{
    PyThreadState *s = ct_first_thread(ct_thread_state()->interp);
    for (; s != NULL; s = ct_next_thread(s))
        if (!ct_gate_is_shut(NULL, ct_current_frame(s)))
            return true;
    return false;
}

PyObject *ct_gate_answer(void)
{
    if (gate.waited < PATIENCE) {
        gate.waited++;
        return Py_None;
    }
    if (is_open_anywhere()) {
        gate.waited = 0;
        return Py_None;
    }
    gate.disabled = true;
    return Py_NewRef(ct_session.disable);
}
