/* Records of calls, gathered in temporary files while the journal is read, and written out in the
 * end: a call's record names its last step, its result and its children, which are known long after
 * its place in the stream. */
#ifndef CT_EXPAND_CALLS_H
#define CT_EXPAND_CALLS_H

#include "expand_store.h"

#define CT_NO_CALL         UINT32_MAX
#define CT_CALLS_PER_CHUNK 256
#define CT_TASKS_PER_CHUNK 4096 /* calls, with a task or without */

/* A record in the temporary file; 64 bytes, so that it never crosses a page. */
struct ct_call_row {
    uint64_t first;
    uint64_t last;        /* CT_CALL_OPEN: as long as the trace */
    uint64_t args;        /* where the arguments lie in the second file; 0: none */
    uint64_t result;      /* where return value and exception lie; 0: neither */
    uint64_t child_bytes; /* bytes of the children's keys as varints */
    uint32_t function;
    uint32_t parent;
    uint32_t depth : 24;
    uint32_t entry : 4; /* enum ct_entry */
    uint32_t exit : 4;  /* enum ct_exit */
    uint32_t next;      /* sibling */
    uint32_t child;
    uint32_t children;
};

#define CT_CALL_OPEN UINT64_MAX

/* How a call's record begins and ends.  The numbers stand in edges.dat, which docs/trace.md
 * describes. */
enum ct_entry {
    CT_ENTRY_CALL = 0,
    CT_ENTRY_FOUND = 1, /* it was running already */
    CT_ENTRY_RESUME = 2,
    CT_ENTRY_THROW = 3,
    CT_ENTRY_SWITCH = 4, /* its thread goes on after another one */
};

enum ct_exit {
    CT_EXIT_OPEN = 0, /* it was running when the recording ended */
    CT_EXIT_RETURN = 1,
    CT_EXIT_YIELD = 2,
    CT_EXIT_UNWIND = 3,
    CT_EXIT_LOST = 4,   /* unseen */
    CT_EXIT_SWITCH = 5, /* another thread runs; a later record may go on */
};

_Static_assert(sizeof(struct ct_call_row) == 64, "rows fill pages without a rest");

/* The children of a call that is still open. */
struct ct_family {
    uint64_t bytes;
    uint32_t first;
    uint32_t last;
    uint32_t count;
};

struct ct_calls {
    struct ct_store rows;
    struct ct_store blobs;
    struct ct_store tasks; /* u32 key, u32 length and text of the calls that tell their task */
    uint64_t tasks_read;
    uint64_t count;
    uint64_t misplaced;    /* steps that the ranges give to a call that has no step of its own */
    uint64_t misplaced_at; /* the last of them, plus 1 */
    struct ct_known_blob *known; /* short blobs written lately, by hash */
    struct ct_buf scratch;
    /* The record that is being written out. */
    uint64_t total_steps;
    uint64_t next_key;
    uint64_t chunk_end;
    uint32_t next_child;
    uint32_t children_left;
    struct ct_buf head;
    size_t head_done;
};

/* The files are empty, open for reading and writing, and stay the caller's. */
bool ct_calls_start(struct ct_calls *calls, int rows, int blobs, int tasks);
void ct_calls_free(struct ct_calls *calls);
bool ct_calls_failed(const struct ct_calls *calls);

/* Add a call without arguments.  Returns its key, CT_NO_CALL on failure. */
uint32_t ct_calls_open(struct ct_calls *calls, uint32_t function, uint32_t parent, uint32_t depth,
                       uint64_t first, enum ct_entry entry);
/* The task, as JSON, that the youngest call and those that it makes run in. */
void ct_calls_task(struct ct_calls *calls, uint32_t key, struct ct_span name);
/* Give a call its arguments, as in the record, after their count. */
void ct_calls_arguments(struct ct_calls *calls, uint32_t key, uint32_t count, struct ct_span args);
/* Make `key` the youngest child of the call whose children are `family`. */
void ct_calls_adopt(struct ct_calls *calls, struct ct_family *family, uint32_t key);
void ct_calls_end(struct ct_calls *calls, uint32_t key, uint64_t last);
void ct_calls_exit(struct ct_calls *calls, uint32_t key, enum ct_exit exit);
/* `value` is the CBOR of what the call returned or yielded, or of the exception that ended it. */
void ct_calls_result(struct ct_calls *calls, uint32_t key, struct ct_span value, enum ct_exit exit);
/* Store the children, which are complete, and make `family` empty. */
void ct_calls_settle(struct ct_calls *calls, uint32_t key, struct ct_family *family);

/* Begin writing out, in a trace of `total_steps`. */
void ct_calls_rewind(struct ct_calls *calls, uint64_t total_steps);
/* Begin the next chunk and return its size in bytes; 0 when all are written or the calls have
 * failed. */
uint64_t ct_calls_next_chunk(struct ct_calls *calls);
/* Write the next bytes of the chunk; 0 at its end. */
size_t ct_calls_read(struct ct_calls *calls, uint8_t *out, size_t room);
/* Write a byte for each call from `key` on, 16 * exit + entry; returns their number. */
size_t ct_calls_edges(struct ct_calls *calls, uint64_t key, uint8_t *out, size_t room);
/* Write the next tasks of the chunk of calls from `key` on: for each uv key less that of the chunk,
 * uv length, text; 0 when it has no more.  Chunks come in their order. */
size_t ct_calls_tasks(struct ct_calls *calls, uint64_t key, uint8_t *out, size_t room);

#endif
