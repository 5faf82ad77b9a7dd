/* The stored fields of objects: what an instance holds in its slots and its dict, read in place. No
 * descriptor is called and no dict is made. */
#ifndef CT_INSTANCE_H
#define CT_INSTANCE_H

#include "types.h"

/* True when this interpreter's instances failed the self-test: fields are then not read at all. */
extern bool ct_instances_are_unknown;

/* Where the fields of a class lie that are not in a dict. */
typedef struct {
    PyObject *name; /* owned, an exact str */
    Py_ssize_t offset;
} ct_slot_field;

enum ct_layout_kind {
    CT_LAYOUT_SLOTS,
    CT_LAYOUT_NAMEDTUPLE, /* items of a tuple, with names; offsets mean nothing */
    CT_LAYOUT_ENUM,       /* name and value, kept in the dict under other names */
};

struct ct_layout {
    enum ct_layout_kind kind;
    int count;
    ct_slot_field fields[];
};

/* True when instances have a builtin part that is shown beside their fields. */
static inline bool ct_type_has_part(const ct_type *type)
{
    return type->shape > CT_SHAPE_MEMBERS &&
           (type->layout == NULL || type->layout->kind == CT_LAYOUT_SLOTS);
}

/* A walk over the fields of one object, slots first.  Valid while no other code runs. */
typedef struct {
    PyObject *object;
    const ct_layout *layout; /* of slots that are left to visit, NULL when there are none */
    int slot;
    ct_inline held;
    int at;
    PyObject *dict; /* borrowed */
    Py_ssize_t position;
    Py_ssize_t total; /* fields in all; those with a name that is no exact str are not visited */
} ct_fields;

/* Find the dict of an object whose class has one; false when its attributes are in `held`. */
static inline bool ct_fields_dict(PyObject *v, const ct_type *type, ct_fields *f)
{
    f->held.count = 0;
    f->dict = NULL;
    if (type->dict == CT_DICT_MANAGED)
        return !ct_inline_of(v, &f->held, &f->dict);
    if (type->dict == CT_DICT_AT_OFFSET)
        f->dict = *ct_dict_place(v);
    return true;
}

void ct_fields_open_layout(ct_fields *f, PyObject *v, const ct_layout *layout);

/* Begin to walk; `type` is the entry of the object's type. */
static inline void ct_fields_open(ct_fields *f, PyObject *v, const ct_type *type)
{
    f->object = v;
    f->layout = NULL;
    f->at = 0;
    f->position = 0;
    ct_fields_dict(v, type, f);
    if (f->dict != NULL && !PyDict_Check(f->dict))
        f->dict = NULL;
    f->total = f->held.count + (f->dict != NULL ? PyDict_GET_SIZE(f->dict) : 0);
    if (ct_unlikely(type->layout != NULL))
        ct_fields_open_layout(f, v, type->layout);
}

bool ct_fields_next_slot(ct_fields *f, PyObject **name, PyObject **value);

/* The next field, borrowed; false at the end. */
static inline bool ct_fields_next(ct_fields *f, PyObject **name, PyObject **value)
{
    if (ct_unlikely(f->layout != NULL) && ct_fields_next_slot(f, name, value))
        return true;
    while (f->at < f->held.count) {
        uint8_t i = f->held.order[CT_INLINE_ORDER_STEP * f->at++];
        *value = f->held.values[i];
        *name = f->held.names[i].me_key;
        if (ct_likely(*value != NULL && *name != NULL))
            return true;
    }
    while (f->dict != NULL && PyDict_Next(f->dict, &f->position, name, value))
        if (PyUnicode_CheckExact(*name))
            return true;
    return false;
}

/* Where the fields of this class lie apart from its dict: a new layout, NULL when there are none or
 * no memory.  `shape` is what C structures say of its instances. */
ct_layout *ct_layout_of(PyTypeObject *type, enum ct_shape shape);
void ct_layout_free(ct_layout *layout);

/* Of two layouts free the second if they say the same, the first otherwise; returns the other. */
ct_layout *ct_layout_keep(ct_layout *known, ct_layout *found);

/* Compare the walk with what `__dict__` and attributes say, on instances of a small program, and
 * set ct_instances_are_unknown if they differ.  Returns -1 with an exception set if the test could
 * not run. */
int ct_instance_self_test(void);

#endif
