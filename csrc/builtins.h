/* The builtins that the recorder's own Python code finds. */
#ifndef CT_BUILTINS_H
#define CT_BUILTINS_H

#include "compat.h"

/* Begin a session: the builtins as they are now are those of the recorder's code.  -1: an
 * exception is set. */
int ct_builtins_open(void);
void ct_builtins_close(void);

/* Put the recorder's builtins in the place of those that the program has replaced since.  Returns
 * the program's, owned, for ct_builtins_leave; NULL when it has replaced none.  The exception that
 * is set stays. */
PyObject *ct_builtins_enter(void);
void ct_builtins_leave(PyObject *programs);

#endif
