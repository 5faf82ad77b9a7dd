/* Arrays and numbers of numpy, read from memory: numpy is not imported for it. */
#ifndef CT_NDARRAY_H
#define CT_NDARRAY_H

#include "arrays.h"

#define CT_DTYPE_NAME 32

/* How an array of numpy lies in memory; its dtype's name is put into `name`.  The object is one
 * whose type has the shape CT_SHAPE_NDARRAY. */
ct_array ct_array_of(PyObject *v, char name[CT_DTYPE_NAME]);

uint8_t *ct_put_ndarray(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type);

/* Write an item that has fields, as a dict; `type` says which. */
uint8_t *ct_put_record(ct_encoder *e, uint8_t *p, const char *at, const ct_item_type *type);

/* Whether instances of a type are numbers of numpy that are no builtin numbers, and such a number.
 */
bool ct_is_array_scalar(PyTypeObject *type);
uint8_t *ct_put_array_scalar(ct_encoder *e, uint8_t *p, PyObject *v);

#endif
