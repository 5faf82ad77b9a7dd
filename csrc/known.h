/* Objects whose attributes are a few small atoms, as they were written last.  Whoever refers to one
 * again, unchanged, writes its number; that it is unchanged is told by comparing its attributes. */
#ifndef CT_KNOWN_H
#define CT_KNOWN_H

#include "journal_format.h"
#include "value.h"

#define CT_KNOWN_FIELDS CT_FORM_FIELDS /* attributes of an object, at most */
#define CT_KNOWN_TEXT   64             /* characters of one, at most: these are kept alive */

/* The object that has a number just now. */
struct ct_known {
    PyObject
        *name; /* of the type, owned: a class can be renamed without becoming another version */
    unsigned int version; /* of the type, never 0 once the place was taken */
    uint32_t stamp;       /* says which of its states this is; 0 when the place is free */
    ct_inline_form form;
    ct_inline_place place;             /* of its values, as the type and the form say */
    PyObject *values[CT_KNOWN_FIELDS]; /* as the object stores them, owned, NULL in gaps */
    PyObject *object;                  /* borrowed, only compared */
    uint64_t used;                     /* the step that it was last met in */
    uint64_t generation;               /* in which the number was given */
    ct_attributes *attributes;         /* that all its fields were allowed by */
    int32_t cost;
} __attribute__((aligned(256))); /* a place is then found by a shift */
extern struct ct_known ct_known[CTJ_NUMBERS];

/* The place of an object is its number: its address multiplied by the golden ratio, of which the
 * highest bits are taken (Knuth, The Art of Computer Programming 6.4), since objects of one class
 * lie at regular distances. */
static inline struct ct_known *ct_known_place(const PyObject *v)
{
    _Static_assert(sizeof(struct ct_known) == 1 << 8 && CTJ_NUMBERS == 1 << 11, "shifts below");
    uint64_t product = (uint64_t)(uintptr_t)v * UINT64_C(0x9E3779B97F4A7C15);
    size_t offset = (size_t)(product >> (64 - 11 - 8)) & ~(sizeof(struct ct_known) - 1);
    return (struct ct_known *)((char *)ct_known + offset);
}

/* True when the object's class is as it was; for a place that was taken once. */
static inline bool ct_known_has_type(const struct ct_known *known, PyTypeObject *type)
{
    return known->version == ct_type_version(type) &&
           known->name == ((PyHeapTypeObject *)type)->ht_name;
}

/* True when these are the values that were written last. */
static inline bool ct_known_holds(const struct ct_known *known, PyObject *const *values)
{
    int i = 0, span = known->form.span;
    do
        if (values[i] != known->values[i])
            return false;
    while (++i < span);
    return true;
}

/* Find the values of the object; false when its class is not as it was, or it has attributes that
 * it had not. */
static inline bool ct_known_values(const struct ct_known *known, PyObject *v, PyObject ***values)
{
    return ct_known_has_type(known, Py_TYPE(v)) &&
           ct_inline_values(v, &known->place, &known->form, values);
}

static inline bool ct_known_is_unchanged(const struct ct_known *known, PyObject *v)
{
    PyObject **values;
    return ct_known_values(known, v, &values) && ct_known_holds(known, values);
}

/* True when v is in the state that has this stamp, which was given to it or to what lay there
 * before. */
static inline bool ct_known_is(PyObject *v, uint32_t stamp)
{
    const struct ct_known *known = ct_known_place(v);
    return known->stamp == stamp && ct_known_is_unchanged(known, v);
}

/* Write v as a number that it has, or that it is given with this; NULL when it has to be written
 * without one.  The state that was written has the stamp in the object's place. */
uint8_t *ct_put_known(ct_encoder *e, uint8_t *p, PyObject *v);

/* Write v, which lies at this place, as the number that it has in this chunk, with what has changed
 * of it.  NULL when it has to be written in another way, or takes `left` bytes or more in a trace.
 */
uint8_t *ct_put_numbered(uint8_t *p, struct ct_known *known, PyObject *v,
                         const ct_attributes *attributes, int32_t left);

/* The live chunk has lost what was written last: numbers are given anew. */
void ct_known_undefine(void);
void ct_known_clear(void);

#endif
