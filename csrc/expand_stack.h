/* Threads, their frames, and the functions the frames run. */
#ifndef CT_EXPAND_STACK_H
#define CT_EXPAND_STACK_H

#include "expand_calls.h"
#include "expand_names.h"
#include "expand_vars.h"

struct ct_function {
    uint32_t number; /* in the trace */
    uint32_t path;   /* in the trace */
    uint32_t first_line;
    uint32_t slot_count;
    uint32_t global_count;
    uint32_t *slot_names; /* of the trace; the globals' names follow in the same memory */
    uint32_t *global_names;
    bool is_module; /* it is the body of a module */
    bool is_coroutine;
    bool clashes;           /* a global has the name of a slot */
    struct ct_vars globals; /* shown after the variables of each frame of the function */
};

struct ct_frame {
    struct ct_function *function;
    uint64_t line; /* a signed number, modulo 2^64: damaged journals may add up to anything */
    struct ct_vars slots;
    struct ct_vars named;
    struct ct_family family; /* of the latest piece */
    uint32_t key;            /* of the latest piece; CT_NO_CALL before the first */
    uint32_t stint;          /* of the thread in which the piece was begun */
};

/* A call's record may not span a switch of threads.  The steps of a thread between two switches are
 * a stint; a frame that steps in another stint than before gets another piece, a record of its own.
 */
struct ct_thread {
    uint64_t id;
    struct ct_frame *frames;
    uint32_t depth;
    uint32_t capacity;
    uint32_t stint;
    uint32_t function;  /* number of `<thread NAME>` */
    struct ct_buf name; /* as JSON */
    struct ct_buf task; /* of its coroutines, as JSON; empty when they run in none */
    struct ct_family family;
    uint32_t key; /* of the thread's root in this or an earlier stint */
    uint32_t key_stint;
};

#define CT_THREAD_LIMIT (1u << 20)
#define CT_DEPTH_LIMIT  (1u << 23) /* a row of calls has 24 bits for the depth */

struct ct_stacks {
    struct ct_thread **threads; /* by id; NULL: unknown or ended */
    uint32_t capacity;
    struct ct_thread *current;
    uint64_t seen; /* threads, ever */
};

/* The thread `id`, which is made when it is new; NULL when memory is out or the id is absurd. */
struct ct_thread *ct_stacks_thread(struct ct_stacks *stacks, uint64_t id);
void ct_stacks_end_thread(struct ct_stacks *stacks, uint64_t id);
/* Release the memory of variables that no difference can refer to, beyond what small stacks need.
 */
void ct_stacks_trim(struct ct_stacks *stacks);
void ct_stacks_free(struct ct_stacks *stacks);

/* Push a frame; NULL when memory is out or the stack absurdly deep. */
struct ct_frame *ct_thread_push(struct ct_thread *thread, struct ct_function *function,
                                uint64_t line);
void ct_thread_pop(struct ct_thread *thread);

/* The name of the task that the thread runs, as JSON; empty when it runs none. */
struct ct_span ct_thread_task(const struct ct_thread *thread);

static inline struct ct_frame *ct_thread_top(struct ct_thread *thread)
{
    return thread->depth ? &thread->frames[thread->depth - 1] : NULL;
}

/* The record of a frame's piece in this stint, begun at `step` when there is none. */
uint32_t ct_piece(struct ct_calls *calls, struct ct_thread *thread, uint32_t index,
                  struct ct_family *toplevel, uint64_t step);
/* Begin the record of a frame that has just been pushed. */
void ct_piece_open(struct ct_calls *calls, struct ct_thread *thread, struct ct_family *toplevel,
                   uint64_t step, enum ct_entry entry);
/* End the pieces of this stint at step `last` and begin another stint. */
void ct_stint_end(struct ct_calls *calls, struct ct_thread *thread, uint64_t last);
/* Store the children of all calls of the thread that are still open; returns how many these are. */
uint32_t ct_pieces_settle(struct ct_calls *calls, struct ct_thread *thread);

void ct_function_free(struct ct_function *function);

#endif
