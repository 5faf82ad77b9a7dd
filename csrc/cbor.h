/* A growable byte buffer and the CBOR shapes of a trace's values.  No Python, no global state. */
#ifndef CT_CBOR_H
#define CT_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One buffer may not grow past this: a journal that asks for more is hostile or damaged. */
#define CT_BUF_LIMIT ((size_t)256 << 20)

/* Bytes under construction.  `failed` is set once a byte could not be stored; later writes are
 * dropped, so that a writer needs to look at it only when it is done. */
struct ct_buf {
    uint8_t *data;
    size_t length;
    size_t capacity;
    bool failed;
};

/* Bytes that belong to somebody else. */
struct ct_span {
    const uint8_t *data;
    size_t length;
};

/* Make room for `extra` more bytes; false (and `failed`) when memory or the limit is exhausted. */
bool ct_buf_grow(struct ct_buf *buf, size_t extra);
void ct_buf_free(struct ct_buf *buf);

/* Where up to `size` more bytes may be written, which do not count before ct_buf_end; NULL when the
 * buffer has failed. */
static inline uint8_t *ct_buf_begin(struct ct_buf *buf, size_t size)
{
    if (buf->capacity - buf->length < size && !ct_buf_grow(buf, size))
        return NULL;
    return buf->data + buf->length;
}

/* What was written up to `end` belongs to the buffer. */
static inline void ct_buf_end(struct ct_buf *buf, const uint8_t *end)
{
    buf->length = (size_t)(end - buf->data);
}

/* Append `size` bytes and return where they lie, or NULL when the buffer has failed. */
static inline uint8_t *ct_buf_take(struct ct_buf *buf, size_t size)
{
    uint8_t *at = ct_buf_begin(buf, size);
    if (at)
        buf->length += size;
    return at;
}

static inline void ct_buf_put(struct ct_buf *buf, const void *data, size_t size)
{
    uint8_t *at = size != 0 ? ct_buf_take(buf, size) : NULL;
    if (at)
        memcpy(at, data, size);
}

/* What `buf` holds; stale after its next change. */
static inline struct ct_span ct_buf_span(const struct ct_buf *buf)
{
    return (struct ct_span){buf->data, buf->length};
}

/* Unsigned LEB128, as the container and the journal write it. */
#define CT_UV_MAX 10

static inline size_t ct_uv_store(uint8_t *at, uint64_t value)
{
    size_t n = 0;
    while (value >= 0x80) {
        at[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    at[n++] = (uint8_t)value;
    return n;
}

static inline size_t ct_uv_size(uint64_t value)
{
    size_t n = 1;
    while (value >= 0x80) {
        value >>= 7;
        n++;
    }
    return n;
}

static inline uint64_t ct_uv_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value < 0 ? -1 : 0);
}

void ct_buf_uv(struct ct_buf *buf, uint64_t value);

/* CBOR heads. */
#define CT_CBOR_HEAD_MAX 9

size_t ct_cbor_head_store(uint8_t *at, unsigned major, uint64_t value);
size_t ct_cbor_head_size(uint64_t value);

/* Values.  `type` is the id of the value's type in the trace. */
void ct_cbor_none(struct ct_buf *buf, uint32_t type);
void ct_cbor_bool(struct ct_buf *buf, bool value, uint32_t type);
void ct_cbor_int(struct ct_buf *buf, int64_t value, uint32_t type);

enum ct_cbor_text { CT_CBOR_STRING, CT_CBOR_RAW, CT_CBOR_ERROR };

/* A value whose content is the text `head` followed by `tail`.  Returns where the text lies in the
 * buffer. */
size_t ct_cbor_text(struct ct_buf *buf, enum ct_cbor_text kind, struct ct_span head,
                    struct ct_span tail, uint32_t type);

enum ct_cbor_shape { CT_CBOR_SEQUENCE, CT_CBOR_TUPLE };

/* A compound value: open, write the elements, close.  The number of elements may turn out another
 * one than `expected`. */
struct ct_cbor_array {
    size_t head; /* offset of the array's head in the buffer */
    uint64_t expected;
    enum ct_cbor_shape shape;
};

struct ct_cbor_array ct_cbor_open(struct ct_buf *buf, enum ct_cbor_shape shape, uint64_t expected);
void ct_cbor_close(struct ct_buf *buf, struct ct_cbor_array array, uint64_t count, uint32_t type);
/* Close a tuple that has the elements that were expected. */
void ct_cbor_close_tuple(struct ct_buf *buf, uint32_t type);

/* A value that stands in several places of the one around it: open, write it, close.  `address` is
 * what its places have in common. */
void ct_cbor_open_reference(struct ct_buf *buf);
void ct_cbor_close_reference(struct ct_buf *buf, uint64_t address, uint32_t type);

#endif
