#include "wake.h"

#include "adopt.h"
#include "gate.h"
#include "guard.h"
#include "stack.h"

enum ct_go ct_wake(PyObject *code, bool begins)
{
    if (!ct_session.dormant)
        return CT_GO_AWAY;
    PyThreadState *state = ct_thread_state();
    ct_iframe *iframe = ct_current_frame(state);
    ct_thread *t = ct_thread_of(state);
    if (t == NULL || t->ignored)
        return CT_GO_AWAY;
    ct_plan *plan = NULL;
    enum ct_scope scope = ct_scope_of((PyCodeObject *)code, iframe->f_globals, &plan);
    if (scope == CT_SCOPE_ERROR)
        return ct_forgive() ? CT_GO_AWAY : CT_GO_RAISE;
    if (scope != CT_SCOPE_TRACE || !ct_session.dormant)
        return CT_GO_AWAY;
    if (ct_gate_exists && !plan->activates && ct_gate_is_shut(t, iframe))
        return CT_GO_AWAY;
    ct_session.dormant = false;
    PyObject *on_wake = Py_NewRef(ct_session.on_wake);
    ct_adopt_not_yet = begins ? iframe : NULL;
    PyObject *done = CT_RECORDERS_OWN(PyObject_CallNoArgs(on_wake));
    ct_adopt_not_yet = NULL;
    Py_DECREF(on_wake);
    if (done == NULL)
        return CT_GO_RAISE;
    Py_DECREF(done);
    return ct_session.active ? CT_GO_ON : CT_GO_AWAY;
}
