/* The events of sys.monitoring as a table, and the functions that are registered for them. */
#ifndef CT_CALLBACKS_H
#define CT_CALLBACKS_H

#include "compat.h"

/* One event. */
struct ct_callback_spec {
    const char *event;       /* its name in sys.monitoring.events */
    const char *method;      /* of a tracer written in Python */
    _PyCFunctionFast native; /* of the native tracer; NULL when it has no interest */
};

extern const struct ct_callback_spec CT_CALLBACK_SPECS[];
extern const int ct_callback_count;

#endif
