/* What objects answer when they are asked for their repr.  Only a policy that wants it has them
 * asked: it runs code of the program.
 *
 * Nothing may be asked while a unit is written.  An object that is met is noted, the unit is given
 * up, the objects are asked, and it is written once more, with the answers. */
#ifndef CT_REPRS_H
#define CT_REPRS_H

#include "value.h"

extern bool ct_reprs_wanted;

void ct_reprs_open(bool wanted);

/* The answer of an object, borrowed; NULL when it is shown by its fields, or when it has been noted
 * (ct_attributes_pending). */
PyObject *ct_repr_of(ct_encoder *e, PyObject *v, const ct_type *type);

/* Ask the objects that the calling thread has noted; -1 with the exception that a signal handler of
 * the program has raised meanwhile. */
int ct_reprs_settle(void);

/* The unit of the calling thread is written: its answers are of no use any more. */
void ct_reprs_forget(void);

#endif
