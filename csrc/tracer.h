/* The tracer: what the events of sys.monitoring mean for a trace. */
#ifndef CT_TRACER_H
#define CT_TRACER_H

#include "namespace.h"
#include "scope_cache.h"

/* How to go on after other code may have run. */
enum ct_go {
    CT_GO_ON,
    CT_GO_AWAY,  /* the event is not for us any more */
    CT_GO_SHUT,  /* the event is not above a frame of the activation file */
    CT_GO_RAISE, /* an exception is set, for the program */
    CT_GO_AGAIN, /* the unit has to be written once more; never the end of an event */
};

/* What was last heard of a frame; a step leaves nothing but CT_STEPPED, CT_QUIET and CT_CATCHING.
 */
enum ct_frame_state {
    CT_STEPPED = 1,
    CT_ARRIVING = 2, /* an exception that is recorded comes from elsewhere */
    CT_QUIET = 4,    /* it is at a quiet place (quiet.h) */
    CT_CATCHING = 8, /* an exception has reached a handler; a step tells whether it is caught */
};

/* A frame that is recorded, as the tracer sees it. */
typedef struct {
    ct_iframe *iframe;   /* only compared: frames are reused by the interpreter */
    ct_plan *plan;       /* counted */
    ct_namespace *space; /* of a module or class body, NULL otherwise */
    uint64_t key;
    uint64_t generation; /* of the chunk in which the variables were last stated in full */
    uint32_t slots;      /* index of the first slot in the thread's array */
    uint32_t cost;       /* of all variables, in bytes of trace.ct */
    int32_t line;
    int32_t body;        /* CT_CATCHING: the line of the step that tells, 0 for that of any body */
    uint8_t state;       /* enum ct_frame_state */
    uint8_t quiet;       /* CT_QUIET: the number of the place */
    uint8_t quiet_limit; /* the last place for which not comparing pays */
} __attribute__((aligned(16))) ct_shadow; /* of 64 bytes, so that a place is found by a shift */

typedef struct ct_thread {
    struct ct_thread *next;
    PyThreadState *state; /* only compared, together with its id: addresses are reused */
    uint64_t state_id;
    uint32_t id;
    bool ignored;   /* the recorder's own */
    bool announced; /* THREAD_START is written */
    ct_shadow *frames;
    int depth, room;
    ct_slot *slots; /* those that are not used are zero */
    uint32_t slots_used, slots_room;
    const void *task;         /* that its last coroutine ran in; only compared */
    PyObject *task_name;      /* owned */
    uint64_t task_generation; /* of the chunk in which it was stated last */
    uint8_t *name;            /* as a text of the journal, NULL while it has none */
    uint32_t name_length;
    const void *flying; /* the exception that ended a frame last, only compared */
    const void *flying_traceback;
    const PyCodeObject *flying_code; /* of that entry, NULL when it was thrown in; only compared */
} ct_thread;

struct ct_session {
    bool active;
    bool dormant;    /* in a forked child, which begins a session at its first recorded event */
    uint64_t number; /* of this process's sessions */
    ct_thread *threads;
    ct_thread *current;   /* the thread of the last record */
    ct_thread *last_seen; /* a cache for finding the thread of an event */
    uint32_t next_thread;
    uint64_t next_key;
    uint64_t steps, calls, returns, lost;
    const uint8_t *quiet_at; /* where the journal ended when the last frame was at a quiet place */
    const char *failure;     /* a code to report at the next boundary, NULL */
    bool is_unsettled;       /* some frame ran, or ended, without an event that we saw */
    bool writer_runs;        /* somebody takes sealed chunks */
    PyObject *on_failure;    /* owned callables */
    PyObject *on_sealed;
    PyObject *thread_name;
    PyObject *on_wake;
    PyObject *set_local_events; /* None: those of all code come */
    PyObject *disable;
    PyObject *tool_id;
    PyObject *local_events;
    PyObject *handler_events; /* the same with branches */
};
extern struct ct_session ct_session;

/* The native tracer's event functions, METH_FASTCALL. */
PyObject *ct_on_start(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *ct_on_resume(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *ct_on_throw(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *ct_on_line(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *ct_on_return(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *ct_on_yield(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *ct_on_unwind(PyObject *self, PyObject *const *args, Py_ssize_t n);

/* A line of a frame begins, or its code has jumped back on it. */
enum ct_go ct_line_event(PyObject *code, int32_t line);

/* The thread of an event, with the frame of the event on top of its stack; NULL and *go when there
 * is nothing to record. */
ct_thread *ct_thread_of_event(PyObject *code, enum ct_go *go);

/* One step of the innermost frame. */
enum ct_go ct_put_step(ct_thread *t, int32_t line);

/* ENTER for a frame whose caller is the innermost one of the thread's stack, if any of it is. */
enum ct_go ct_put_enter(ct_thread *t, ct_iframe *iframe, ct_plan *plan);

/* The decision about code that runs in a frame. */
enum ct_scope ct_scope_of_frame(PyCodeObject *code, ct_iframe *iframe, ct_plan **plan);

/* Let these events of a code object come.  False: an exception is set. */
bool ct_set_local_events(PyObject *code, PyObject *events);

/* Set LINE, PY_RETURN and PY_YIELD for code that is recorded; takes effect for the call that is
 * starting.  False: an exception is set. */
bool ct_plan_arm(ct_plan *plan);

/* What the calling thread does is the recorder's own business, or the program's again. */
void ct_thread_ignore(bool ignored);

/* Start and end a session's tracing, with the GIL held.  -1: an exception is set. */
int ct_tracer_open(PyObject *parts);
void ct_tracer_close(void);

#endif
