/* From a journal's chunks to the records of a trace.
 *
 * An expander reads the chunks twice.  The first time it gathers names, source lines and calls; the
 * second time it produces the records of steps and values, and the calls.  It needs no interpreter
 * and holds no global state: one expander is used by one thread at a time, without the GIL. */
#ifndef CT_EXPAND_H
#define CT_EXPAND_H

#include <stddef.h>
#include <stdint.h>

typedef struct ct_expander ct_expander;

/* Why ct_expander_run came back. */
enum ct_expand_state {
    CT_EXPAND_CHUNK = 0,   /* feed the next chunk, or end the pass */
    CT_EXPAND_STEPS = 1,   /* a chunk of steps is complete: take it */
    CT_EXPAND_VALUES = 2,  /* a chunk of values is complete: take it */
    CT_EXPAND_DAMAGED = 3, /* the journal cannot be read further: end the pass here */
    CT_EXPAND_FAILED = 4,  /* memory or the temporary files gave out: there will be no trace */
    CT_EXPAND_EVENTS = 5   /* a chunk of events is complete: take it */
};

enum ct_expand_table {
    CT_TABLE_PATHS = 0,
    CT_TABLE_FUNCTIONS = 1,
    CT_TABLE_TYPES = 2,
    CT_TABLE_NAMES = 3
};

typedef struct {
    uint64_t steps;
    uint64_t calls;
    uint64_t threads;
    uint64_t calls_open;  /* when the recording ended */
    uint64_t task_bytes;  /* of what the calls tell of their tasks */
    uint64_t value_bytes; /* of all records of values */
    uint64_t steps_misplaced;
    uint64_t values_cut;
    uint64_t values_redacted;
    uint64_t values_dropped;
    uint64_t values_omitted;
    uint64_t values_unsupported;
    uint64_t damaged_sequence; /* of the chunk that could not be read on */
    uint64_t damaged_offset;   /* in that chunk */
    int32_t damage;            /* a number of enum ctj_error; 0: none */
} ct_expand_counts;

/* NULL when memory is out. */
ct_expander *ct_expander_new(void);
void ct_expander_free(ct_expander *e);

/* First pass.  `rows`, `blobs` and `tasks` are empty temporary files, which stay the caller's; the
 * path becomes number 0. 0, or -1 when memory or the files gave out. */
int ct_expander_collect(ct_expander *e, int rows, int blobs, int tasks, const uint8_t *path,
                        size_t length);
/* Give the next chunk, which must stay until ct_expander_run asks for another one.  `gap`: chunks
 * before it are lost. */
void ct_expander_feed(ct_expander *e, const uint8_t *chunk, size_t length, uint64_t sequence,
                      int gap);
int ct_expander_run(ct_expander *e);
/* End the first pass; the arguments tell how the program ended: 0 unknown, 1 `code`, 2 `label`. */
int ct_expander_collected(ct_expander *e, int kind, int64_t code, const uint8_t *label,
                          size_t length);
void ct_expander_counts(const ct_expander *e, ct_expand_counts *counts);

/* Type and message of the exception that ended the main module; empty when none did.  Valid until
 * the expander is freed. */
const uint8_t *ct_expander_uncaught(const ct_expander *e, size_t *length);

/* What the first pass gathered. */
size_t ct_expander_table_size(const ct_expander *e, int table);
/* One text, as the journal has it; valid until the expander is freed. */
const uint8_t *ct_expander_table_text(const ct_expander *e, int table, size_t number,
                                      size_t *length);

/* Between the passes: the source of each path, piece by piece; reset forgets a source that could
 * not be read. */
void ct_expander_source(ct_expander *e, size_t path, const uint8_t *piece, size_t length);
void ct_expander_source_reset(ct_expander *e, size_t path);
/* Number of lines of a path, known after ct_expander_write. */
size_t ct_expander_lines(const ct_expander *e, size_t path);
/* Line table as in the path's record, valid until the next call; NULL when memory is out. */
const uint8_t *ct_expander_line_table(ct_expander *e, size_t path, size_t *length);

/* Second pass: feed the same chunks again.  0 or -1. */
int ct_expander_write(ct_expander *e);
/* Records of values in a chunk. */
uint32_t ct_expander_values_per_chunk(const ct_expander *e);
/* From now on each chunk of values is made by the one of both expanders that begins it first, and
 * empty in the other one.  `e` is freed after `helper` has run.  NULL:
 * there is no other one any more. */
void ct_expander_share(ct_expander *e, ct_expander *helper);
/* Instead of all that comes before the second pass, in a new expander: it makes chunks of
 * values, and no steps or events that could be used.  The path is the one that the first pass is
 * given.  0 or -1. */
int ct_expander_help(ct_expander *e, uint32_t values_per_chunk, const uint8_t *path, size_t length);
/* The chunk of steps, values or events that is complete, or what there is of one after the end;
 * NULL when it is empty.  Valid until the next run. */
const uint8_t *ct_expander_take_steps(ct_expander *e, size_t *length);
const uint8_t *ct_expander_take_values(ct_expander *e, size_t *length);
const uint8_t *ct_expander_take_events(ct_expander *e, size_t *length);
/* Whether no other record fits into the chunk of events. */
int ct_expander_events_are_full(const ct_expander *e);
/* End the second pass; afterwards take what is left. */
int ct_expander_written(ct_expander *e);

/* The calls, after the second pass: the size of the next chunk of 256 records, 0 when there is
 * none, and then its bytes, piece by piece; 0 at the end of the chunk. */
uint64_t ct_expander_next_calls(ct_expander *e);
size_t ct_expander_read_calls(ct_expander *e, uint8_t *out, size_t room);
/* How the calls from `key` on begin and end, a byte for each; 0 when there is no such call. */
size_t ct_expander_edges(ct_expander *e, uint64_t key, uint8_t *out, size_t room);
/* The tasks of the chunk of 4,096 calls from `key` on, piece by piece: of each call that begins one
 * or goes on with it, uv key less `key`, uv length and the name as JSON; 0 at the end of the chunk.
 */
size_t ct_expander_tasks(ct_expander *e, uint64_t key, uint8_t *out, size_t room);
/* Whether memory or the temporary files gave out. */
int ct_expander_failed(const ct_expander *e);

#endif
