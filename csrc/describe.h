/* Objects that are recorded as a text: functions and the like by their name, dates and numbers as
 * they are usually written. */
#ifndef CT_DESCRIBE_H
#define CT_DESCRIBE_H

#include "value.h"

/* decimal.Decimal as _decimal lays it out on every 64-bit platform since CPython 3.3. */
typedef struct {
    PyObject_HEAD Py_hash_t hash;
    uint8_t flags;
    int64_t exponent, digits, used, room;
    uint64_t *words; /* of nineteen decimal digits, least significant first */
    uint64_t small[4];
} ct_decimal;

/* The str in an object of CT_SHAPE_NAMED that is its name, borrowed; NULL when it has none that can
 * be owned. */
PyObject *ct_name_object(PyObject *v);

/* Write CTJ_TEXT for an object of a shape that is shown so. */
/* Write CTJ_TEXT with the characters of a str. */
uint8_t *ct_put_words(ct_encoder *e, uint8_t *p, PyObject *text, const ct_type *type);

uint8_t *ct_put_description(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type);

#endif
