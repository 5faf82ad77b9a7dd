/* What comes to the program's standard descriptors past the methods that are hooked: from C code,
 * from child processes, through other descriptors of the same file.
 *
 * A stream's bytes are read back from a file: the one that the descriptor leads to, or the copy
 * that a forwarding process makes (forward.h).  Those that the hooks account for are taken off
 * there; the others are recorded, at the line that runs when they are seen.  All functions need the
 * GIL. */
#ifndef CT_MIRROR_H
#define CT_MIRROR_H

#include <stddef.h>
#include <stdint.h>

#include "tracer.h"

#define CT_NO_MIRROR (-1)

extern int ct_mirror_count;

/* Bytes that were handed on without a copy, because the recorder was too far behind. */
extern uint64_t ct_mirror_missed;

/* The mirror of the file that a descriptor leads to, CT_NO_MIRROR when there is none. */
int ct_mirror_of_descriptor(int number);

/* Around a write that the hooks account for, or that the recorder makes itself: nothing is looked
 * at in between.  What the first returns the second takes; `length` bytes were written. */
uint64_t ct_mirror_write_begins(int mirror);
void ct_mirror_write_ends(int mirror, uint64_t began, const uint8_t *bytes, size_t length);

/* Record what others have written up to now, if the last line has taken so long that it can have
 * made a system call.  Called at every boundary between units. */
enum ct_go ct_mirror_look(void);

/* In a forked child: the thread that looks at mirrors is not there, though another thread of the
 * program may have let it start again while this one was forking. */
void ct_mirror_forked(void);

#endif
