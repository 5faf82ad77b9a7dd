/* What the parts of the expander share: its state, and the units that change it. */
#ifndef CT_EXPAND_UNITS_H
#define CT_EXPAND_UNITS_H

#include <stdatomic.h>

#include "expand.h"
#include "expand_lines.h"
#include "expand_output.h"
#include "expand_stack.h"
#include "expand_value.h"

#define CT_STEPS_PER_CHUNK  4096
#define CT_VALUES_PER_CHUNK 256
/* A chunk of values holds fewer records when it would exceed this. */
#define CT_VALUES_CHUNK_BYTES ((uint64_t)4 << 20)
/* The policy allows steps of 64 MiB at most. */
#define CT_RECORD_LIMIT ((size_t)96 << 20)
/* The message of a raise record; the whole exception is in the call's record. */
#define CT_MESSAGE_LIMIT 512

struct ct_expander {
    bool writing; /* the second pass */
    int ended;    /* CT_EXPAND_DAMAGED or CT_EXPAND_FAILED, once that is so */
    struct ctj_cursor in;
    uint64_t sequence;
    bool after_gap;
    struct ct_thread *restored; /* whose frames follow, behind a gap */

    struct ct_names paths;
    struct ct_ids path_ids;
    struct ct_lines *lines; /* by number of the path */
    uint32_t lines_capacity;
    struct ct_names names;
    struct ct_ids name_ids;
    struct ct_names function_texts;
    struct ct_ids function_numbers; /* function of the trace -> its text */
    uint32_t function_count;
    struct ct_ids thread_functions; /* text -> function of the trace */
    struct ct_function **functions; /* by id of the journal */
    uint32_t functions_capacity;
    struct ct_marks marks;

    struct ct_values values;
    struct ct_stacks stacks;
    struct ct_calls calls;
    struct ct_family toplevel;

    uint64_t steps;
    uint32_t chunk_steps;
    bool at_frame; /* the last step is one of the current thread's innermost frame */
    struct ct_output output;
    uint32_t path; /* where the last step was */
    uint32_t line;
    uint64_t position;
    struct ct_buf step_records;
    uint32_t values_per_chunk;
    uint32_t chunk_values;
    uint64_t value_chunks;     /* begun */
    _Atomic uint64_t *claimed; /* how many chunks of values this expander or the other one of two
                                  makes; NULL: there is no other one */
    _Atomic uint64_t claims;   /* of both */
    bool is_others;            /* the chunk of values is made by the other one */
    bool is_helper;            /* only chunks of values are asked of this expander */
    /* Where the records of the longest chunk end, of which shorter ones are parts */
    uint64_t value_ends[1 + CT_VALUES_PER_CHUNK];
    struct ct_buf value_records;
    struct ct_buf uncaught; /* type and message of what ended the main module; empty when nothing
                               did */
    struct ct_buf unhidden; /* the variables of a step in which one name occurs twice */
    struct ct_buf table;

    uint64_t total_steps;
    ct_expand_counts counts;
};

/* Apply one unit, whose value, lists and items are still to be read. */
void ct_expand_unit(struct ct_expander *e, const struct ctj_record *unit);
/* Whether the unit writes a record that has no position of its own where it needs one: at the start
 * of a chunk of steps, for an exception when the last step was elsewhere, and for output when the
 * last step was of another frame. */
bool ct_expand_is_unplaced(const struct ct_expander *e, const struct ctj_record *unit);
/* A step that gives such a record its position. */
void ct_expand_place(struct ct_expander *e, const struct ctj_record *unit);
/* A step of no frame at the start of path 0, for a trace that has none. */
void ct_expand_only_step(struct ct_expander *e);
/* Close all frames: what comes next does not continue what came before. */
void ct_expand_lose_frames(struct ct_expander *e);

/* Definitions. */
void ct_expand_define_path(struct ct_expander *e, uint64_t id, struct ct_span text);
void ct_expand_define_name(struct ct_expander *e, uint64_t id, struct ct_span text);
void ct_expand_define_function(struct ct_expander *e, const struct ctj_record *unit);
/* The function `id` of the journal; NULL and an error in the cursor when it is not defined. */
struct ct_function *ct_expand_function(struct ct_expander *e, uint64_t id);
/* Number of a function that the journal does not know; CT_NO_ID when memory is out. */
uint32_t ct_expand_add_function(struct ct_expander *e, struct ct_span text);
uint32_t ct_expand_thread_function(struct ct_expander *e, uint64_t id, struct ct_span name);
/* Number of the path, with room for its lines; CT_NO_ID when memory is out. */
uint32_t ct_expand_path(struct ct_expander *e, struct ct_span text);

static inline uint32_t ct_expand_line(uint64_t line)
{
    if ((int64_t)line < 1)
        return 1;
    return line < CT_LINE_LIMIT ? (uint32_t)line : CT_LINE_LIMIT;
}

#endif
