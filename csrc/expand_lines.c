/* Line tables of source files. */
#include "expand_lines.h"

#include <stdlib.h>

/* The ends of one file's lines are kept in 32 bits. */
#define SIZE_LIMIT (UINT32_MAX - CT_LINE_LIMIT)

static uint32_t size_of(const struct ct_lines *lines)
{
    return lines->count ? lines->ends[lines->count - 1] : 0;
}

static void add_line(struct ct_lines *lines, uint32_t length)
{
    if (lines->count == lines->capacity) {
        uint32_t capacity = lines->capacity ? lines->capacity * 2 : 64;
        uint32_t *ends = realloc(lines->ends, capacity * sizeof *ends);
        if (!ends) {
            lines->failed = true;
            return;
        }
        lines->ends = ends;
        lines->capacity = capacity;
    }
    uint32_t start = size_of(lines);
    if (lines->count >= CT_LINE_LIMIT || length > SIZE_LIMIT - start) {
        lines->failed = true;
        return;
    }
    lines->ends[lines->count++] = start + length;
}

void ct_lines_source(struct ct_lines *lines, struct ct_span piece)
{
    const uint8_t *at = piece.data, *end = at + piece.length, *cr = at;
    while (at < end && !lines->failed) {
        /* Python takes a newline, a carriage return or both for one end of a line. */
        bool is_second = lines->after_cr && *at == '\n';
        lines->after_cr = false;
        if (is_second) {
            at++;
            continue;
        }
        if (cr && cr <= at)
            cr = memchr(at, '\r', (size_t)(end - at));
        const uint8_t *stop = cr ? cr : end;
        const uint8_t *lf = memchr(at, '\n', (size_t)(stop - at));
        stop = lf ? lf : stop;
        lines->open += (uint32_t)(stop - at);
        if (stop == end)
            return;
        lines->after_cr = *stop == '\r';
        add_line(lines, lines->open + 1);
        lines->open = 0;
        at = stop + 1;
    }
}

void ct_lines_reset(struct ct_lines *lines)
{
    lines->count = 0;
    lines->open = 0;
    lines->after_cr = false;
    lines->failed = false;
}

void ct_lines_place(struct ct_lines *lines, uint64_t base)
{
    if (lines->open)
        add_line(lines, lines->open + 1);
    lines->open = 0;
    uint32_t wanted = lines->highest ? lines->highest : 1;
    while (lines->count < wanted && !lines->failed)
        add_line(lines, 1);
    lines->base = base;
}

uint64_t ct_lines_position(const struct ct_lines *lines, uint32_t line)
{
    if (line < 2 || lines->count == 0)
        return lines->base;
    return lines->base + lines->ends[line - 2 < lines->count ? line - 2 : lines->count - 1];
}

uint64_t ct_lines_size(const struct ct_lines *lines)
{
    return size_of(lines);
}

void ct_lines_table(const struct ct_lines *lines, struct ct_buf *out)
{
    ct_buf_uv(out, lines->count);
    int64_t before = 0;
    for (uint32_t i = 0; i < lines->count; i++) {
        int64_t length = lines->ends[i] - (i ? lines->ends[i - 1] : 0);
        ct_buf_uv(out, ct_uv_zigzag(length - before));
        before = length;
    }
}

void ct_lines_free(struct ct_lines *lines)
{
    free(lines->ends);
    *lines = (struct ct_lines){0};
}
