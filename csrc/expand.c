/* The expander: two passes over the chunks of a journal. */
#include "expand_units.h"

#include <stdlib.h>

_Static_assert(CT_STEPS_PER_CHUNK % CT_VALUES_PER_CHUNK == 0, "both chunks begin together");

ct_expander *ct_expander_new(void)
{
    return calloc(1, sizeof(ct_expander));
}

void ct_expander_free(ct_expander *e)
{
    if (!e)
        return;
    ct_names_free(&e->paths);
    ct_ids_free(&e->path_ids);
    for (uint32_t i = 0; i < e->lines_capacity; i++)
        ct_lines_free(&e->lines[i]);
    free(e->lines);
    ct_names_free(&e->names);
    ct_ids_free(&e->name_ids);
    ct_names_free(&e->function_texts);
    ct_ids_free(&e->function_numbers);
    ct_ids_free(&e->thread_functions);
    for (uint32_t i = 0; i < e->functions_capacity; i++)
        ct_function_free(e->functions[i]);
    free(e->functions);
    ct_marks_free(&e->marks);
    ct_values_free(&e->values);
    ct_stacks_free(&e->stacks);
    ct_calls_free(&e->calls);
    ct_buf_free(&e->step_records);
    ct_buf_free(&e->value_records);
    ct_buf_free(&e->uncaught);
    ct_buf_free(&e->unhidden);
    ct_buf_free(&e->table);
    ct_output_free(&e->output);
    free(e);
}

static int fail(ct_expander *e)
{
    e->ended = CT_EXPAND_FAILED;
    return -1;
}

static const uint8_t main_thread[] = "MainThread";

/* Begin a pass in the main thread. */
static bool begin_pass(ct_expander *e)
{
    ct_stacks_free(&e->stacks);
    e->stacks.current = ct_stacks_thread(&e->stacks, 0);
    e->in = (struct ctj_cursor){0};
    e->ended = 0;
    e->steps = 0;
    e->chunk_steps = 0;
    e->chunk_values = 0;
    e->at_frame = false;
    e->path = 0;
    e->line = 1;
    if (e->stacks.current)
        ct_output_name(&e->stacks.current->name,
                       (struct ct_span){main_thread, sizeof main_thread - 1});
    return e->stacks.current;
}

int ct_expander_collect(ct_expander *e, int rows, int blobs, int tasks, const uint8_t *path,
                        size_t length)
{
    static const char toplevel[] = "<toplevel>";
    struct ct_span name = {(const uint8_t *)toplevel, sizeof toplevel - 1};
    if (!ct_calls_start(&e->calls, rows, blobs, tasks) || !begin_pass(e) ||
        ct_expand_path(e, (struct ct_span){path, length}) == CT_NO_ID)
        return fail(e);
    e->values_per_chunk = CT_VALUES_PER_CHUNK;
    uint32_t function = ct_expand_add_function(e, name);
    if (function == CT_NO_ID ||
        ct_calls_open(&e->calls, function, CT_NO_CALL, 0, 0, CT_ENTRY_CALL) == CT_NO_CALL)
        return fail(e);
    return 0;
}

void ct_expander_feed(ct_expander *e, const uint8_t *chunk, size_t length, uint64_t sequence,
                      int gap)
{
    e->in = ctj_open(chunk, length);
    e->sequence = sequence;
    e->after_gap = gap;
    e->restored = NULL;
    ct_patterns_forget(&e->values.patterns);
    if (gap)
        ct_expand_lose_frames(e);
    ct_stacks_trim(&e->stacks);
}

static bool out_of_memory(const ct_expander *e)
{
    return e->in.error == CTJ_E_MEMORY || e->step_records.failed || e->value_records.failed ||
           e->uncaught.failed || e->unhidden.failed || e->output.records.failed ||
           ct_calls_failed(&e->calls);
}

/* Stop for good: at the unit that begins at `start`. */
static int stop(ct_expander *e, const uint8_t *start)
{
    if (out_of_memory(e)) {
        e->ended = CT_EXPAND_FAILED;
        return e->ended;
    }
    e->ended = CT_EXPAND_DAMAGED;
    e->counts.damage = (int32_t)e->in.error;
    e->counts.damaged_sequence = e->sequence;
    e->counts.damaged_offset = (uint64_t)(start - e->in.start);
    return e->ended;
}

int ct_expander_run(ct_expander *e)
{
    struct ctj_cursor *in = &e->in;
    struct ctj_record unit = {0};
    if (e->ended)
        return e->ended;
    for (;;) {
        if (e->writing && e->chunk_values == e->values_per_chunk)
            return CT_EXPAND_VALUES;
        if (e->chunk_steps == CT_STEPS_PER_CHUNK) {
            if (e->writing)
                return CT_EXPAND_STEPS;
            e->chunk_steps = 0;
        }
        if (e->output.chunk_events == CT_EVENTS_PER_CHUNK)
            return CT_EXPAND_EVENTS;
        if (ct_output_goes_on(&e->output)) {
            ct_output_line(e);
            continue;
        }
        const uint8_t *start = in->p;
        if (in->error || !ctj_next(in, &unit))
            return in->error ? stop(e, start) : CT_EXPAND_CHUNK;
        if (ct_expand_is_unplaced(e, &unit)) {
            ct_expand_place(e, &unit);
            in->p = start;
        } else {
            ct_expand_unit(e, &unit);
        }
        if (in->error || out_of_memory(e))
            return stop(e, start);
    }
}

int ct_expander_collected(ct_expander *e, int kind, int64_t code, const uint8_t *label,
                          size_t length)
{
    if (e->steps == 0)
        ct_expand_only_step(e);
    struct ct_values *values = &e->values;
    e->counts.steps_misplaced = e->calls.misplaced;
    e->counts.values_cut = values->losses.cut;
    e->counts.values_redacted = values->losses.redacted;
    e->counts.values_dropped = values->losses.dropped;
    e->counts.values_omitted = values->losses.omitted;
    e->counts.values_unsupported = values->losses.unsupported;
    e->counts.threads = e->stacks.seen;
    values->value.length = 0;
    if (kind == 1)
        ct_cbor_int(&values->value, code, ct_value_type(values, CT_T_INT));
    else if (kind == 2)
        ct_cbor_text(&values->value, CT_CBOR_STRING, (struct ct_span){label, length},
                     (struct ct_span){label, 0}, ct_value_type(values, CT_T_STR));
    if (kind)
        ct_calls_result(&e->calls, 0, ct_buf_span(&values->value), CT_EXIT_RETURN);
    for (uint32_t i = 0; i < e->stacks.capacity; i++) {
        if (e->stacks.threads[i])
            e->counts.calls_open += ct_pieces_settle(&e->calls, e->stacks.threads[i]);
    }
    ct_calls_settle(&e->calls, 0, &e->toplevel);
    e->total_steps = e->steps;
    e->counts.steps = e->steps;
    e->counts.calls = e->calls.count;
    e->counts.task_bytes = e->calls.tasks.length;
    return out_of_memory(e) || values->value.failed ? fail(e) : 0;
}

void ct_expander_counts(const ct_expander *e, ct_expand_counts *counts)
{
    *counts = e->counts;
    if (!e->writing)
        counts->steps = e->steps;
}

const uint8_t *ct_expander_uncaught(const ct_expander *e, size_t *length)
{
    *length = e->uncaught.length;
    return e->uncaught.data;
}

size_t ct_expander_table_size(const ct_expander *e, int table)
{
    switch (table) {
    case CT_TABLE_PATHS:
        return e->paths.count;
    case CT_TABLE_FUNCTIONS:
        return e->function_count;
    case CT_TABLE_TYPES:
        return e->values.types.count;
    default:
        return e->names.count;
    }
}

const uint8_t *ct_expander_table_text(const ct_expander *e, int table, size_t number,
                                      size_t *length)
{
    const struct ct_names *names = table == CT_TABLE_PATHS       ? &e->paths
                                   : table == CT_TABLE_FUNCTIONS ? &e->function_texts
                                   : table == CT_TABLE_TYPES     ? &e->values.types
                                                                 : &e->names;
    if (table == CT_TABLE_FUNCTIONS)
        number = ct_ids_get(&e->function_numbers, number);
    struct ct_span text = ct_names_text(names, (uint32_t)number);
    *length = text.length;
    return text.data;
}

void ct_expander_source(ct_expander *e, size_t path, const uint8_t *piece, size_t length)
{
    ct_lines_source(&e->lines[path], (struct ct_span){piece, length});
}

void ct_expander_source_reset(ct_expander *e, size_t path)
{
    ct_lines_reset(&e->lines[path]);
}

size_t ct_expander_lines(const ct_expander *e, size_t path)
{
    return e->lines[path].count;
}

const uint8_t *ct_expander_line_table(ct_expander *e, size_t path, size_t *length)
{
    e->table.length = 0;
    ct_lines_table(&e->lines[path], &e->table);
    *length = e->table.length;
    return e->table.failed ? NULL : e->table.data;
}

int ct_expander_write(ct_expander *e)
{
    uint64_t base = 0;
    for (uint32_t i = 0; i < e->paths.count; i++) {
        ct_lines_place(&e->lines[i], base);
        base += ct_lines_size(&e->lines[i]);
        if (e->lines[i].failed)
            return fail(e);
    }
    for (uint32_t i = 0; i < e->functions_capacity; i++) {
        if (e->functions[i])
            ct_vars_free(&e->functions[i]->globals);
    }
    e->writing = true;
    ct_calls_rewind(&e->calls, e->total_steps);
    return begin_pass(e) ? 0 : fail(e);
}

void ct_expander_share(ct_expander *e, ct_expander *helper)
{
    e->claims = 0;
    e->claimed = helper ? &e->claims : NULL;
    if (helper)
        helper->claimed = e->claimed;
}

int ct_expander_help(ct_expander *e, uint32_t values_per_chunk, const uint8_t *path, size_t length)
{
    e->writing = e->is_helper = true;
    e->values_per_chunk = values_per_chunk;
    struct ct_span text = {path, length};
    return begin_pass(e) && ct_expand_path(e, text) != CT_NO_ID ? 0 : fail(e);
}

uint32_t ct_expander_values_per_chunk(const ct_expander *e)
{
    return e->values_per_chunk;
}

static const uint8_t *take(struct ct_buf *buf, uint32_t *records, size_t *length)
{
    *length = buf->length;
    *records = 0;
    buf->length = 0;
    return *length ? buf->data : NULL;
}

const uint8_t *ct_expander_take_steps(ct_expander *e, size_t *length)
{
    return take(&e->step_records, &e->chunk_steps, length);
}

const uint8_t *ct_expander_take_values(ct_expander *e, size_t *length)
{
    return take(&e->value_records, &e->chunk_values, length);
}

const uint8_t *ct_expander_take_events(ct_expander *e, size_t *length)
{
    return take(&e->output.records, &e->output.chunk_events, length);
}

int ct_expander_events_are_full(const ct_expander *e)
{
    return e->output.chunk_events == CT_EVENTS_PER_CHUNK;
}

int ct_expander_written(ct_expander *e)
{
    ct_output_break(e);
    if (e->steps == 0)
        ct_expand_only_step(e);
    return out_of_memory(e) ? fail(e) : 0;
}

uint64_t ct_expander_next_calls(ct_expander *e)
{
    return ct_calls_next_chunk(&e->calls);
}

size_t ct_expander_read_calls(ct_expander *e, uint8_t *out, size_t room)
{
    return ct_calls_read(&e->calls, out, room);
}

size_t ct_expander_edges(ct_expander *e, uint64_t key, uint8_t *out, size_t room)
{
    return ct_calls_edges(&e->calls, key, out, room);
}

size_t ct_expander_tasks(ct_expander *e, uint64_t key, uint8_t *out, size_t room)
{
    return ct_calls_tasks(&e->calls, key, out, room);
}

int ct_expander_failed(const ct_expander *e)
{
    return e->ended == CT_EXPAND_FAILED || ct_calls_failed(&e->calls);
}
