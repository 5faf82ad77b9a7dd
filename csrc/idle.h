/* Lines that do nothing when they run, such as `try:`. */
#ifndef CT_IDLE_H
#define CT_IDLE_H

#include "compat.h"

/* Which lines of a code object these are. */
typedef struct {
    int32_t first;
    uint32_t count; /* lines from `first` on that have a bit */
    uint8_t bits[];
} ct_idle_lines;

/* The lines of a code object, owned by the caller (free); NULL when none is idle, or without
 * memory; no exception is left. */
ct_idle_lines *ct_idle_lines_of(PyCodeObject *code);

/* True when nothing happens between this line's event and the next event of a line in the frame. */
static inline bool ct_is_idle(const ct_idle_lines *idle, int32_t line)
{
    if (idle == NULL)
        return false;
    uint32_t at = (uint32_t)line - (uint32_t)idle->first;
    return at < idle->count && (idle->bits[at / 8] >> at % 8 & 1) != 0;
}

#endif
