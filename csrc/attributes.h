/* What a filter says about the names inside values: keys of mappings and fields of objects.
 *
 * The answers are kept here, because nothing may be asked while a unit is written.  A name that is
 * met for the first time is hidden and noted; the unit is then given up, the names are decided, and
 * it is written once more. */
#ifndef CT_ATTRIBUTES_H
#define CT_ATTRIBUTES_H

#include "compat.h"

enum ct_action { CT_ALLOW, CT_REDACT, CT_DROP };

#define CT_ATTRIBUTE_CACHE 512 /* a power of two */

/* The answers of one policy, which many code objects share. */
typedef struct ct_attributes {
    struct ct_attributes *next;
    PyObject *decide;  /* callable (name) -> action, owned */
    PyObject *decided; /* dict of name -> action, owned */
    struct {
        PyObject *name; /* owned, so that its address says who it is */
        enum ct_action action;
    } cache[CT_ATTRIBUTE_CACHE];
} ct_attributes;

/* The answers that `decide` gives; NULL without memory. */
ct_attributes *ct_attributes_of(PyObject *decide);
void ct_attributes_clear(void);

/* True when the unit that is being written has met a name that nobody has decided about. */
extern bool ct_attributes_pending;

/* Set while names that nobody has decided about are to be hidden without being noted. */
extern bool ct_attributes_conceal;

enum ct_action ct_attribute_look_up(ct_attributes *attributes, PyObject *key);

/* What becomes of the value under `key`, a key of a mapping or the name of a field. */
static inline enum ct_action ct_attribute_action(ct_attributes *attributes, PyObject *key)
{
    if (attributes == NULL)
        return CT_ALLOW;
    size_t at = ((uintptr_t)key >> 4) & (CT_ATTRIBUTE_CACHE - 1);
    if (ct_likely(attributes->cache[at].name == key))
        return attributes->cache[at].action;
    return ct_attribute_look_up(attributes, key);
}

/* Decide about the names that were met; other code may run.  -1: an exception is set. */
int ct_attributes_settle(void);

#endif
