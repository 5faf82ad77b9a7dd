/* The names of fields, as numbers: a name that was written lately is not written again. */
#ifndef CT_FIELD_NAMES_H
#define CT_FIELD_NAMES_H

#include "compat.h"

/* Write how a field of this name, an exact str, begins.  `*left` falls by the bytes that the name
 * takes in a trace, at most. */
uint8_t *ct_put_field_name(uint8_t *p, PyObject *name, int32_t *left);

/* The same for a name of our own. */
uint8_t *ct_put_field_label(uint8_t *p, const char *label);

/* How many names have been written out: what is not kept must not have any. */
extern uint64_t ct_field_definitions;

/* The live chunk has lost what was written last: numbers are given anew. */
void ct_field_names_undefine(void);
void ct_field_names_clear(void);

#endif
