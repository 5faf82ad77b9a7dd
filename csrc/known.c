#include "known.h"

#include "chunk.h"
#include "field_names.h"
#include "instance.h"
#include "reprs.h"
#include "scalars.h"
#include "snapshot.h"
#include "tracer.h"

/* Steps for which an object keeps its number from another one with the same place: two that are met
 * in turn would be written out each time. */
#define KEPT_STEPS 256

struct ct_known ct_known[CTJ_NUMBERS];

static uint32_t stamps;
static uint64_t lost; /* how often a chunk has lost its last definitions */

/* Numbers that were given in another generation mean nothing in the live chunk any more. */
static inline uint64_t generation(void)
{
    return ct_out.generation + lost;
}

static bool is_small(PyObject *v)
{
    if (PyUnicode_CheckExact(v))
        return PyUnicode_GET_LENGTH(v) <= CT_KNOWN_TEXT && ct_is_atom(v);
    if (PyLong_CheckExact(v))
        return PyUnstable_Long_IsCompact((PyLongObject *)v);
    return v == Py_None || PyBool_Check(v) || PyFloat_CheckExact(v);
}

/* True when an object of this type may have a number: its attributes, which a filter allows, are
 * small and few, and lie in the object itself. */
static bool is_eligible(const ct_encoder *e, PyObject *v, const ct_type *type, ct_inline *held)
{
    PyObject *dict;
    if (type->dict != CT_DICT_MANAGED || type->layout != NULL || !type->is_open || !type->owned ||
        type->version == 0 || e->depth >= ct_limits.depth || !ct_inline_of(v, held, &dict) ||
        held->count == 0 || held->count > CT_KNOWN_FIELDS || held->count > ct_limits.items)
        return false;
    for (int i = 0; i < held->count; i++) {
        uint8_t at = held->order[CT_INLINE_ORDER_STEP * i];
        PyObject *name = held->names[at].me_key, *value = held->values[at];
        if (name == NULL || value == NULL || at >= CT_KNOWN_FIELDS || !is_small(value) ||
            !ct_is_atom(name) || ct_attribute_action(e->attributes, name) != CT_ALLOW)
            return false;
    }
    return true;
}

static void forget(struct ct_known *known)
{
    known->object = NULL;
    known->stamp = 0;
    for (int i = 0; i < known->form.span; i++)
        Py_CLEAR(known->values[i]);
    Py_CLEAR(known->name);
    known->form.span = 0;
}

static void remember(struct ct_known *known, PyObject *v, const ct_type *type,
                     const ct_inline *held)
{
    forget(known);
    known->object = v;
    known->name = Py_NewRef((PyObject *)type->name);
    known->version = type->version;
    known->stamp = ++stamps;
    known->form = ct_inline_form_of(held);
    known->place = ct_inline_place_of(Py_TYPE(v), known->form.head);
    for (int i = 0; i < known->form.span; i++)
        known->values[i] = Py_XNewRef(held->values[i]);
}

/* Write the object with its number in front; NULL when the value's limit does not allow it. */
static uint8_t *define(ct_encoder *e, uint8_t *p, PyObject *v, struct ct_known *known)
{
    int32_t left = e->left;
    bool shot = e->shot, cut = e->cut;
    *p++ = CTJ_NUMBERED;
    p = ct_put_uv(p, (uint64_t)(known - ct_known));
    e->shot = false;
    p = ct_put_object(e, p, v);
    e->shot = shot;
    known->cost = left - e->left;
    if (ct_likely(e->left > 0))
        return p;
    e->left = left;
    e->cut = cut;
    ct_types_undefine();
    ct_field_names_undefine();
    return NULL;
}

/* What a small value takes in a trace. */
static int32_t cost_of(PyObject *v)
{
    if (PyUnicode_CheckExact(v))
        return CT_COST_TEXT + (int32_t)ct_text_bytes(v, PyUnicode_GET_LENGTH(v));
    return PyFloat_CheckExact(v)  ? CT_COST_FLOAT
           : PyLong_CheckExact(v) ? CT_COST_INT
                                  : CT_COST_CONST;
}

/* Write a small value that has taken the place of another one; *cost, of both in a trace, changes
 * with it.  NULL when it is not small. */
static inline uint8_t *put_next(uint8_t *p, PyObject *value, PyObject *before, int32_t *cost)
{
    if (value == NULL || before == NULL || !is_small(value))
        return NULL;
    if (ct_likely(PyLong_CheckExact(value) && PyLong_CheckExact(before)))
        return ct_put_int64(p, PyUnstable_Long_CompactValue((PyLongObject *)value));
    *cost += cost_of(value) - cost_of(before);
    ct_encoder e;
    ct_encoder_start(&e, NULL);
    return ct_put_small(&e, p, value);
}

/* Write what has changed of an object whose number is defined in this chunk; NULL when it is too
 * much. */
static uint8_t *put_changed(uint8_t *p, struct ct_known *known, PyObject *v, int32_t left)
{
    PyObject *dict;
    ct_inline held;
    if (!ct_inline_of(v, &held, &dict))
        return NULL;
    int32_t cost = known->cost;
    uint8_t places[CT_KNOWN_FIELDS];
    int changed = 0;
    *p++ = CTJ_CHANGED;
    p = ct_put_uv(p, (uint64_t)(known - ct_known));
    uint8_t *count = p++;
    for (int i = 0, next = 0; i < held.count; i++) {
        uint8_t at = held.order[CT_INLINE_ORDER_STEP * i];
        PyObject *value = held.values[at], *before = known->values[at];
        if (value == before)
            continue;
        *p++ = (uint8_t)(i - next);
        p = put_next(p, value, before, &cost);
        if (p == NULL)
            return NULL;
        places[changed++] = at;
        next = i + 1;
    }
    if (left <= cost)
        return NULL;
    *count = (uint8_t)changed;
    for (int i = 0; i < changed; i++) {
        PyObject **value = &known->values[places[i]];
        Py_SETREF(*value, Py_NewRef(held.values[places[i]]));
    }
    known->cost = cost;
    known->stamp = ++stamps;
    known->used = ct_session.steps;
    return p;
}

uint8_t *ct_put_numbered(uint8_t *p, struct ct_known *known, PyObject *v,
                         const ct_attributes *attributes, int32_t left)
{
    PyObject **values;
    if (known->object != v || known->generation != generation() ||
        known->attributes != attributes || !ct_known_values(known, v, &values))
        return NULL;
    if (!ct_known_holds(known, values))
        return put_changed(p, known, v, left);
    if (ct_unlikely(left <= known->cost))
        return NULL;
    known->used = ct_session.steps;
    *p++ = CTJ_REFERENCE;
    return ct_put_uv(p, (uint64_t)(known - ct_known));
}

/* Give an object a number and write it; NULL when it may have none. */
__attribute__((noinline)) static uint8_t *put_new(ct_encoder *e, uint8_t *p, struct ct_known *known,
                                                  PyObject *v)
{
    const ct_type *found = ct_reprs_wanted ? NULL : ct_type_of(Py_TYPE(v));
    if (found == NULL)
        return NULL;
    const ct_type type = *found; /* looking at others moves the table */
    ct_inline held;
    if (!is_eligible(e, v, &type, &held))
        return NULL;
    p = define(e, p, v, known);
    if (p == NULL)
        return NULL;
    remember(known, v, &type, &held);
    known->attributes = e->attributes;
    known->generation = generation();
    known->used = ct_session.steps;
    return p;
}

uint8_t *ct_put_known(ct_encoder *e, uint8_t *p, PyObject *v)
{
    struct ct_known *known = ct_known_place(v);
    uint8_t *end = ct_likely(e->depth < ct_limits.depth)
                       ? ct_put_numbered(p, known, v, e->attributes, e->left)
                       : NULL;
    if (end != NULL) {
        e->left -= known->cost;
        return end;
    }
    bool is_taken = known->generation == generation() && known->object != NULL &&
                    (known->object != v || known->attributes != e->attributes);
    if (is_taken && ct_session.steps - known->used < KEPT_STEPS)
        return NULL;
    return put_new(e, p, known, v);
}

void ct_known_undefine(void)
{
    lost++;
}

void ct_known_clear(void)
{
    for (int i = 0; i < CTJ_NUMBERS; i++)
        forget(&ct_known[i]);
}
