/* Where the lines of each source file lie on the trace's one axis of positions. */
#ifndef CT_EXPAND_LINES_H
#define CT_EXPAND_LINES_H

#include "cbor.h"

/* A line number above this is clamped: each line up to the highest takes a place in the trace's
 * tables. */
#define CT_LINE_LIMIT (1u << 20)

struct ct_lines {
    uint32_t *ends; /* where each line ends, counted from the file's first position */
    uint32_t count;
    uint32_t capacity;
    uint32_t highest; /* line that the trace mentions */
    uint32_t open;    /* bytes of the source's last line, while it has no newline */
    bool after_cr;
    bool failed;
    uint64_t base; /* position of the first line */
};

/* Add the next piece of the source: each line takes its bytes without the newline, plus one. */
void ct_lines_source(struct ct_lines *lines, struct ct_span piece);
/* Forget the source: it could not be read to its end. */
void ct_lines_reset(struct ct_lines *lines);
/* The source is complete: place the file at `base` and give a position to each line that only the
 * trace has. */
void ct_lines_place(struct ct_lines *lines, uint64_t base);
/* Position of the first column of a line. */
uint64_t ct_lines_position(const struct ct_lines *lines, uint32_t line);
/* How many positions the file takes. */
uint64_t ct_lines_size(const struct ct_lines *lines);
/* Append the line table of a path's record. */
void ct_lines_table(const struct ct_lines *lines, struct ct_buf *out);
void ct_lines_free(struct ct_lines *lines);

#endif
