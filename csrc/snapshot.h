/* Snapshots of containers and copies of encodings, to tell exactly whether a value has changed. */
#ifndef CT_SNAPSHOT_H
#define CT_SNAPSHOT_H

#include "value.h"

/* The bytes that were written for a value. */
struct ct_copy {
    uint32_t length;
    uint32_t
        text_length; /* of a str that was cut: its text is the last so many bytes; 0 otherwise */
    uint8_t bytes[];
};

/* A container as words (snapshot.c draws them). */
struct ct_tree {
    uint32_t used; /* words */
    uint32_t room;
    uint64_t version; /* of a dict of atoms, 0 otherwise */
    uintptr_t words[];
};

struct ct_copy *ct_copy_make(const uint8_t *bytes, size_t length, uint32_t text_length);
void ct_copy_free(struct ct_copy *copy);

/* A snapshot of what ct_put_value wrote for `v`, NULL when it would be too large or without memory.
 * `old` is reused or freed. */
struct ct_tree *ct_tree_make(struct ct_tree *old, PyObject *v);
void ct_tree_free(struct ct_tree *tree);
bool ct_tree_same(struct ct_tree *tree, PyObject *v);

/* For a list or tuple of atoms whose snapshot is one too, of the same type: the number of items at
 * the start that are the same objects, and how many the snapshot shows; -1 when there is no such
 * relation. */
Py_ssize_t ct_tree_common_start(const struct ct_tree *tree, PyObject *v);

/* True for what the recorder may own: immutable, small, without a finaliser. */
static inline bool ct_is_atom(PyObject *v)
{
    PyTypeObject *type = Py_TYPE(v);
    if (type == &PyLong_Type)
        return ((PyLongObject *)v)->long_value.lv_tag >> _PyLong_NON_SIZE_BITS <=
               CT_HOLD_LIMIT / sizeof(digit);
    if (v == Py_None || type == &PyFloat_Type || type == &PyBool_Type)
        return true;
    if (type == &PyUnicode_Type)
        return PyUnicode_GET_LENGTH(v) <= CT_HOLD_LIMIT &&
               PyUnicode_GET_LENGTH(v) <= ct_limits.text;
    if (type == &PyBytes_Type)
        return PyBytes_GET_SIZE(v) <= CT_HOLD_LIMIT && PyBytes_GET_SIZE(v) <= ct_limits.text;
    return type == &PyComplex_Type;
}

#endif
