/* Fields that stand in a chunk as they stood before.  Objects are often stated again with a few
 * other fields, or at another place: what was made of the rest is copied. */
#ifndef CT_EXPAND_PATTERNS_H
#define CT_EXPAND_PATTERNS_H

#include "cbor.h"

#define CT_PATTERN_FIELDS 32 /* of an instance, at most */

/* The fields of one instance: bytes of the chunk, and the CBOR that was made of them. */
struct ct_pattern {
    uint64_t age;       /* of the definitions, and of the chunk, that it was made under */
    const uint8_t *raw; /* of the chunk */
    uint32_t type;
    uint32_t count;
    uint32_t raw_ends[CT_PATTERN_FIELDS];
    uint32_t ends[CT_PATTERN_FIELDS]; /* in the CBOR */
    uint32_t cuts[CT_PATTERN_FIELDS]; /* how often something was cut; CT_PATTERN_NEVER: it may mean
                                         something else next time */
    struct ct_buf cbor;
};

#define CT_PATTERN_NEVER UINT32_MAX

#define CT_PATTERNS_BY_TYPE  64
#define CT_PATTERNS_BY_START 256

struct ct_patterns {
    uint64_t age;
    struct ct_pattern by_type[CT_PATTERNS_BY_TYPE];
    /* Small ones, by the bytes they begin with. */
    struct ct_pattern by_start[CT_PATTERNS_BY_START];
};

struct ct_values;
struct ctj_cursor;

/* An instance whose fields are read. */
struct ct_fields_read {
    const struct ct_pattern *like; /* NULL: none */
    struct ct_pattern *by_start;
    const uint8_t *raw;
    size_t start; /* in the value */
    uint64_t age;
    uint64_t context;
    uint64_t cut;
    uint32_t shown;
    uint32_t same; /* fields that were copied */
    uint32_t count;
    bool is_kept; /* it may become a pattern */
    uint32_t type;
    uint32_t raw_ends[CT_PATTERN_FIELDS];
    uint32_t ends[CT_PATTERN_FIELDS];
    uint32_t cuts[CT_PATTERN_FIELDS];
};

/* What was made before is no guide any more: another chunk, or another meaning of a number. */
static inline void ct_patterns_forget(struct ct_patterns *patterns)
{
    patterns->age++;
}

void ct_patterns_free(struct ct_patterns *patterns);

/* The fields of an instance of the type follow, `shown` in number. */
void ct_fields_begin(struct ct_fields_read *read, struct ct_values *values,
                     const struct ctj_cursor *in, uint32_t type, uint64_t shown, unsigned depth);
/* Copy those of the next fields that stood at the same place before; returns their number. */
uint32_t ct_fields_copy(struct ct_fields_read *read, struct ct_values *values,
                        struct ctj_cursor *in);
/* One field has been read. */
void ct_fields_add(struct ct_fields_read *read, struct ct_values *values,
                   const struct ctj_cursor *in);
/* All have been read without an error. */
void ct_fields_end(struct ct_fields_read *read, struct ct_values *values);

#endif
