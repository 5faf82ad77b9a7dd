/* Encoding of values.  Exact builtin types are read through their C structures; no code of the
 * program runs. */
#ifndef CT_VALUE_H
#define CT_VALUE_H

#include "attributes.h"
#include "types.h"

#define CT_DEPTH_LIMIT 32
#define CT_HOLD_LIMIT  1024 /* characters or bytes of a str or bytes that the recorder may own */

/* What one variable costs in trace.ct, where every step repeats it; the limits of a policy count
 * these bytes. */
enum ct_cost {
    CT_COST_CONST = 40,
    CT_COST_INT = 40,
    CT_COST_FLOAT = 56,
    CT_COST_TEXT = 48,
    CT_COST_CONTAINER = 64,
    CT_COST_PAIR = 40,
    CT_COST_OBJECT = 72,
    CT_COST_MARK = 64, /* of one place of an object that has several */
};

struct ct_limits {
    int depth;
    int items;
    int text;
    int value;
    int step;
};
extern struct ct_limits ct_limits;

/* What a value is to a filter, for counting. */
enum ct_kind {
    CT_KIND_ARGUMENT,
    CT_KIND_LOCAL,
    CT_KIND_GLOBAL,
    CT_KIND_RETURN,
    CT_KIND_ATTRIBUTE, /* the key of a mapping or the field of an object, inside a value */
    CT_KINDS
};

struct ct_value_counts {
    uint64_t cuts;    /* values of which a part was left out */
    uint64_t omitted; /* values left out because the step was full */
    uint64_t redacted[CT_KINDS];
    uint64_t dropped[CT_KINDS];
};
extern struct ct_value_counts ct_value_counts;

/* Count something in the unit that is being written. */
void ct_count(uint64_t *counter);

/* The unit is given up: what was counted in it does not count. */
void ct_uncount(void);

/* One value being written. */
typedef struct {
    int32_t left;        /* bytes of the value's limit that are left */
    bool cut;            /* something was left out */
    bool shot;           /* words of a snapshot are made on the way (snapshot.h) */
    bool has_references; /* objects were written as numbers (known.h) */
    bool is_edit;        /* what stands around it is written already */
    bool repeats;        /* an edit has an object that stands in the value elsewhere, too */
    bool is_again;       /* the object around has been written in another place */
    uint32_t numbers;    /* of objects that stand more than once */
    const uint8_t *start;
    int depth;
    ct_attributes *attributes;      /* NULL: every name is allowed */
    PyObject *open[CT_DEPTH_LIMIT]; /* the containers around the current one, to find cycles */
} ct_encoder;

static inline void ct_encoder_start(ct_encoder *e, ct_attributes *attributes)
{
    e->left = ct_limits.value;
    e->cut = e->shot = e->has_references = e->is_edit = e->repeats = false;
    e->is_again = false;
    e->numbers = 0;
    e->attributes = attributes;
    e->depth = 0;
}

/* What the value costs so far. */
static inline uint32_t ct_encoder_cost(const ct_encoder *e)
{
    return (uint32_t)(ct_limits.value - e->left);
}

/* Write a value that stands inside the one being written. */
uint8_t *ct_put_inside(ct_encoder *e, uint8_t *p, PyObject *v);

/* Write bytes as a bytes object. */
uint8_t *ct_put_byte_text(ct_encoder *e, uint8_t *p, const char *bytes, Py_ssize_t n);

/* Write None, a bool, an int, a float or a str, without a snapshot. */
uint8_t *ct_put_small(ct_encoder *e, uint8_t *p, PyObject *v);

/* Write an object that is neither an atom nor of an exact builtin type. */
uint8_t *ct_put_object(ct_encoder *e, uint8_t *p, PyObject *v);

/* Write one value.  Needs room for its limit and CT_HOLD_LIMIT * 4 bytes more. */
uint8_t *ct_put_value(ct_encoder *e, uint8_t *p, PyObject *v);

/* Write an exception: in full, or with its type alone when a filter hides those of this kind. */
uint8_t *ct_put_exception(ct_encoder *e, uint8_t *p, PyObject *v, uint8_t action,
                          enum ct_kind kind);

/* Write at most `limit` characters of a str as text. */
uint8_t *ct_put_text(uint8_t *p, PyObject *str, Py_ssize_t limit);

/* Number of items shown of a container of n items at this depth. */
static inline Py_ssize_t ct_items_shown(Py_ssize_t n, int depth)
{
    if (depth >= ct_limits.depth)
        return 0;
    return n < ct_limits.items ? n : ct_limits.items;
}

/* The items of a list or tuple, of subclasses too. */
static inline PyObject **ct_sequence_items(PyObject *v, Py_ssize_t *n)
{
    *n = Py_SIZE(v);
    return PyType_HasFeature(Py_TYPE(v), Py_TPFLAGS_LIST_SUBCLASS) ? ((PyListObject *)v)->ob_item
                                                                   : ((PyTupleObject *)v)->ob_item;
}

/* The next member of a set at or after *at, NULL at the end. */
static inline PyObject *ct_set_next(PyObject *v, Py_ssize_t *at)
{
    PySetObject *s = (PySetObject *)v;
    while (*at <= s->mask) {
        setentry *entry = &s->table[(*at)++];
        if (entry->key != NULL && entry->hash != -1)
            return entry->key;
    }
    return NULL;
}

/* Write the head of a container of n items. */
uint8_t *ct_put_head(ct_encoder *e, uint8_t *p, uint8_t tag, Py_ssize_t n, Py_ssize_t shown);

/* Write the value of the builtin part of an instance, whose type is defined. */
uint8_t *ct_put_part(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type);

/* Bytes of the first n characters of a str, and the characters themselves. */
size_t ct_text_bytes(PyObject *str, Py_ssize_t n);
uint8_t *ct_put_characters(uint8_t *p, PyObject *str, Py_ssize_t n);

static inline enum ct_shape ct_exact_container(PyTypeObject *type)
{
    return type == &PyList_Type        ? CT_SHAPE_LIST
           : type == &PyTuple_Type     ? CT_SHAPE_TUPLE
           : type == &PyDict_Type      ? CT_SHAPE_DICT
           : type == &PySet_Type       ? CT_SHAPE_SET
           : type == &PyFrozenSet_Type ? CT_SHAPE_FROZENSET
                                       : CT_SHAPE_OBJECT;
}

static inline bool ct_is_exact_scalar(PyTypeObject *type)
{
    return type == &PyUnicode_Type || type == &PyBytes_Type || type == &PyLong_Type;
}

/* Items of a container of this shape. */
static inline Py_ssize_t ct_container_size(PyObject *v, enum ct_shape shape)
{
    return shape == CT_SHAPE_DICT                                 ? PyDict_GET_SIZE(v)
           : shape == CT_SHAPE_SET || shape == CT_SHAPE_FROZENSET ? PySet_GET_SIZE(v)
                                                                  : Py_SIZE(v);
}

#endif
