/* Tables of texts. */
#include "expand_names.h"

#include <stdlib.h>

static uint64_t hash(struct ct_span text)
{
    uint64_t value = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < text.length; i++)
        value = (value ^ text.data[i]) * UINT64_C(0x100000001B3);
    return value ^ value >> 32;
}

struct ct_span ct_names_text(const struct ct_names *names, uint32_t number)
{
    uint32_t start = number ? names->ends[number - 1] : 0;
    uint32_t length = names->ends[number] - start;
    /* As long as all names are empty there is no address to add to. */
    return (struct ct_span){length != 0 ? names->bytes.data + start : NULL, length};
}

static bool same(struct ct_span a, struct ct_span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Where `text` is in the hash table, or the free place where it belongs. */
static uint32_t *find(const struct ct_names *names, struct ct_span text)
{
    uint32_t mask = names->table_size - 1;
    uint32_t at = (uint32_t)hash(text) & mask;
    while (names->table[at] && !same(ct_names_text(names, names->table[at] - 1), text))
        at = (at + 1) & mask;
    return &names->table[at];
}

static bool grow(struct ct_names *names)
{
    uint32_t capacity = names->capacity ? names->capacity * 2 : 64;
    uint32_t *ends = realloc(names->ends, capacity * sizeof *ends);
    if (!ends)
        return false;
    names->ends = ends;
    uint32_t *table = calloc((size_t)capacity * 2, sizeof *table);
    if (!table)
        return false;
    free(names->table);
    names->table = table;
    names->table_size = capacity * 2;
    names->capacity = capacity;
    for (uint32_t i = 0; i < names->count; i++)
        *find(names, ct_names_text(names, i)) = i + 1;
    return true;
}

uint32_t ct_names_intern(struct ct_names *names, struct ct_span text)
{
    if (names->count == names->capacity && !grow(names))
        return CT_NO_ID;
    uint32_t *at = find(names, text);
    if (*at)
        return *at - 1;
    ct_buf_put(&names->bytes, text.data, text.length);
    if (names->bytes.failed)
        return CT_NO_ID;
    names->ends[names->count] = (uint32_t)names->bytes.length;
    *at = ++names->count;
    return names->count - 1;
}

void ct_names_free(struct ct_names *names)
{
    ct_buf_free(&names->bytes);
    free(names->ends);
    free(names->table);
    *names = (struct ct_names){0};
}

bool ct_ids_set(struct ct_ids *ids, uint64_t id, uint32_t number)
{
    if (id >= ids->capacity) {
        if (id >= CT_ID_LIMIT)
            return false;
        uint32_t capacity = ids->capacity ? ids->capacity : 64;
        while (capacity <= id)
            capacity *= 2;
        uint32_t *of = realloc(ids->of, capacity * sizeof *of);
        if (!of)
            return false;
        for (uint32_t i = ids->capacity; i < capacity; i++)
            of[i] = CT_NO_ID;
        ids->of = of;
        ids->capacity = capacity;
    }
    ids->of[id] = number;
    return true;
}

void ct_ids_free(struct ct_ids *ids)
{
    free(ids->of);
    *ids = (struct ct_ids){0};
}

bool ct_marks_clear(struct ct_marks *marks, uint32_t limit)
{
    if (++marks->mark == 0 || limit >= marks->capacity) {
        uint32_t capacity = limit >= marks->capacity ? limit + limit / 2 + 64 : marks->capacity;
        free(marks->of);
        marks->of = calloc(capacity, sizeof *marks->of);
        marks->capacity = marks->of ? capacity : 0;
        marks->mark = 1;
    }
    return marks->of;
}

void ct_marks_free(struct ct_marks *marks)
{
    free(marks->of);
    *marks = (struct ct_marks){0};
}
