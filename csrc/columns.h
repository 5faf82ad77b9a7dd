/* Columns of pandas: arrays of numpy, and extension arrays of pandas as far as they keep their
 * items in one, or with Arrow.  Also what else is read of its objects. */
#ifndef CT_COLUMNS_H
#define CT_COLUMNS_H

#include "arrow.h"
#include "ndarray.h"

/* The value of a stored field, borrowed; NULL when there is none. */
PyObject *ct_stored_field(PyObject *v, const char *wanted);

/* What a compiled class of pandas stores under a name, borrowed from the object, which holds it;
 * NULL when it has no such class.  Only the function that the compiler has made for reading it is
 * called. */
PyObject *ct_compiled_field(PyObject *v, const char *owner, const char *name);

bool ct_is_ndarray(PyObject *v);

/* One column, of an object that holds it. */
typedef struct {
    Py_ssize_t length;   /* -1 when it cannot be told */
    bool is_readable;    /* the items are known */
    ct_array array;      /* they, of categories each of these once */
    ct_array mask;       /* true where one is missing; of kind 0 when there is none */
    ct_array codes;      /* numbers of the categories; of kind 0 otherwise */
    ct_arrow arrow;      /* what stands for `array`, when it is not there */
    PyObject *extension; /* the array that is no array of numpy; NULL for one that is */
    char names[3][CT_DTYPE_NAME];
} ct_column;

/* `row` is the one of the table that the column is in, where it is in one. */
void ct_column_open(ct_column *c, PyObject *values, Py_ssize_t row);
void ct_column_close(ct_column *c);

/* The name of its dtype: of an extension array, of its class. */
const char *ct_column_dtype(const ct_column *c);

/* An item that is an object, or can be made one: a new reference, NULL for others. */
PyObject *ct_column_object(ct_column *c, Py_ssize_t i);

/* Write a list of the first items; of none when they cannot be read or are not n. */
uint8_t *ct_put_column(ct_encoder *e, uint8_t *p, ct_column *c, Py_ssize_t n, Py_ssize_t limit);

/* Write that a filter hides the items; its texts are secrets. */
uint8_t *ct_put_hidden_column(ct_encoder *e, uint8_t *p, ct_column *c);

#endif
