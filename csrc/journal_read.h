/* Reading a journal's chunks: a cursor that never leaves its chunk, and the units in it.
 * docs/journal.md is the description; the layout's numbers are in journal_format.h. */
#ifndef CT_JOURNAL_READ_H
#define CT_JOURNAL_READ_H

#include "cbor.h"
#include "journal_format.h"

enum ctj_error {
    CTJ_E_NONE,
    CTJ_E_TRUNCATED, /* the chunk ends inside a unit */
    CTJ_E_VARINT,    /* a varint of more than 64 bits */
    CTJ_E_TAG,       /* no unit, item or value begins with this byte here */
    CTJ_E_REFERENCE, /* a difference to a value that was never stated */
    CTJ_E_UNDEFINED, /* an id without a definition */
    CTJ_E_STACK,     /* a step or an end without an open frame */
    CTJ_E_DEPTH,     /* values nested too deep */
    CTJ_E_LIMIT,     /* larger than any journal of ours */
    CTJ_E_CHUNK,     /* not a chunk, or one of another version */
    CTJ_E_MEMORY,
    CTJ_E_IO, /* the temporary file could not be read or written */
};

/* A position in a chunk.  After an error every read gives zero and the cursor stands at the end, so
 * that loops over it stop; the first error wins. */
struct ctj_cursor {
    const uint8_t *p;
    const uint8_t *end;
    const uint8_t *start; /* of the chunk, for offsets */
    enum ctj_error error;
    bool live; /* the records end at the first unit whose tag is zero */
};

struct ctj_record {
    uint8_t tag;  /* every step unit has CTJ_STEP here */
    uint64_t a;   /* id of what is defined; function; thread */
    uint64_t b;   /* path; line; frames left out; call key; identifier of a thread */
    uint64_t c;   /* first line; frames listed; line of a CTJ_FRAME */
    int64_t line; /* difference to the frame's last line, of a step */
    struct ct_span text;
};

/* Open the chunk `data`.  An error is left in the cursor. */
struct ctj_cursor ctj_open(const uint8_t *data, size_t length);

/* Read the next unit up to its value, lists or items, which the caller reads next.  False at the
 * end and on an error. */
bool ctj_next(struct ctj_cursor *in, struct ctj_record *unit);

static inline void ctj_fail(struct ctj_cursor *in, enum ctj_error error)
{
    if (in->error == CTJ_E_NONE)
        in->error = error;
    in->p = in->end;
}

static inline uint8_t ctj_u8(struct ctj_cursor *in)
{
    if (in->p == in->end) {
        ctj_fail(in, CTJ_E_TRUNCATED);
        return 0;
    }
    return *in->p++;
}

uint64_t ctj_uv_long(struct ctj_cursor *in);

static inline uint64_t ctj_uv(struct ctj_cursor *in)
{
    if (in->p != in->end && *in->p < 0x80)
        return *in->p++;
    if (in->end - in->p >= 2 && in->p[1] < 0x80) {
        in->p += 2;
        return (in->p[-2] & 0x7Fu) | (uint64_t)in->p[-1] << 7;
    }
    return ctj_uv_long(in);
}

static inline int64_t ctj_unzigzag(uint64_t value)
{
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

/* `length` bytes, which belong to the chunk. */
struct ct_span ctj_bytes(struct ctj_cursor *in, uint64_t length);

static inline struct ct_span ctj_text(struct ctj_cursor *in)
{
    return ctj_bytes(in, ctj_uv(in));
}

double ctj_f64(struct ctj_cursor *in);

/* Whether another item of the unit follows. */
static inline bool ctj_item_follows(const struct ctj_cursor *in)
{
    return in->p != in->end && (*in->p & 0xC0) == 0x40;
}

#endif
