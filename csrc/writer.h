/* The writer: sealed chunks are compressed and appended to the journal, by a thread or where the
 * program waits for it. */
#ifndef CT_WRITER_H
#define CT_WRITER_H

#include <stdbool.h>

/* In a forked child, before anything else runs there: there is no writer. */
void ct_writer_forked(void);

#endif
