/* Builtin methods that are called through a function of ours while they are hooked.
 *
 * A type's method and a module's function each have one entry in a table, through which every call
 * goes: bound methods that were taken before, subclasses and C code find the replacement too, and
 * no object of the program is touched.  All functions need the GIL. */
#ifndef CT_METHODS_H
#define CT_METHODS_H

#include "compat.h"

typedef struct {
    PyMethodDef *entry;   /* NULL while it is not hooked */
    PyCFunction original; /* stays after that: a call in another thread may still be on its way */
    PyCFunction replacement;
} ct_method;

/* A function that takes its arguments in another way than PyCFunction says. */
#define CT_AS(signature, function) ((signature)(void (*)(void))(function))

/* The entry of `type`'s own method `name`, NULL when it has none or the method takes its arguments
 * in another way than `flags` (METH_...) say. */
PyMethodDef *ct_method_entry(PyTypeObject *type, const char *name, int flags);
/* The same for a builtin function, which may be NULL. */
PyMethodDef *ct_function_entry(PyObject *function, int flags);

/* Let calls go to `replacement`; `entry` may be NULL.  False: it is not hooked. */
bool ct_method_hook(ct_method *method, PyMethodDef *entry, PyCFunction replacement);

/* The same for a builtin function of a module, which is imported.  No exception is set afterwards.
 */
bool ct_function_hook(ct_method *method, const char *module, const char *name, int flags,
                      PyCFunction replacement);

/* Put the original back, unless somebody else has hooked the method since. */
void ct_method_unhook(ct_method *method);

#endif
