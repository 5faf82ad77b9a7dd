/* os._exit ends the process at once: the journal is closed before. */
#ifndef CT_LEAVING_H
#define CT_LEAVING_H

#include "compat.h"

/* Let `at_exit` be called with the status before os._exit ends the process, in whichever thread
 * that happens; it is called once.  With the GIL held. */
void ct_leaving_open(PyObject *at_exit);

#endif
