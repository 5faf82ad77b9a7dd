#include "known.h"

#include "chunk.h"
#include "field_names.h"
#include "instance.h"
#include "reprs.h"
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

/* Write what has changed of an object whose number is defined in this chunk; NULL when it is too
 * much. */
__attribute__((noinline)) static uint8_t *put_changed(ct_encoder *e, uint8_t *p,
                                                      struct ct_known *known, PyObject *v)
{
    PyObject **values, *dict;
    ct_inline held;
    if (!ct_inline_values(v, &known->form, &values) || !ct_inline_of(v, &held, &dict))
        return NULL;
    int32_t cost = known->cost;
    int changed = 0;
    for (int i = 0; i < known->form.span; i++) {
        if (values[i] == known->values[i])
            continue;
        if (!is_small(values[i]))
            return NULL;
        cost += cost_of(values[i]) - cost_of(known->values[i]);
        changed++;
    }
    if (e->left <= cost)
        return NULL;
    int32_t left = e->left - cost;
    *p++ = CTJ_CHANGED;
    p = ct_put_uv(p, (uint64_t)(known - ct_known));
    p = ct_put_uv(p, (uint64_t)changed);
    for (int i = 0, next = 0; i < held.count; i++) {
        uint8_t at = held.order[CT_INLINE_ORDER_STEP * i];
        if (values[at] == known->values[at])
            continue;
        p = ct_put_uv(p, (uint64_t)(i - next));
        p = ct_put_small(e, p, values[at]);
        Py_SETREF(known->values[at], Py_NewRef(values[at]));
        next = i + 1;
    }
    e->left = left;
    known->cost = cost;
    known->stamp = ++stamps;
    known->used = ct_session.steps;
    return p;
}

/* Write an object whose number is defined in this chunk; NULL when it has to be defined anew. */
static inline uint8_t *put_again(ct_encoder *e, uint8_t *p, struct ct_known *known, PyObject *v)
{
    if (!ct_known_has_type(known, Py_TYPE(v)) || e->depth >= ct_limits.depth)
        return NULL;
    if (!ct_known_is_unchanged(known, v))
        return put_changed(e, p, known, v);
    if (e->left <= known->cost)
        return NULL;
    known->used = ct_session.steps;
    e->left -= known->cost;
    *p++ = CTJ_REFERENCE;
    return ct_put_uv(p, (uint64_t)(known - ct_known));
}

uint8_t *ct_put_reference(uint8_t *p, PyObject *v, const ct_attributes *attributes)
{
    struct ct_known *known = ct_known_place(v);
    if (known->object != v || known->generation != generation() ||
        known->attributes != attributes || !ct_known_is_unchanged(known, v))
        return NULL; /* what has a number is within the limits for a value of its own */
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
    if (known->generation == generation() && known->object != NULL) {
        bool is_it = known->object == v && known->attributes == e->attributes;
        uint8_t *end = is_it ? put_again(e, p, known, v) : NULL;
        if (end != NULL)
            return end;
        if (!is_it && ct_session.steps - known->used < KEPT_STEPS)
            return NULL;
    }
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
