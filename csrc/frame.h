/* Reading the variables of a running frame. */
#ifndef CT_FRAME_H
#define CT_FRAME_H

#include "compat.h"
#include "scope_cache.h"

/* True when this interpreter's frames failed the self-test: variables are then read by
 * PyFrame_GetVar, slowly. */
extern bool ct_frame_is_public;

/* The value of variable i, borrowed; NULL when it is unbound.  Only what the code calls a cell is
 * looked into: a variable whose value happens to be a cell keeps it. */
static inline PyObject *ct_frame_variable(ct_iframe *f, int i, uint8_t flags)
{
    PyObject *v = ct_frame_slot(f, i);
    if (ct_unlikely(flags & CT_SLOT_IS_CELL) && v != NULL && PyCell_Check(v))
        v = PyCell_GET(v);
    return v;
}

/* The same through the public interface: a new reference, NULL when it is unbound. */
PyObject *ct_frame_variable_public(PyFrameObject *frame, PyCodeObject *code, int i);

/* Compare both ways on a frame with arguments, cells, free variables and unbound variables, and set
 * ct_frame_is_public if they differ.  Returns -1 with an exception set if the test could not run.
 */
int ct_frame_self_test(void);

#endif
