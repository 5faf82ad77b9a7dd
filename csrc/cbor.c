/* The CBOR shapes of values.  Readers take the keys by position, so their order is part of the
 * format. */
#include "cbor.h"

#include <stdlib.h>

bool ct_buf_grow(struct ct_buf *buf, size_t extra)
{
    if (buf->failed || extra > CT_BUF_LIMIT - buf->length) {
        buf->failed = true;
        return false;
    }
    size_t capacity = buf->capacity ? buf->capacity : 256;
    while (capacity - buf->length < extra)
        capacity *= 2;
    uint8_t *data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void ct_buf_free(struct ct_buf *buf)
{
    free(buf->data);
    *buf = (struct ct_buf){0};
}

void ct_buf_uv(struct ct_buf *buf, uint64_t value)
{
    uint8_t bytes[CT_UV_MAX];
    ct_buf_put(buf, bytes, ct_uv_store(bytes, value));
}

size_t ct_cbor_head_size(uint64_t value)
{
    if (value < 24)
        return 1;
    if (value <= 0xFF)
        return 2;
    if (value <= 0xFFFF)
        return 3;
    return value <= 0xFFFFFFFF ? 5 : 9;
}

size_t ct_cbor_head_store(uint8_t *at, unsigned major, uint64_t value)
{
    uint8_t first = (uint8_t)(major << 5);
    size_t size = ct_cbor_head_size(value);
    if (size == 1) {
        at[0] = first | (uint8_t)value;
        return 1;
    }
    at[0] = first | (size == 2 ? 24 : size == 3 ? 25 : size == 5 ? 26 : 27);
    for (size_t i = size - 1; i > 0; i--) {
        at[i] = (uint8_t)value;
        value >>= 8;
    }
    return size;
}

static void put_head(struct ct_buf *buf, unsigned major, uint64_t value)
{
    uint8_t head[CT_CBOR_HEAD_MAX];
    ct_buf_put(buf, head, ct_cbor_head_store(head, major, value));
}

/* String literals that hold CBOR: 0x60 + n starts a text of n bytes, 0xA0 + n a map of n pairs. */
#define KIND       "\x64kind"
#define TYPE_ID    "\x67type_id"
#define PUT(b, s)  ct_buf_put(b, s, sizeof(s) - 1)
#define MAP_2      "\xA2" KIND
#define MAP_3      "\xA3" KIND
#define MAP_4      "\xA4" KIND
#define MAP_5      "\xA5" KIND
#define TYPE_BYTES (sizeof(TYPE_ID) - 1)

static void put_type(struct ct_buf *buf, uint32_t type)
{
    uint8_t bytes[TYPE_BYTES + CT_CBOR_HEAD_MAX];
    memcpy(bytes, TYPE_ID, TYPE_BYTES);
    ct_buf_put(buf, bytes, TYPE_BYTES + ct_cbor_head_store(bytes + TYPE_BYTES, 0, type));
}

void ct_cbor_none(struct ct_buf *buf, uint32_t type)
{
    PUT(buf, MAP_2 "\x64None");
    put_type(buf, type);
}

void ct_cbor_bool(struct ct_buf *buf, bool value, uint32_t type)
{
    if (value)
        PUT(buf, MAP_4 "\x64"
                       "Bool\x61"
                       "b\xF5\x64text\x64true");
    else
        PUT(buf, MAP_4 "\x64"
                       "Bool\x61"
                       "b\xF4\x64text\x65"
                       "false");
    put_type(buf, type);
}

#define INT_PREFIX       MAP_3 "\x63Int\x61i"
#define INT_PREFIX_BYTES (sizeof(INT_PREFIX) - 1)

void ct_cbor_int(struct ct_buf *buf, int64_t value, uint32_t type)
{
    uint8_t bytes[INT_PREFIX_BYTES + CT_CBOR_HEAD_MAX + TYPE_BYTES + CT_CBOR_HEAD_MAX];
    uint8_t *at = bytes + INT_PREFIX_BYTES;
    memcpy(bytes, INT_PREFIX, INT_PREFIX_BYTES);
    at += value < 0 ? ct_cbor_head_store(at, 1, ~(uint64_t)value)
                    : ct_cbor_head_store(at, 0, (uint64_t)value);
    memcpy(at, TYPE_ID, TYPE_BYTES);
    at += TYPE_BYTES;
    at += ct_cbor_head_store(at, 0, type);
    ct_buf_put(buf, bytes, (size_t)(at - bytes));
}

size_t ct_cbor_text(struct ct_buf *buf, enum ct_cbor_text kind, struct ct_span head,
                    struct ct_span tail, uint32_t type)
{
    if (kind == CT_CBOR_STRING)
        PUT(buf, MAP_3 "\x66String\x64text");
    else if (kind == CT_CBOR_RAW)
        PUT(buf, MAP_3 "\x63Raw\x61r");
    else
        PUT(buf, MAP_3 "\x65"
                       "Error\x63msg");
    put_head(buf, 3, (uint64_t)head.length + tail.length);
    size_t start = buf->length;
    ct_buf_put(buf, head.data, head.length);
    ct_buf_put(buf, tail.data, tail.length);
    put_type(buf, type);
    return start;
}

struct ct_cbor_array ct_cbor_open(struct ct_buf *buf, enum ct_cbor_shape shape, uint64_t expected)
{
    if (shape == CT_CBOR_SEQUENCE)
        PUT(buf, MAP_4 "\x68Sequence\x68"
                       "elements");
    else
        PUT(buf, MAP_3 "\x65Tuple\x68"
                       "elements");
    struct ct_cbor_array array = {buf->length, expected, shape};
    put_head(buf, 4, expected);
    return array;
}

void ct_cbor_close(struct ct_buf *buf, struct ct_cbor_array array, uint64_t count, uint32_t type)
{
    if (buf->failed)
        return;
    if (count != array.expected) {
        size_t old = ct_cbor_head_size(array.expected);
        size_t size = ct_cbor_head_size(count);
        if (size > old && ct_buf_take(buf, size - old) == NULL)
            return;
        uint8_t *at = buf->data + array.head;
        size_t length = buf->length - array.head - (size > old ? size : old);
        memmove(at + size, at + old, length);
        buf->length = array.head + size + length;
        ct_cbor_head_store(at, 4, count);
    }
    if (array.shape == CT_CBOR_SEQUENCE)
        PUT(buf, "\x68is_slice\xF4");
    put_type(buf, type);
}

void ct_cbor_open_reference(struct ct_buf *buf)
{
    PUT(buf, MAP_5 "\x69Reference\x6C"
                   "dereferenced");
}

void ct_cbor_close_reference(struct ct_buf *buf, uint64_t address, uint32_t type)
{
    PUT(buf, "\x67"
             "address");
    put_head(buf, 0, address);
    PUT(buf, "\x67mutable\xF5");
    put_type(buf, type);
}
