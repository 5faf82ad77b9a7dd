/* Records of the module `logging`, as events: what a logger hands to its handlers. */
#ifndef CT_LOGGING_H
#define CT_LOGGING_H

#include "boundary.h"

/* Whether this session records them. */
extern bool ct_logging_wanted;

/* The code object whose end means that handlers have had a record; NULL before it has run. */
extern PyObject *ct_logging_code;

/* Code that starts for the first time: it may be the logger's. */
void ct_logging_see(PyCodeObject *code);

/* The innermost frame, which runs ct_logging_code, is about to return. */
enum ct_go ct_logging_handled(void);

void ct_logging_close(void);

#endif
