/* The records of steps and of values. */
#include "expand_records.h"

static void put_position(struct ct_expander *e, uint32_t path, uint32_t line)
{
    e->path = path;
    e->line = line;
    if (!e->writing || e->is_helper) {
        if (e->lines[path].highest < line)
            e->lines[path].highest = line;
        return;
    }
    uint64_t position = ct_lines_position(&e->lines[path], line);
    int64_t change = (int64_t)(position - e->position);
    uint8_t record[1 + CT_UV_MAX];
    size_t size = 1;
    if (e->chunk_steps && change >= -64 && change <= 63) {
        record[0] = CT_STEP_DELTA;
        record[size++] = (uint8_t)ct_uv_zigzag(change);
    } else {
        record[0] = CT_STEP_ABSOLUTE;
        size += ct_uv_store(record + 1, position);
    }
    ct_buf_put(&e->step_records, record, size);
    e->position = position;
}

void ct_record_mark(struct ct_expander *e, uint8_t tag, uint64_t number)
{
    if (e->writing) {
        ct_buf_put(&e->step_records, &tag, 1);
        ct_buf_uv(&e->step_records, number);
    }
}

/* What a step shows: up to three runs of entries, and how many entries they have. */
struct shown {
    struct ct_span runs[3];
    uint64_t count;
};

/* Copy the entries whose names no earlier run has. */
static struct shown hide(struct ct_expander *e, const struct ct_vars *const parts[3])
{
    struct shown shown = {0};
    struct ct_buf *out = &e->unhidden;
    out->length = 0;
    if (!ct_marks_clear(&e->marks, e->names.count)) {
        out->failed = true;
        return shown;
    }
    for (size_t part = 0; part < 3; part++) {
        const struct ct_vars *vars = parts[part];
        for (uint32_t i = 0; i < vars->count; i++) {
            const struct ct_var *var = &vars->of[i];
            if (var->size && !ct_marks_has(&e->marks, var->name)) {
                ct_buf_put(out, vars->run.data + var->at, var->size);
                shown.count++;
            }
        }
        for (uint32_t i = 0; i < vars->count; i++) {
            if (vars->of[i].size)
                ct_marks_add(&e->marks, vars->of[i].name);
        }
    }
    shown.runs[0] = ct_buf_span(out);
    return shown;
}

static struct shown variables(struct ct_expander *e, const struct ct_frame *frame)
{
    if (!frame)
        return (struct shown){0};
    const struct ct_vars *const parts[3] = {&frame->slots, &frame->named,
                                            &frame->function->globals};
    bool slots = parts[0]->bound, named = parts[1]->bound, globals = parts[2]->bound;
    if ((named && (slots || globals)) || (slots && globals && frame->function->clashes))
        return hide(e, parts);
    struct shown shown = {0};
    for (size_t part = 0; part < 3; part++) {
        shown.runs[part] = ct_buf_span(&parts[part]->run);
        shown.count += parts[part]->bound;
    }
    return shown;
}

/* Of two expanders the one that is there first makes a chunk of values: so both are busy, whatever
 * else each has to do. */
static void claim_values(struct ct_expander *e)
{
    uint64_t chunk = e->value_chunks++;
    e->is_others = !atomic_compare_exchange_strong(e->claimed, &chunk, chunk + 1);
}

/* Let as many records go into a chunk as no chunk up to here is too large for, with this record. */
static void fit_chunks(struct ct_expander *e, size_t size)
{
    uint64_t *ends = e->value_ends;
    uint32_t at = e->chunk_values % CT_VALUES_PER_CHUNK;
    ends[at + 1] = ends[at] + size;
    while (e->values_per_chunk > 1 &&
           ends[at + 1] - ends[at & -e->values_per_chunk] > CT_VALUES_CHUNK_BYTES)
        e->values_per_chunk /= 2;
    e->counts.value_bytes += size;
}

void ct_record_values(struct ct_expander *e, const struct ct_frame *frame)
{
    if (e->claimed && e->chunk_values == 0)
        claim_values(e);
    if (e->is_others)
        return;
    struct shown shown = variables(e, frame);
    size_t bytes = shown.runs[0].length + shown.runs[1].length + shown.runs[2].length;
    size_t record = shown.count ? 1 + ct_uv_size(shown.count) + bytes : 0;
    size_t size = ct_uv_size(record) + record;
    if (!e->writing) {
        fit_chunks(e, size);
        return;
    }
    uint8_t *at = ct_buf_take(&e->value_records, size);
    if (!at)
        return;
    at += ct_uv_store(at, record);
    if (shown.count) {
        *at++ = 0;
        at += ct_uv_store(at, shown.count);
        for (size_t i = 0; i < 3; i++) {
            if (shown.runs[i].length)
                memcpy(at, shown.runs[i].data, shown.runs[i].length);
            at += shown.runs[i].length;
        }
    }
}

void ct_record_end(struct ct_expander *e)
{
    e->steps++;
    e->chunk_steps++;
    e->chunk_values++;
}

void ct_record_step(struct ct_expander *e, uint32_t path, uint32_t line,
                    const struct ct_frame *frame)
{
    put_position(e, path, line);
    ct_record_values(e, frame);
    ct_record_end(e);
    e->at_frame = frame != NULL;
}
