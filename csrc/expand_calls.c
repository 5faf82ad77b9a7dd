/* Call records: rows of fixed size in one temporary file, values in another.
 *
 * A blob is a u32 length and that many bytes, as they will stand in the record:
 *   arguments  uv count, then uv name, uv length, CBOR of each
 *   result     uv length, CBOR returned, uv length, CBOR of the exception
 */
#include "expand_calls.h"

#include <stdlib.h>

#define KNOWN_BLOBS 1024
#define KNOWN_BYTES 52

struct ct_known_blob {
    uint64_t at;
    uint32_t length;
    uint8_t bytes[KNOWN_BYTES];
};

/* A record without arguments; one that returned nothing and raised nothing. */
static const uint8_t NO_ARGS[] = {0};
static const uint8_t NO_RESULT[] = {1, 0xFF, 0};

bool ct_calls_start(struct ct_calls *calls, int rows, int blobs, int tasks)
{
    *calls = (struct ct_calls){0};
    ct_store_open(&calls->rows, rows);
    ct_store_open(&calls->blobs, blobs);
    ct_store_open(&calls->tasks, tasks);
    /* Offset 0 means that there is no blob. */
    ct_store_append(&calls->blobs, (struct ct_span){(const uint8_t *)"\0\0\0", 4});
    calls->known = calloc(KNOWN_BLOBS, sizeof *calls->known);
    return calls->known && !calls->blobs.failed;
}

void ct_calls_free(struct ct_calls *calls)
{
    ct_store_close(&calls->rows);
    ct_store_close(&calls->blobs);
    ct_store_close(&calls->tasks);
    ct_buf_free(&calls->scratch);
    ct_buf_free(&calls->head);
    free(calls->known);
    calls->known = NULL;
}

bool ct_calls_failed(const struct ct_calls *calls)
{
    return calls->rows.failed || calls->blobs.failed || calls->tasks.failed ||
           calls->scratch.failed || calls->head.failed;
}

static struct ct_call_row *row_at(struct ct_calls *calls, uint64_t key, bool change)
{
    uint64_t offset = key * sizeof(struct ct_call_row);
    return (struct ct_call_row *)(void *)ct_store_at(&calls->rows, offset,
                                                     sizeof(struct ct_call_row), change);
}

/* Calls repeat their arguments and results: a short blob that was written lately is referred to
 * again. */
static uint64_t put_blob(struct ct_calls *calls, struct ct_span blob)
{
    struct ct_known_blob *known = NULL;
    if (blob.length <= KNOWN_BYTES) {
        uint64_t hash = blob.length;
        for (size_t i = 0; i < blob.length; i++)
            hash = (hash ^ blob.data[i]) * UINT64_C(0x100000001B3);
        known = &calls->known[(hash ^ hash >> 29) % KNOWN_BLOBS];
        if (known->at && known->length == blob.length &&
            memcmp(known->bytes, blob.data, blob.length) == 0)
            return known->at;
    }
    uint32_t length = (uint32_t)blob.length;
    uint64_t at =
        ct_store_append(&calls->blobs, (struct ct_span){(const uint8_t *)&length, sizeof length});
    ct_store_append(&calls->blobs, blob);
    if (known) {
        known->at = at;
        known->length = length;
        memcpy(known->bytes, blob.data, blob.length);
    }
    return at;
}

uint32_t ct_calls_open(struct ct_calls *calls, uint32_t function, uint32_t parent, uint32_t depth,
                       uint64_t first, enum ct_entry entry)
{
    if (calls->count >= CT_NO_CALL) {
        calls->rows.failed = true;
        return CT_NO_CALL;
    }
    uint32_t key = (uint32_t)calls->count;
    struct ct_call_row *row = row_at(calls, key, true);
    if (!row)
        return CT_NO_CALL;
    *row = (struct ct_call_row){
        .first = first,
        .last = CT_CALL_OPEN,
        .function = function,
        .parent = parent,
        .depth = depth,
        .entry = entry,
        .next = CT_NO_CALL,
        .child = CT_NO_CALL,
    };
    calls->count++;
    return key;
}

void ct_calls_task(struct ct_calls *calls, uint32_t key, struct ct_span name)
{
    const uint32_t head[] = {key, (uint32_t)name.length};
    ct_store_append(&calls->tasks, (struct ct_span){(const uint8_t *)head, sizeof head});
    ct_store_append(&calls->tasks, name);
}

void ct_calls_arguments(struct ct_calls *calls, uint32_t key, uint32_t count, struct ct_span args)
{
    if (count == 0)
        return;
    calls->scratch.length = 0;
    ct_buf_uv(&calls->scratch, count);
    ct_buf_put(&calls->scratch, args.data, args.length);
    uint64_t at = put_blob(calls, ct_buf_span(&calls->scratch));
    struct ct_call_row *row = row_at(calls, key, true);
    if (row)
        row->args = at;
}

void ct_calls_adopt(struct ct_calls *calls, struct ct_family *family, uint32_t key)
{
    if (family->count == 0) {
        family->first = key;
    } else {
        struct ct_call_row *elder = row_at(calls, family->last, true);
        if (elder)
            elder->next = key;
    }
    family->last = key;
    family->count++;
    family->bytes += ct_uv_size(key);
}

void ct_calls_end(struct ct_calls *calls, uint32_t key, uint64_t last)
{
    struct ct_call_row *row = row_at(calls, key, true);
    if (!row)
        return;
    row->last = last;
    /* Every range has a step: that of a call without one takes the step before it. */
    if (row->first > last && calls->misplaced_at != last + 1) {
        calls->misplaced_at = last + 1;
        calls->misplaced++;
    }
}

void ct_calls_exit(struct ct_calls *calls, uint32_t key, enum ct_exit exit)
{
    struct ct_call_row *row = row_at(calls, key, true);
    if (row)
        row->exit = exit;
}

void ct_calls_result(struct ct_calls *calls, uint32_t key, struct ct_span value, enum ct_exit exit)
{
    bool exception = exit == CT_EXIT_UNWIND;
    struct ct_buf *scratch = &calls->scratch;
    scratch->length = 0;
    if (exception)
        ct_buf_put(scratch, NO_RESULT, 2);
    ct_buf_uv(scratch, value.length);
    ct_buf_put(scratch, value.data, value.length);
    if (!exception)
        ct_buf_uv(scratch, 0);
    uint64_t at = put_blob(calls, ct_buf_span(scratch));
    struct ct_call_row *row = row_at(calls, key, true);
    if (row) {
        row->result = at;
        row->exit = exit;
    }
}

void ct_calls_settle(struct ct_calls *calls, uint32_t key, struct ct_family *family)
{
    if (family->count) {
        struct ct_call_row *row = row_at(calls, key, true);
        if (row) {
            row->child = family->first;
            row->children = family->count;
            row->child_bytes = family->bytes;
        }
    }
    *family = (struct ct_family){0};
}

void ct_calls_rewind(struct ct_calls *calls, uint64_t total_steps)
{
    calls->total_steps = total_steps;
    calls->next_key = 0;
    calls->chunk_end = 0;
    calls->head.length = 0;
    calls->head_done = 0;
    calls->children_left = 0;
}

static size_t blob_size(struct ct_calls *calls, uint64_t at, size_t absent)
{
    uint32_t length = 0;
    if (at == 0)
        return absent;
    ct_store_read(&calls->blobs, at, &length, sizeof length);
    return length;
}

static void put_blob_copy(struct ct_calls *calls, struct ct_buf *out, uint64_t at,
                          struct ct_span absent)
{
    if (at == 0) {
        ct_buf_put(out, absent.data, absent.length);
        return;
    }
    size_t length = blob_size(calls, at, 0);
    uint8_t *to = ct_buf_take(out, length);
    if (to && !ct_store_read(&calls->blobs, at + sizeof(uint32_t), to, length))
        calls->blobs.failed = true;
}

/* The numbers before the arguments; the steps are put right for a call that ended without one of
 * its own. */
static size_t store_numbers(const struct ct_calls *calls, const struct ct_call_row *row,
                            uint8_t out[5 * CT_UV_MAX])
{
    uint64_t last = row->last < calls->total_steps ? row->last : calls->total_steps - 1;
    uint64_t first = row->first < last ? row->first : last;
    size_t n = ct_uv_store(out, row->function);
    n += ct_uv_store(out + n, row->parent == CT_NO_CALL ? 1 : (uint64_t)row->parent << 1);
    n += ct_uv_store(out + n, first);
    n += ct_uv_store(out + n, last);
    return n + ct_uv_store(out + n, row->depth);
}

static uint64_t record_size(struct ct_calls *calls, const struct ct_call_row *row)
{
    uint8_t numbers[5 * CT_UV_MAX];
    return store_numbers(calls, row, numbers) + blob_size(calls, row->args, sizeof NO_ARGS) +
           blob_size(calls, row->result, sizeof NO_RESULT) + ct_uv_size(row->children) +
           row->child_bytes;
}

uint64_t ct_calls_next_chunk(struct ct_calls *calls)
{
    uint64_t left = calls->count - calls->next_key;
    calls->chunk_end = calls->next_key + (left < CT_CALLS_PER_CHUNK ? left : CT_CALLS_PER_CHUNK);
    uint64_t size = 0;
    for (uint64_t key = calls->next_key; key < calls->chunk_end; key++) {
        const struct ct_call_row *row = row_at(calls, key, false);
        if (!row)
            return 0;
        struct ct_call_row copy = *row;
        uint64_t record = record_size(calls, &copy);
        size += ct_uv_size(record) + record;
    }
    return ct_calls_failed(calls) ? 0 : size;
}

/* Prepare the next record of the chunk up to its children's keys. */
static bool begin_record(struct ct_calls *calls)
{
    if (calls->next_key == calls->chunk_end)
        return false;
    const struct ct_call_row *at = row_at(calls, calls->next_key, false);
    if (!at)
        return false;
    struct ct_call_row row = *at;
    struct ct_buf *head = &calls->head;
    head->length = 0;
    calls->head_done = 0;
    ct_buf_uv(head, record_size(calls, &row));
    uint8_t numbers[5 * CT_UV_MAX];
    ct_buf_put(head, numbers, store_numbers(calls, &row, numbers));
    put_blob_copy(calls, head, row.args, (struct ct_span){NO_ARGS, sizeof NO_ARGS});
    put_blob_copy(calls, head, row.result, (struct ct_span){NO_RESULT, sizeof NO_RESULT});
    ct_buf_uv(head, row.children);
    calls->next_child = row.child;
    calls->children_left = row.children;
    calls->next_key++;
    return !head->failed;
}

size_t ct_calls_read(struct ct_calls *calls, uint8_t *out, size_t room)
{
    size_t n = 0;
    while (n < room && !ct_calls_failed(calls)) {
        size_t piece = calls->head.length - calls->head_done;
        if (piece) {
            piece = piece < room - n ? piece : room - n;
            memcpy(out + n, calls->head.data + calls->head_done, piece);
            calls->head_done += piece;
            n += piece;
        } else if (calls->children_left) {
            if (room - n < CT_UV_MAX)
                break;
            n += ct_uv_store(out + n, calls->next_child);
            const struct ct_call_row *row = row_at(calls, calls->next_child, false);
            calls->next_child = row ? row->next : CT_NO_CALL;
            calls->children_left--;
        } else if (!begin_record(calls)) {
            break;
        }
    }
    return n;
}

size_t ct_calls_edges(struct ct_calls *calls, uint64_t key, uint8_t *out, size_t room)
{
    size_t n = 0;
    for (; n < room && key + n < calls->count; n++) {
        const struct ct_call_row *row = row_at(calls, key + n, false);
        if (!row)
            return 0;
        out[n] = (uint8_t)(row->exit << 4 | row->entry);
    }
    return n;
}

size_t ct_calls_tasks(struct ct_calls *calls, uint64_t key, uint8_t *out, size_t room)
{
    size_t n = 0;
    uint32_t head[2];
    while (ct_store_read(&calls->tasks, calls->tasks_read, head, sizeof head) &&
           head[0] < key + CT_TASKS_PER_CHUNK && room - n >= head[1] + 2 * CT_UV_MAX) {
        n += ct_uv_store(out + n, head[0] - key);
        n += ct_uv_store(out + n, head[1]);
        if (!ct_store_read(&calls->tasks, calls->tasks_read + sizeof head, out + n, head[1]))
            break;
        n += head[1];
        calls->tasks_read += sizeof head + head[1];
    }
    return n;
}
