/* Names as they stand in a trace: long ones are cut, and stay apart from each other. */
#ifndef CT_NAMES_H
#define CT_NAMES_H

#include "compat.h"

#define CT_NAME_LIMIT 200 /* characters */

/* Write a name as text.  Of a longer one stand the first characters, an ellipsis and a number that
 * comes from the whole. */
uint8_t *ct_put_name_text(uint8_t *p, PyObject *name);

/* Bytes that this takes, at most. */
uint32_t ct_name_text_cost(PyObject *name);

#endif
