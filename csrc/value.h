/* Encoding of values.  Exact builtin types are read through their C structures; no code of the
 * program runs. */
#ifndef CT_VALUE_H
#define CT_VALUE_H

#include "compat.h"

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
enum ct_kind { CT_KIND_ARGUMENT, CT_KIND_LOCAL, CT_KIND_GLOBAL, CT_KIND_RETURN, CT_KINDS };

struct ct_value_counts {
    uint64_t cuts;    /* values of which a part was left out */
    uint64_t omitted; /* values left out because the step was full */
    uint64_t redacted[CT_KINDS];
    uint64_t dropped[CT_KINDS];
};
extern struct ct_value_counts ct_value_counts;

/* One value being written. */
typedef struct {
    int32_t left; /* bytes of the value's limit that are left */
    bool cut;     /* something was left out */
    bool stopped; /* ... by the byte limit, so that no snapshot describes what was written */
    int depth;
    PyObject *open[CT_DEPTH_LIMIT]; /* the containers around the current one, to find cycles */
} ct_encoder;

static inline void ct_encoder_start(ct_encoder *e)
{
    e->left = ct_limits.value;
    e->cut = e->stopped = false;
    e->depth = 0;
}

/* What the value costs so far. */
static inline uint32_t ct_encoder_cost(const ct_encoder *e)
{
    return (uint32_t)(ct_limits.value - e->left);
}

/* Write one value.  Needs room for its limit and CT_HOLD_LIMIT * 4 bytes more. */
uint8_t *ct_put_value(ct_encoder *e, uint8_t *p, PyObject *v);

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

#endif
