/* One decision per code object: what is recorded of it, kept in the code object's extra slot. */
#ifndef CT_SCOPE_CACHE_H
#define CT_SCOPE_CACHE_H

#include "delta.h"
#include "handlers.h"
#include "quiet.h"
#include "watched.h"

/* What a step of the function has to look at besides its variables. */
enum ct_slot_flag {
    CT_SLOT_IS_CELL = 1,
    CT_SLOT_REDACT = 2,
    CT_SLOT_DROP = 4,
};

#define CT_VARIABLES_LIMIT 4096                  /* variables of one frame that are recorded */
#define CT_NAMES_LIMIT     ((uint32_t)128 << 10) /* bytes of their names, at most */

/* A module global that the code refers to. */
typedef struct {
    PyObject *name;  /* owned */
    PyObject *value; /* borrowed from the dict, valid while its version is the plan's */
    uint32_t name_id;
    uint8_t action;
    ct_slot slot;
} ct_global;

/* What is recorded of a code object. */
typedef struct ct_plan {
    struct ct_plan *next, *previous; /* all plans of the session */
    PyCodeObject *code;              /* borrowed; NULL once the code object is gone */
    uint32_t references;             /* the code object's and those of shadow frames */
    bool armed;                      /* local events are set */
    bool ready;                      /* armed, and nothing else is to be asked when it starts */
    bool activates;                  /* of the activation file */
    bool watched;                    /* local events with branches are set */
    uint8_t return_action;
    uint8_t yield_action;
    uint8_t unwind_action;  /* for exceptions that come up in it */
    uint8_t throw_action;   /* for those that are thrown into it */
    bool is_namespace;      /* of a module or class body */
    PyObject *ends_with;    /* the exception with which a method says that there are no more items,
                               borrowed, NULL for most functions */
    ct_handlers *handlers;  /* NULL before the first exception that it handles */
    ct_quiet_places *quiet; /* NULL when there are none, and before they were looked for */
    bool quiet_is_known;
    uint64_t generation; /* of the chunk that holds the definition */
    uint64_t counted;    /* the chunk whose preamble has counted the definition */
    uint32_t definition; /* bytes that the definition with all its names takes, at most */
    uint32_t id;
    uint32_t path;
    int32_t first_line;
    uint32_t flags;
    PyObject *name; /* owned */
    int slot_count;
    int argument_count;
    uint32_t *slot_names;
    uint8_t *slot_flags; /* enum ct_slot_flag, for steps */
    bool is_plain; /* these are all 0, and frames hold all of its variables, as we know them */
    uint8_t *argument_flags;   /* the same for the arguments of a call */
    bool arguments_differ;     /* a filter says something else of them there */
    PyObject *decide;          /* namespaces: callable (name) -> action, owned, or NULL */
    PyObject *decided;         /* namespaces: dict of name -> action, owned, or NULL */
    ct_attributes *attributes; /* what is said of names inside values; NULL: all are allowed */
    int global_count;
    ct_global *globals;
    ct_dict_state globals_state;
    uint64_t globals_generation;
    bool globals_mutable; /* one of the values can change without its dict changing */
    uint32_t globals_cost;
} ct_plan;

struct ct_scope_counts {
    uint64_t traced;
    uint64_t skipped;    /* all of them, also those below */
    uint64_t synthetic;  /* skipped, and in no file: `<string>` */
    uint64_t unreadable; /* skipped because their names are no plain str */
};
extern struct ct_scope_counts ct_scope_counts;

/* Start a session's cache.  `resolver` is called as resolver(code, variable names, their kinds,
 * module name or None) and answers None (skip), True (skip every code object of this file),
 * Ellipsis (ask again at the next call) or a tuple that plan_from describes; borrowed for the
 * session.  Returns -1 with an exception set. */
int ct_scopes_open(PyObject *resolver);

/* Drop every plan and clear the local events of code objects through `disarm(code)`. */
void ct_scopes_close(void (*disarm)(PyCodeObject *));

enum ct_scope {
    CT_SCOPE_ERROR = -1,
    CT_SCOPE_SKIP,
    CT_SCOPE_TRACE,
    CT_SCOPE_UNDECIDED,
    CT_SCOPE_WATCH, /* skipped, but of the activation file */
    CT_SCOPE_TASK,  /* recorded, with the task that it runs in */
    CT_SCOPE_SHUT,  /* recorded, but not above a frame of the activation file */
};

/* Ask the resolver about code that was not seen in this session.  CT_SCOPE_ERROR: an exception is
 * set. */
enum ct_scope ct_scope_resolve(PyCodeObject *code, PyObject *globals, ct_plan **plan);

extern Py_ssize_t ct_scope_index;
extern void *ct_scope_skip; /* what the extra slot of skipped code holds in this session */

/* True unless a test found that this interpreter keeps extras as we read them: they are then asked
 * for, slowly. */
extern bool ct_scope_is_public;

/* What the code object holds for us, NULL for nothing: a plan, or an odd number. */
static inline void *ct_scope_extra(PyObject *code)
{
    if (ct_likely(!ct_scope_is_public))
        return ct_code_extra(code, ct_scope_index);
    void *extra = NULL;
    PyUnstable_Code_GetExtra(code, ct_scope_index, &extra);
    return extra;
}

/* The session's decision about a code object. */
static inline enum ct_scope ct_scope_of(PyCodeObject *code, PyObject *globals, ct_plan **plan)
{
    void *extra = ct_scope_extra((PyObject *)code);
    if (extra == ct_scope_skip)
        return CT_SCOPE_SKIP;
    if (ct_likely(extra != NULL && ((uintptr_t)extra & 1) == 0)) {
        *plan = extra;
        return CT_SCOPE_TRACE;
    }
    return ct_scope_resolve(code, globals, plan);
}

/* Whether the session has decided not to record the code object, nor to look at its calls. */
static inline bool ct_scope_skips(PyCodeObject *code)
{
    return ct_scope_extra((PyObject *)code) == ct_scope_skip;
}

/* Whether the session has decided about the code object and it is of the activation file. */
bool ct_scope_activates(PyCodeObject *code);

/* The plan of code that is recorded, NULL when it is not. */
static inline ct_plan *ct_plan_of(PyObject *code)
{
    void *extra = ct_scope_extra(code);
    return ((uintptr_t)extra & 1) == 0 ? extra : NULL;
}

void ct_plan_free(ct_plan *plan);

static inline void ct_plan_release(ct_plan *plan)
{
    if (ct_unlikely(--plan->references == 0))
        ct_plan_free(plan);
}

/* Write the function's definition, with the names it needs, unless the live chunk has it. */
void ct_plan_define_slow(ct_plan *plan);
static inline void ct_plan_define(ct_plan *plan)
{
    if (ct_unlikely(plan->generation != ct_out.generation))
        ct_plan_define_slow(plan);
}

/* Bytes that the definition of a name takes, at most. */
uint32_t ct_name_cost(PyObject *name);

/* The id of a name; -1 without memory (no exception is left). */
int64_t ct_name_id(PyObject *name);

/* The name's definition was in a unit that is given up. */
void ct_name_undefine(uint32_t id);

/* Write the name's definition as an item at p unless the live chunk has it. */
uint8_t *ct_put_name(uint8_t *p, uint32_t id);

#endif
