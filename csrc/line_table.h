/* The lines of a code object's instructions. */
#ifndef CT_LINE_TABLE_H
#define CT_LINE_TABLE_H

#include "compat.h"

/* Fill in the line of each of `count` code units, 0 for those that have none. */
void ct_line_table_read(PyCodeObject *code, int32_t *lines, int count);

#endif
