/* Tables of texts, each text once, with the numbers that a journal gives them. */
#ifndef CT_EXPAND_NAMES_H
#define CT_EXPAND_NAMES_H

#include "cbor.h"

/* Ids of a journal count from zero without large gaps; a larger one is damage. */
#define CT_ID_LIMIT (1u << 22)
#define CT_NO_ID    UINT32_MAX

/* Texts in the order in which they were first given. */
struct ct_names {
    struct ct_buf bytes;
    uint32_t *ends; /* of the texts in `bytes` */
    uint32_t count;
    uint32_t capacity;
    uint32_t *table; /* open addressing: number of a text plus one */
    uint32_t table_size;
};

/* The number of `text`, which is added when it is new; CT_NO_ID when memory is out. */
uint32_t ct_names_intern(struct ct_names *names, struct ct_span text);
struct ct_span ct_names_text(const struct ct_names *names, uint32_t number);
void ct_names_free(struct ct_names *names);

/* What ids of the journal stand for. */
struct ct_ids {
    uint32_t *of;
    uint32_t capacity;
};

bool ct_ids_set(struct ct_ids *ids, uint64_t id, uint32_t number);
void ct_ids_free(struct ct_ids *ids);

/* CT_NO_ID when the id was never set. */
static inline uint32_t ct_ids_get(const struct ct_ids *ids, uint64_t id)
{
    return id < ids->capacity ? ids->of[id] : CT_NO_ID;
}

/* A set of numbers that is emptied in one step. */
struct ct_marks {
    uint32_t *of;
    uint32_t capacity;
    uint32_t mark;
};

/* Empty the set; its numbers will be below `limit`.  False when memory is out. */
bool ct_marks_clear(struct ct_marks *marks, uint32_t limit);
void ct_marks_free(struct ct_marks *marks);

static inline void ct_marks_add(struct ct_marks *marks, uint32_t number)
{
    marks->of[number] = marks->mark;
}

static inline bool ct_marks_has(const struct ct_marks *marks, uint32_t number)
{
    return marks->of[number] == marks->mark;
}

#endif
