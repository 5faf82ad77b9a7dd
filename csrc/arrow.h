/* Items of arrays of Arrow, in which pandas keeps texts, and other columns where it is asked to.
 *
 * pyarrow says where an array lies in memory, in the form that Arrow's columnar format lays down.
 * It is not imported for it, and nothing is called but compiled functions of it, which neither run
 * Python nor give the GIL away. */
#ifndef CT_ARROW_H
#define CT_ARROW_H

#include "compat.h"

/* A column in chunks.  The object is held by whoever has given it. */
typedef struct {
    PyObject *column; /* NULL where there is none that can be read */
    Py_ssize_t length;
    Py_ssize_t chunk, start, stop; /* the chunk that is open, and which items are in it */
    Py_ssize_t offset;             /* of its first item in the buffers */
    char kind;                     /* i, u, f, b, U as numpy calls them; 0: no chunk is open */
    int size;                      /* bytes of a number, or of an offset of a text */
    Py_buffer valid, items, texts; /* of the chunk; `obj` is NULL where there is none */
} ct_arrow;

/* Whether a column, the `ChunkedArray` of an extension array, is of texts, numbers or bools.
 * `dtype` is the one that pandas has for it: a `StringDtype`, or what Arrow calls the type. */
bool ct_arrow_open(ct_arrow *a, PyObject *column, PyObject *dtype);
void ct_arrow_close(ct_arrow *a);

/* The item with an index below the length: a new reference, None for a missing one.  NULL, without
 * an exception, when it cannot be read. */
PyObject *ct_arrow_item(ct_arrow *a, Py_ssize_t i);

#endif
