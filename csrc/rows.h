/* Lists and tuples of objects of one class that have numbers (known.h), side by side, so that
 * telling whether one has changed reads hardly more than the objects. */
#ifndef CT_ROWS_H
#define CT_ROWS_H

#include "known.h"

/* Objects and their attributes as they were. */
struct ct_known_row {
    PyTypeObject *type; /* borrowed, only compared: no other has its version */
    PyObject *name;     /* of the type, owned */
    unsigned int version;
    uint32_t head; /* of the objects' forms, as are `span` and that they are short */
    uint8_t span;
    bool has_heads; /* those of some are others: the first instances of a class have more room */
    Py_ssize_t count;
    uint32_t *heads;   /* of each object's form, behind the words */
    uintptr_t words[]; /* of each object: address, the form's word, values (owned, NULL in gaps) */
};

/* The row of the objects that have just been written as numbers, NULL when they do not make one.
 * `words` is what a snapshot says of them (snapshot.h). */
struct ct_known_row *ct_row_make(const uintptr_t *words, PyObject **items, Py_ssize_t count);
void ct_row_free(struct ct_known_row *row);
size_t ct_row_bytes(const struct ct_known_row *row);

/* The first two objects that are others now or have changed: `count` where there is none.  Both are
 * the same one when the class has changed. */
struct ct_row_difference {
    Py_ssize_t first, second;
};

/* Of the objects from `from` on. */
struct ct_row_difference ct_row_differs(const struct ct_known_row *row, PyObject **items,
                                        Py_ssize_t from);

/* Another object, or another state of it, that has just been written as a number.  False when the
 * row cannot hold it. */
bool ct_row_put(struct ct_known_row *row, Py_ssize_t at, PyObject *item);

#endif
