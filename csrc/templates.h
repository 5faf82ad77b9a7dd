/* Template strings of CPython 3.14: what a filter says of the values between their texts. */
#ifndef CT_TEMPLATES_H
#define CT_TEMPLATES_H

#include "attributes.h"
#include "instance.h"

/* True for the type of what stands between the texts of a template. */
bool ct_is_interpolation(PyTypeObject *type);

/* What becomes of an interpolation's value: the strictest of what is said of the names in its
 * expression, attributes and keys included.  `rest` is a walk over the fields behind the value. */
enum ct_action ct_interpolation_action(ct_attributes *attributes, ct_fields rest);

#endif
