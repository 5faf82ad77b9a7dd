/* What a fuzzer calls: hostile records go through both passes of the expander, and everything that
 * comes out is read, as the materialiser reads it.
 *
 * The entry point is that of libFuzzer and AFL++.  The input is a row of chunks without their
 * headers: two bytes with the length of the records, of which the highest bit says that chunks
 * before it are lost, and the records. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "expand.h"
#include "journal_format.h"

#define CHUNKS_LIMIT    64
#define LENGTH_MASK     0x7FFF
#define GAP             0x8000
#define PIECE           4096
#define TASKS_PER_CHUNK 4096
/* A record of a step repeats what the journal says once, but one of ours stays below this. */
#define OUTPUT_LIMIT ((uint64_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct chunk {
    uint8_t *data;
    size_t length;
    uint64_t sequence;
    int gap;
};

static struct chunk chunks[CHUNKS_LIMIT];
static size_t chunk_count;
static uint64_t output;

/* A block of its own for each chunk, so that a byte read behind it is found. */
static void cut_into_chunks(const uint8_t *data, size_t size)
{
    uint64_t sequence = 0;
    chunk_count = 0;
    while (size >= 2 && chunk_count < CHUNKS_LIMIT) {
        size_t word = (size_t)data[0] | (size_t)data[1] << 8;
        size_t length = word & LENGTH_MASK;
        data += 2;
        size -= 2;
        if (length > size)
            length = size;
        struct chunk *chunk = &chunks[chunk_count++];
        chunk->gap = (word & GAP) != 0;
        sequence += 1 + (uint64_t)chunk->gap;
        chunk->sequence = sequence;
        chunk->length = CTJ_CHUNK_HEADER + length;
        chunk->data = calloc(1, chunk->length);
        uint32_t magic = CTJ_CHUNK_MAGIC, records = (uint32_t)length;
        uint16_t version = CTJ_VERSION, header = CTJ_CHUNK_HEADER;
        memcpy(chunk->data, &magic, sizeof magic);
        memcpy(chunk->data + 4, &version, sizeof version);
        memcpy(chunk->data + 6, &header, sizeof header);
        memcpy(chunk->data + 24, &sequence, sizeof sequence);
        memcpy(chunk->data + 80, &records, sizeof records);
        memcpy(chunk->data + CTJ_CHUNK_HEADER, data, length);
        data += length;
        size -= length;
    }
}

/* Read every byte of what came out. */
static void look_at(const uint8_t *data, size_t length)
{
    static volatile uint8_t seen;
    uint8_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum ^= data[i];
    seen = sum;
    output += length;
}

/* One pass; false when the expander has given up. */
static int run_pass(ct_expander *e)
{
    size_t length;
    for (size_t i = 0; i < chunk_count; i++) {
        const struct chunk *chunk = &chunks[i];
        ct_expander_feed(e, chunk->data, chunk->length, chunk->sequence, chunk->gap);
        int state;
        while ((state = ct_expander_run(e)) == CT_EXPAND_STEPS || state == CT_EXPAND_VALUES ||
               state == CT_EXPAND_EVENTS) {
            const uint8_t *taken = state == CT_EXPAND_STEPS ? ct_expander_take_steps(e, &length)
                                   : state == CT_EXPAND_VALUES
                                       ? ct_expander_take_values(e, &length)
                                       : ct_expander_take_events(e, &length);
            look_at(taken, length);
            if (output > OUTPUT_LIMIT)
                return 0;
        }
        if (state == CT_EXPAND_FAILED)
            return 0;
        if (state == CT_EXPAND_DAMAGED)
            return 1;
    }
    return 1;
}

static void read_tables(ct_expander *e)
{
    size_t length;
    for (int table = CT_TABLE_PATHS; table <= CT_TABLE_NAMES; table++)
        for (size_t i = 0; i < ct_expander_table_size(e, table); i++) {
            const uint8_t *text = ct_expander_table_text(e, table, i, &length);
            look_at(text, length);
        }
    const uint8_t *uncaught = ct_expander_uncaught(e, &length);
    look_at(uncaught, length);
}

static void read_calls(ct_expander *e, uint64_t calls)
{
    uint8_t piece[PIECE];
    size_t length;
    while (ct_expander_next_calls(e) != 0)
        while ((length = ct_expander_read_calls(e, piece, sizeof piece)) != 0)
            look_at(piece, length);
    for (uint64_t first = 0; first < calls; first += TASKS_PER_CHUNK)
        while ((length = ct_expander_tasks(e, first, piece, sizeof piece)) != 0)
            look_at(piece, length);
    uint64_t key = 0;
    while ((length = ct_expander_edges(e, key, piece, sizeof piece)) != 0) {
        look_at(piece, length);
        key += length;
    }
}

static void expand(ct_expander *e, int rows, int blobs, int tasks)
{
    static const uint8_t path[] = "/w/demo.py", source[] = "a = 1\nb = 2\n", label[] = "<exit>";
    size_t length;
    ct_expand_counts counts;
    if (ct_expander_collect(e, rows, blobs, tasks, path, sizeof path - 1) != 0 || !run_pass(e) ||
        ct_expander_collected(e, 2, 0, label, sizeof label - 1) != 0)
        return;
    ct_expander_counts(e, &counts);
    read_tables(e);
    ct_expander_source(e, 0, source, sizeof source - 1);
    if (ct_expander_write(e) != 0)
        return;
    for (size_t i = 0; i < ct_expander_table_size(e, CT_TABLE_PATHS); i++) {
        const uint8_t *table = ct_expander_line_table(e, i, &length);
        look_at(table, length);
    }
    if (!run_pass(e) || ct_expander_written(e) != 0)
        return;
    const uint8_t *taken = ct_expander_take_steps(e, &length);
    look_at(taken, length);
    taken = ct_expander_take_values(e, &length);
    look_at(taken, length);
    taken = ct_expander_take_events(e, &length);
    look_at(taken, length);
    read_calls(e, counts.calls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    output = 0;
    cut_into_chunks(data, size);
    int rows = memfd_create("rows", MFD_CLOEXEC), blobs = memfd_create("blobs", MFD_CLOEXEC);
    int tasks = memfd_create("tasks", MFD_CLOEXEC);
    ct_expander *e = ct_expander_new();
    if (rows >= 0 && blobs >= 0 && tasks >= 0 && e != NULL)
        expand(e, rows, blobs, tasks);
    ct_expander_free(e);
    close(rows);
    close(blobs);
    close(tasks);
    for (size_t i = 0; i < chunk_count; i++)
        free(chunks[i].data);
    return 0;
}
