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

/* The writers below take room for the longest form of a value at once, so that each of its parts is
 * a copy of a size that the compiler knows. */
#define HEAD_ROOM CT_CBOR_HEAD_MAX

static inline uint8_t *store_head(uint8_t *at, unsigned major, uint64_t value)
{
    if (value < 24) {
        at[0] = (uint8_t)(major << 5 | value);
        return at + 1;
    }
    if (value <= 0xFF) {
        at[0] = (uint8_t)(major << 5 | 24);
        at[1] = (uint8_t)value;
        return at + 2;
    }
    return at + ct_cbor_head_store(at, major, value);
}

/* A memcpy for names and the like, which are too short for a call. */
static inline uint8_t *store_bytes(uint8_t *at, struct ct_span bytes)
{
    size_t size = bytes.length;
    if (size > 16) {
        memcpy(at, bytes.data, size);
    } else if (size >= 8) {
        uint64_t first, last;
        memcpy(&first, bytes.data, 8);
        memcpy(&last, bytes.data + size - 8, 8);
        memcpy(at, &first, 8);
        memcpy(at + size - 8, &last, 8);
    } else {
        for (size_t i = 0; i < size; i++)
            at[i] = bytes.data[i];
    }
    return at + size;
}

/* String literals that hold CBOR: 0x60 + n starts a text of n bytes, 0xA0 + n a map of n pairs. */
#define KIND         "\x64kind"
#define TYPE_ID      "\x67type_id"
#define SIZE(s)      (sizeof(s) - 1)
#define STORE(at, s) ((uint8_t *)memcpy(at, s, SIZE(s)) + SIZE(s))
#define MAP_2        "\xA2" KIND
#define MAP_3        "\xA3" KIND
#define MAP_4        "\xA4" KIND
#define MAP_5        "\xA5" KIND
#define TYPE_ROOM    (SIZE(TYPE_ID) + HEAD_ROOM)

static inline uint8_t *store_type(uint8_t *at, uint32_t type)
{
    return store_head(STORE(at, TYPE_ID), 0, type);
}

#define NONE MAP_2 "\x64None"

void ct_cbor_none(struct ct_buf *buf, uint32_t type)
{
    uint8_t *at = ct_buf_begin(buf, SIZE(NONE) + TYPE_ROOM);
    if (at)
        ct_buf_end(buf, store_type(STORE(at, NONE), type));
}

#define BOOL                                                                                       \
    MAP_4 "\x64"                                                                                   \
          "Bool\x61"                                                                               \
          "b"
#define TRUE BOOL "\xF5\x64text\x64true"
#define FALSE                                                                                      \
    BOOL "\xF4\x64text\x65"                                                                        \
         "false"

void ct_cbor_bool(struct ct_buf *buf, bool value, uint32_t type)
{
    uint8_t *at = ct_buf_begin(buf, SIZE(FALSE) + TYPE_ROOM);
    if (at)
        ct_buf_end(buf, store_type(value ? STORE(at, TRUE) : STORE(at, FALSE), type));
}

#define INT MAP_3 "\x63Int\x61i"

void ct_cbor_int(struct ct_buf *buf, int64_t value, uint32_t type)
{
    uint8_t *at = ct_buf_begin(buf, SIZE(INT) + HEAD_ROOM + TYPE_ROOM);
    if (!at)
        return;
    at = STORE(at, INT);
    at = value < 0 ? store_head(at, 1, ~(uint64_t)value) : store_head(at, 0, (uint64_t)value);
    ct_buf_end(buf, store_type(at, type));
}

#define STRING MAP_3 "\x66String\x64text"
#define RAW    MAP_3 "\x63Raw\x61r"
#define ERROR                                                                                      \
    MAP_3 "\x65"                                                                                   \
          "Error\x63msg"

size_t ct_cbor_text(struct ct_buf *buf, enum ct_cbor_text kind, struct ct_span head,
                    struct ct_span tail, uint32_t type)
{
    size_t length = head.length + tail.length;
    uint8_t *at = ct_buf_begin(buf, SIZE(STRING) + HEAD_ROOM + length + TYPE_ROOM);
    if (!at)
        return buf->length;
    at = kind == CT_CBOR_STRING ? STORE(at, STRING)
         : kind == CT_CBOR_RAW  ? STORE(at, RAW)
                                : STORE(at, ERROR);
    at = store_head(at, 3, length);
    size_t start = (size_t)(at - buf->data);
    at = store_bytes(store_bytes(at, head), tail);
    ct_buf_end(buf, store_type(at, type));
    return start;
}

#define SEQUENCE                                                                                   \
    MAP_4 "\x68Sequence\x68"                                                                       \
          "elements"
#define TUPLE                                                                                      \
    MAP_3 "\x65Tuple\x68"                                                                          \
          "elements"

struct ct_cbor_array ct_cbor_open(struct ct_buf *buf, enum ct_cbor_shape shape, uint64_t expected)
{
    struct ct_cbor_array array = {buf->length, expected, shape};
    uint8_t *at = ct_buf_begin(buf, SIZE(SEQUENCE) + HEAD_ROOM);
    if (!at)
        return array;
    at = shape == CT_CBOR_SEQUENCE ? STORE(at, SEQUENCE) : STORE(at, TUPLE);
    array.head = (size_t)(at - buf->data);
    ct_buf_end(buf, store_head(at, 4, expected));
    return array;
}

#define IS_SLICE "\x68is_slice\xF4"

void ct_cbor_close_tuple(struct ct_buf *buf, uint32_t type)
{
    uint8_t *at = ct_buf_begin(buf, TYPE_ROOM);
    if (at)
        ct_buf_end(buf, store_type(at, type));
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
        if (size != old) {
            size_t length = buf->length - array.head - (size > old ? size : old);
            memmove(at + size, at + old, length);
            buf->length = array.head + size + length;
        }
        ct_cbor_head_store(at, 4, count);
    }
    uint8_t *at = ct_buf_begin(buf, SIZE(IS_SLICE) + TYPE_ROOM);
    if (!at)
        return;
    if (array.shape == CT_CBOR_SEQUENCE)
        at = STORE(at, IS_SLICE);
    ct_buf_end(buf, store_type(at, type));
}

#define REFERENCE                                                                                  \
    MAP_5 "\x69Reference\x6C"                                                                      \
          "dereferenced"

void ct_cbor_open_reference(struct ct_buf *buf)
{
    ct_buf_put(buf, REFERENCE, SIZE(REFERENCE));
}

#define ADDRESS                                                                                    \
    "\x67"                                                                                         \
    "address"
#define MUTABLE "\x67mutable\xF5"

void ct_cbor_close_reference(struct ct_buf *buf, uint64_t address, uint32_t type)
{
    uint8_t *at = ct_buf_begin(buf, SIZE(ADDRESS) + HEAD_ROOM + SIZE(MUTABLE) + TYPE_ROOM);
    if (!at)
        return;
    at = store_head(STORE(at, ADDRESS), 0, address);
    ct_buf_end(buf, store_type(STORE(at, MUTABLE), type));
}
