/* Copying what was made of equal bytes.  A field is told by its bytes: it ends where it ended then,
 * and means the same as long as no number has got another meaning. */
#include "expand_patterns.h"

#include "expand_value.h"

/* Larger instances are no patterns, and small ones have a second place. */
#define LARGEST ((size_t)16 << 10)
#define SMALL   ((size_t)2 << 10)
/* What is nested deeper counts its levels. */
#define DEPTH 16

void ct_patterns_free(struct ct_patterns *patterns)
{
    for (size_t i = 0; i < CT_PATTERNS_BY_TYPE; i++)
        ct_buf_free(&patterns->by_type[i].cbor);
    for (size_t i = 0; i < CT_PATTERNS_BY_START; i++)
        ct_buf_free(&patterns->by_start[i].cbor);
}

static struct ct_pattern *by_start(struct ct_patterns *patterns, const struct ctj_cursor *in)
{
    uint64_t words[2] = {0};
    size_t left = (size_t)(in->end - in->p);
    memcpy(words, in->p, left < sizeof words ? left : sizeof words);
    uint64_t hash =
        (words[0] ^ words[1] * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xD6E8FEB86659FD93);
    return &patterns->by_start[hash >> 56];
}

_Static_assert(CT_PATTERNS_BY_START == 256, "the hash gives its highest eight bits");

/* Another one when something was read that may mean something else next time, or is counted. */
static uint64_t context(const struct ct_values *values)
{
    const struct ct_value_losses *losses = &values->losses;
    return values->context + losses->redacted + losses->dropped + losses->omitted +
           losses->unsupported;
}

static bool is_usable(const struct ct_pattern *pattern, const struct ct_patterns *patterns,
                      uint32_t type)
{
    return pattern->type == type && pattern->age == patterns->age && pattern->count != 0;
}

static bool has_field(const struct ct_pattern *pattern, uint32_t field, const struct ctj_cursor *in)
{
    uint32_t start = field != 0 ? pattern->raw_ends[field - 1] : 0;
    size_t size = pattern->raw_ends[field] - start;
    return pattern->cuts[field] != CT_PATTERN_NEVER && size <= (size_t)(in->end - in->p) &&
           memcmp(pattern->raw + start, in->p, size) == 0;
}

void ct_fields_begin(struct ct_fields_read *read, struct ct_values *values,
                     const struct ctj_cursor *in, uint32_t type, uint64_t shown, unsigned depth)
{
    struct ct_patterns *patterns = &values->patterns;
    read->like = NULL;
    read->is_kept = shown != 0 && shown <= CT_PATTERN_FIELDS && depth <= DEPTH && !in->error;
    if (!read->is_kept)
        return;
    read->raw = in->p;
    read->start = values->value.length;
    read->age = patterns->age;
    read->context = context(values);
    read->cut = values->losses.cut;
    read->shown = (uint32_t)shown;
    read->same = read->count = 0;
    read->type = type;
    read->by_start = by_start(patterns, in);
    const struct ct_pattern *by_type = &patterns->by_type[type % CT_PATTERNS_BY_TYPE];
    if (is_usable(read->by_start, patterns, type) && has_field(read->by_start, 0, in))
        read->like = read->by_start;
    else if (is_usable(by_type, patterns, type))
        read->like = by_type;
}

/* Note where a field ends. */
static void note(struct ct_fields_read *read, size_t raw_end, size_t end, uint32_t cuts)
{
    read->raw_ends[read->count] = (uint32_t)raw_end;
    read->ends[read->count] = (uint32_t)end;
    read->cuts[read->count++] = cuts;
}

uint32_t ct_fields_copy(struct ct_fields_read *read, struct ct_values *values,
                        struct ctj_cursor *in)
{
    const struct ct_pattern *like = read->like;
    uint32_t first = read->count, field = first;
    if (like == NULL || !is_usable(like, &values->patterns, read->type))
        return 0;
    size_t from = first == 0 ? 0 : first <= like->count ? like->ends[first - 1] : 0;
    size_t moved = values->value.length - read->start - from;
    for (; field < like->count && field < read->shown && has_field(like, field, in); field++) {
        in->p += like->raw_ends[field] - (field != 0 ? like->raw_ends[field - 1] : 0);
        note(read, (size_t)(in->p - read->raw), like->ends[field] + moved, like->cuts[field]);
        values->losses.cut += like->cuts[field];
    }
    if (field != first)
        ct_buf_put(&values->value, like->cbor.data + from, like->ends[field - 1] - from);
    read->same += field - first;
    read->cut = values->losses.cut;
    return field - first;
}

void ct_fields_add(struct ct_fields_read *read, struct ct_values *values,
                   const struct ctj_cursor *in)
{
    if (!read->is_kept)
        return;
    uint64_t cuts = values->losses.cut - read->cut;
    bool is_known = context(values) == read->context && cuts < CT_PATTERN_NEVER;
    note(read, (size_t)(in->p - read->raw), values->value.length - read->start,
         is_known ? (uint32_t)cuts : CT_PATTERN_NEVER);
    read->context = context(values);
    read->cut = values->losses.cut;
}

static void keep(struct ct_pattern *pattern, const struct ct_fields_read *read,
                 const struct ct_buf *value, size_t size)
{
    pattern->cbor.length = 0;
    ct_buf_put(&pattern->cbor, value->data + read->start, size);
    pattern->age = read->age;
    pattern->raw = read->raw;
    pattern->type = read->type;
    /* Without memory there is no pattern. */
    pattern->count = pattern->cbor.failed ? 0 : read->count;
    memcpy(pattern->raw_ends, read->raw_ends, read->count * sizeof *read->raw_ends);
    memcpy(pattern->ends, read->ends, read->count * sizeof *read->ends);
    memcpy(pattern->cuts, read->cuts, read->count * sizeof *read->cuts);
}

void ct_fields_end(struct ct_fields_read *read, struct ct_values *values)
{
    struct ct_patterns *patterns = &values->patterns;
    if (!read->is_kept || read->count == 0 || read->same == read->count ||
        read->age != patterns->age || values->value.failed)
        return;
    size_t size = read->ends[read->count - 1];
    if (size <= SMALL)
        keep(read->by_start, read, &values->value, size);
    if (size <= LARGEST && 2 * read->same < read->count)
        keep(&patterns->by_type[read->type % CT_PATTERNS_BY_TYPE], read, &values->value, size);
}
