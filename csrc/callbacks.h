/* The events of sys.monitoring as a table, and the functions that are registered for them. */
#ifndef CT_CALLBACKS_H
#define CT_CALLBACKS_H

#include "compat.h"

/* The rows of the table. */
enum ct_row {
    CT_ROW_START,
    CT_ROW_RESUME,
    CT_ROW_RETURN,
    CT_ROW_YIELD,
    CT_ROW_THROW,
    CT_ROW_UNWIND,
    CT_ROW_LINE,
    CT_ROW_CALL,
    CT_ROW_INSTRUCTION,
    CT_ROW_JUMP,
#if CT_BRANCH_HAS_SIDES
    CT_ROW_BRANCH_LEFT,
    CT_ROW_BRANCH_RIGHT,
#else
    CT_ROW_BRANCH,
#endif
    CT_ROW_RAISE,
    CT_ROW_RERAISE,
    CT_ROW_HANDLED,
    CT_ROW_C_RETURN,
    CT_ROW_C_RAISE,
};

/* One event. */
struct ct_callback_spec {
    const char *event;       /* its name in sys.monitoring.events */
    const char *method;      /* of a tracer written in Python */
    _PyCFunctionFast native; /* of the native tracer; NULL when it has no interest */
};

extern const struct ct_callback_spec CT_CALLBACK_SPECS[];
extern const int ct_callback_count;

#endif
