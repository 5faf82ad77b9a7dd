/* Start and end of a session's tracing. */
#include "adopt.h"
#include "builtins.h"
#include "ct.h"
#include "exceptions.h"
#include "field_names.h"
#include "inject.h"
#include "known.h"
#include "leaving.h"
#include "raised.h"
#include "reprs.h"
#include "secrets.h"
#include "stack.h"
#include "tasks.h"
#include "tracer.h"
#include "types.h"
#include "watched.h"

static void disarm(PyCodeObject *code)
{
    PyObject *zero = PyLong_FromLong(0);
    if (!ct_set_local_events((PyObject *)code, zero))
        PyErr_Clear();
    Py_DECREF(zero);
}

void ct_thread_ignore(bool ignored)
{
    ct_thread *t = ct_session.active ? ct_thread_of(ct_thread_state()) : NULL;
    if (t != NULL)
        t->ignored = ignored;
}

/* `parts`: (resolver, on_failure, on_sealed, thread_name, set_local_events, DISABLE, tool id, local
 * events, adopt, is_activation or None, restart_events, local events with branches, on_wake,
 * on_exit, whether objects are asked for their repr) */
int ct_tracer_open(PyObject *parts)
{
    ct_watched_open();
    if (ct_builtins_open() < 0 || ct_scopes_open(PyTuple_GET_ITEM(parts, 0)) < 0 ||
        ct_gate_open(PyTuple_GET_ITEM(parts, 9), PyTuple_GET_ITEM(parts, 10)) < 0)
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
    ct_session.handler_events = PyTuple_GET_ITEM(parts, 11);
    ct_session.on_wake = PyTuple_GET_ITEM(parts, 12);
    ct_leaving_open(PyTuple_GET_ITEM(parts, 13));
    ct_reprs_open(PyTuple_GET_ITEM(parts, 14) == Py_True);
    ct_secrets_open();
    memset(&ct_value_counts, 0, sizeof ct_value_counts);
    ct_session.active = true;
    ct_session.current = ct_thread_of(ct_thread_state());
    if (ct_session.current == NULL)
        return PyErr_NoMemory(), -1;
    if (ct_injected("open"))
        return ct_fail("ERR_TRACE_INCOMPLETE") == CT_GO_RAISE ? -1 : 0;
    if (ct_injected("suppress-events"))
        ct_session.active = false;
    if (PyObject_IsTrue(PyTuple_GET_ITEM(parts, 8)) != 1)
        return 0;
    ct_session.is_unsettled = true;
    return ct_adopt_own_frames(ct_session.current) < 0 ? -1 : ct_adopt_other_threads();
}

void ct_tracer_close(void)
{
    ct_session.active = ct_session.dormant = false;
    while (ct_session.threads != NULL) {
        ct_thread *t = ct_session.threads;
        ct_session.threads = t->next;
        ct_thread_free(t);
    }
    ct_session.current = ct_session.last_seen = NULL;
    ct_scopes_close(disarm);
    ct_builtins_close();
    ct_watched_close();
    ct_gate_close();
    ct_tasks_close();
    ct_types_clear();
    ct_attributes_clear();
    ct_field_names_clear();
    ct_known_clear();
    ct_raised_clear();
    ct_secrets_close();
    ct_exceptions_clear();
}
