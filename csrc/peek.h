/* What is in a pipe, without taking it out. */
#ifndef CT_PEEK_H
#define CT_PEEK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Copy the first bytes of the pipe that a descriptor writes to.  Returns how many; 0 when there are
 * none, when the descriptor leads to something else than `pipe`, or where the system cannot do it.
 * Nothing waits. */
size_t ct_peek(int descriptor, const struct stat *pipe, uint8_t *bytes, size_t size);

#endif
