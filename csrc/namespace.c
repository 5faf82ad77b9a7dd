#include "namespace.h"

#include "guard.h"
#include "tracer.h"

static bool is_dunder(PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    return n > 4 && PyUnicode_READ_CHAR(name, 0) == '_' && PyUnicode_READ_CHAR(name, 1) == '_' &&
           PyUnicode_READ_CHAR(name, n - 1) == '_' && PyUnicode_READ_CHAR(name, n - 2) == '_';
}

/* Names that are not exact strs are left out: comparing them could run code of the program. */
static inline bool is_plain(PyObject *key)
{
    return PyUnicode_CheckExact(key);
}

/* The position of a name, -1 when it is new; `expected` is right unless a name was deleted or added
 * before it. */
static int64_t find(ct_namespace *space, PyObject *name, uint32_t expected)
{
    if (ct_likely(expected < space->used && space->bindings[expected].name == name))
        return expected;
    PyObject *at = PyDict_GetItemWithError(space->index, name);
    return at != NULL ? PyLong_AsLong(at) : -1;
}

enum { FAILED = -1, GONE = -2 };

/* Whether a variable may be shown: from the plan's memory, or asked now.  FAILED: an exception is
 * set; GONE: the session has ended meanwhile, and the plan with it. */
static int action_of(ct_plan *plan, PyObject *name)
{
    if (plan->decided == NULL)
        return CT_ALLOW;
    PyObject *known = PyDict_GetItemWithError(plan->decided, name);
    if (known != NULL)
        return (int)PyLong_AsLong(known);
    if (plan->decide == NULL)
        return CT_ALLOW;
    uint64_t session = ct_session.number;
    PyObject *decide = Py_NewRef(plan->decide), *decided = Py_NewRef(plan->decided);
    PyObject *answer = CT_RECORDERS_OWN(PyObject_CallOneArg(decide, name));
    int action = answer != NULL ? (int)PyLong_AsLong(answer) : FAILED;
    if (action != FAILED && PyDict_SetItem(decided, name, answer) < 0)
        action = FAILED;
    Py_XDECREF(answer);
    Py_DECREF(decide);
    Py_DECREF(decided);
    if (ct_session.active && ct_session.number == session)
        return action;
    PyErr_Clear();
    return GONE;
}

static bool has_room(const ct_namespace *space)
{
    return space->used < CT_VARIABLES_LIMIT && space->name_bytes < CT_NAMES_LIMIT;
}

/* Make a binding for a new name. */
static int add(ct_namespace *space, ct_plan *plan, PyObject *name)
{
    bool dunder = is_dunder(name);
    int action = dunder ? CT_DROP : action_of(plan, name);
    if (action < 0)
        return action;
    int64_t id = ct_name_id(name);
    if (id < 0)
        return PyErr_NoMemory(), FAILED;
    if (space->used == space->room) {
        uint32_t room = space->room != 0 ? space->room * 2 : 16;
        ct_binding *bindings = realloc(space->bindings, room * sizeof *bindings);
        if (bindings == NULL)
            return PyErr_NoMemory(), -1;
        space->bindings = bindings;
        space->room = room;
    }
    PyObject *at = PyLong_FromUnsignedLong(space->used);
    int kept = at != NULL ? PyDict_SetItem(space->index, name, at) : -1;
    Py_XDECREF(at);
    if (kept < 0)
        return -1;
    space->name_bytes += ct_name_cost(name);
    space->bindings[space->used++] = (ct_binding){.name = Py_NewRef(name),
                                                  .name_id = (uint32_t)id,
                                                  .action = (uint8_t)action,
                                                  .dunder = dunder};
    return 0;
}

/* A list, which is made while the items of a dict are looked at. */
static PyObject *new_list(void)
{
    int collects = ct_collect_nothing();
    PyObject *list = PyList_New(0);
    ct_collect_again(collects);
    return list;
}

int ct_namespace_prepare(ct_namespace **space, ct_plan *plan, PyObject *dict)
{
    if (*space == NULL) {
        ct_namespace *made = calloc(1, sizeof *made);
        PyObject *index = made != NULL ? PyDict_New() : NULL;
        if (index == NULL) {
            free(made);
            return PyErr_NoMemory(), -1;
        }
        made->index = index;
        *space = made;
    }
    ct_namespace *s = *space;
    Py_ssize_t at = 0;
    PyObject *key, *value, *unknown = NULL;
    uint32_t position = 0;
    while (PyDict_Next(dict, &at, &key, &value)) {
        if (!is_plain(key))
            continue;
        int64_t i = find(s, key, position);
        if (i >= 0)
            position = (uint32_t)i + 1;
        else if (has_room(s)) {
            /* Asking may change the dict, so the new names are collected first. */
            if (unknown == NULL && (unknown = new_list()) == NULL)
                return -1;
            if (PyList_Append(unknown, key) < 0) {
                Py_DECREF(unknown);
                return -1;
            }
        }
    }
    int result = 0;
    for (Py_ssize_t i = 0; unknown != NULL && i < PyList_GET_SIZE(unknown) && result == 0; i++) {
        PyObject *name = PyList_GET_ITEM(unknown, i);
        if (has_room(s) && find(s, name, s->used) < 0)
            result = add(s, plan, name);
    }
    Py_XDECREF(unknown);
    return result;
}

static uint8_t *state(ct_binding *binding, uint8_t *p, PyObject *value, uint32_t *cost,
                      ct_attributes *attributes)
{
    if (binding->action == CT_DROP) {
        if (!binding->dunder)
            ct_slot_count_dropped(&binding->slot, value, CT_KIND_LOCAL);
        return p;
    }
    ct_item item = ct_item_numbered(CTJ_ITEM_NAMED, binding->name_id);
    p = ct_put_name(p, binding->name_id);
    if (binding->action == CT_REDACT)
        return ct_slot_state_redacted(&binding->slot, p, item, value, CT_KIND_LOCAL, cost);
    return ct_slot_state(&binding->slot, p, item, value, cost, attributes);
}

uint8_t *ct_namespace_state(ct_namespace *space, uint8_t *p, PyObject *dict, uint32_t *cost,
                            ct_attributes *attributes)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    uint32_t position = 0, found = 0;
    uint32_t scan = ++space->scan;
    while (PyDict_Next(dict, &at, &key, &value)) {
        if (!is_plain(key))
            continue;
        int64_t i = find(space, key, position);
        if (i < 0)
            continue;
        position = (uint32_t)i + 1;
        ct_binding *binding = &space->bindings[i];
        binding->seen = scan;
        found++;
        p = state(binding, p, value, cost, attributes);
    }
    for (uint32_t i = 0; found < space->used && i < space->used; i++) {
        ct_binding *binding = &space->bindings[i];
        if (binding->seen != scan)
            p = state(binding, p, NULL, cost, attributes);
    }
    return p;
}

void ct_namespace_make_stale(ct_namespace *space)
{
    for (uint32_t i = 0; i < space->used; i++)
        ct_slot_make_stale(&space->bindings[i].slot);
}

void ct_namespace_undo(ct_namespace *space)
{
    for (uint32_t i = 0; i < space->used; i++) {
        ct_slot_undo(&space->bindings[i].slot);
        ct_name_undefine(space->bindings[i].name_id);
    }
}

void ct_namespace_free(ct_namespace *space)
{
    if (space == NULL)
        return;
    for (uint32_t i = 0; i < space->used; i++) {
        ct_slot_drop(&space->bindings[i].slot);
        Py_DECREF(space->bindings[i].name);
    }
    Py_DECREF(space->index);
    free(space->bindings);
    free(space);
}
