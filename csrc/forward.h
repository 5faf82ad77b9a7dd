/* A process that hands on what is written to pipes, and keeps a copy for the recorder.
 *
 * It is a process of its own so that nothing is lost or held back when the recorded one is killed,
 * replaces itself with another program, or ends before its children.  It is nobody's child, has a
 * session of its own, and ends when every descriptor of the pipes is closed. */
#ifndef CT_FORWARD_H
#define CT_FORWARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CT_FORWARDS 2

/* Bytes that the recorder is behind with; further ones are handed on without a copy. */
#define CT_FORWARD_BACKLOG ((uint64_t)64 << 20)

/* What both processes see, only ever growing. */
struct ct_forward_state {
    struct {
        uint64_t taken;  /* out of the pipe, or just about to be */
        uint64_t copied; /* or missed */
        uint64_t done;   /* handed on */
        uint64_t missed; /* handed on without a copy */
        uint64_t looked; /* copies that the recorder has looked at, told by it */
        bool has_ended;  /* nothing more is taken, and nobody reads what is still in the pipe */
    } of[CT_FORWARDS];
    bool is_over; /* the recorder wants no more copies */
};

/* One pipe: where it is read, where that goes, and the file that takes copies. */
struct ct_forward {
    int pipe, target, copy;
};

/* Start the process for the first `count` pipes.  The caller keeps its descriptors.  Returns 0 or
 * an errno. */
int ct_forward_start(const struct ct_forward *forwards, int count, struct ct_forward_state **state);

/* Let go of the state; the process goes on, without making copies if `is_over`. */
void ct_forward_leave(struct ct_forward_state *state, bool is_over);

#endif
