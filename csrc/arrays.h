/* Sequences that keep their items in ways of their own: deques, memory views. */
#ifndef CT_ARRAYS_H
#define CT_ARRAYS_H

#include "array_items.h"

#define CT_DEQUE_BLOCK 64

struct ct_deque_block {
    struct ct_deque_block *left;
    PyObject *items[CT_DEQUE_BLOCK];
    struct ct_deque_block *right;
};

/* collections.deque as _collections lays it out since CPython 3.11. */
typedef struct {
    PyObject_VAR_HEAD struct ct_deque_block *left_block, *right_block;
    Py_ssize_t left, right;
    size_t state;
    Py_ssize_t limit;
    Py_ssize_t spare_count;
    struct ct_deque_block *spare[16];
    PyObject *weak_references;
} ct_deque;

typedef struct {
    const struct ct_deque_block *block;
    Py_ssize_t at, remaining;
} ct_deque_walk;

static inline void ct_deque_open(ct_deque_walk *walk, PyObject *v)
{
    const ct_deque *d = (const ct_deque *)v;
    *walk = (ct_deque_walk){.block = d->left_block, .at = d->left, .remaining = Py_SIZE(v)};
}

/* The next item, borrowed; NULL at the end. */
static inline PyObject *ct_deque_next(ct_deque_walk *walk)
{
    if (walk->remaining-- <= 0)
        return NULL;
    if (walk->at == CT_DEQUE_BLOCK) {
        walk->block = walk->block->right;
        walk->at = 0;
    }
    return walk->block->items[walk->at++];
}

typedef struct {
    const char *data;
    int dimensions;
    const Py_ssize_t *shape, *strides;
    ct_item_type type;
    const char *type_label; /* "dtype" or "format" */
    PyObject *object;
} ct_array;

/* Write an array as an instance: shape, format or dtype, first items. */
uint8_t *ct_put_array(ct_encoder *e, uint8_t *p, const ct_type *type, const ct_array *a);

/* The parts of it. */
uint8_t *ct_put_shape(ct_encoder *e, uint8_t *p, const Py_ssize_t *shape, int dimensions);
uint8_t *ct_put_elements(ct_encoder *e, uint8_t *p, const ct_array *a);

uint8_t *ct_put_memoryview(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type);

#endif
