/* The variables of a module or class body: they live in a dict, so slots are found by name. */
#ifndef CT_NAMESPACE_H
#define CT_NAMESPACE_H

#include "scope_cache.h"

typedef struct {
    PyObject *name; /* owned */
    uint32_t name_id;
    uint32_t seen; /* scan in which the dict held it */
    uint8_t action;
    bool dunder; /* never shown, and no filter's doing */
    ct_slot slot;
} ct_binding;

typedef struct {
    ct_binding *bindings;
    uint32_t used, room;
    uint32_t scan;
    uint32_t name_bytes; /* that the definitions of the names take, at most */
    PyObject *index;     /* dict of name -> position, made when there are many */
} ct_namespace;

/* Before a unit is begun: meet names that are new in `dict`, asking the plan which of them may be
 * shown.  Creates *space at first.  Returns -1 with an exception set, -2 when
 * the session has ended meanwhile and nothing may be touched. */
int ct_namespace_prepare(ct_namespace **space, ct_plan *plan, PyObject *dict);

/* State the bindings of `dict` that have changed. */
uint8_t *ct_namespace_state(ct_namespace *space, uint8_t *p, PyObject *dict, uint32_t *cost,
                            ct_attributes *attributes);

void ct_namespace_make_stale(ct_namespace *space);

/* The unit in which the bindings were stated is given up. */
void ct_namespace_undo(ct_namespace *space);
void ct_namespace_free(ct_namespace *space);

#endif
