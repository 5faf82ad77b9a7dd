/* repr() of bytes, and texts that are not quite UTF-8. */
#include "expand_text.h"

static const char HEX[] = "0123456789abcdef";

static void put_hex_escape(struct ct_buf *out, uint8_t byte)
{
    char escape[4] = {'\\', 'x', HEX[byte >> 4], HEX[byte & 15]};
    ct_buf_put(out, escape, sizeof escape);
}

void ct_bytes_text(struct ct_buf *out, struct ct_span bytes)
{
    bool single = bytes.length && memchr(bytes.data, '\'', bytes.length);
    bool twice = bytes.length && memchr(bytes.data, '"', bytes.length);
    char quote = single && !twice ? '"' : '\'';
    ct_buf_literal(out, "b");
    ct_buf_put(out, &quote, 1);
    for (size_t i = 0; i < bytes.length; i++) {
        uint8_t byte = bytes.data[i];
        if (byte == '\n')
            ct_buf_literal(out, "\\n");
        else if (byte == '\r')
            ct_buf_literal(out, "\\r");
        else if (byte == '\t')
            ct_buf_literal(out, "\\t");
        else if (byte < 0x20 || byte >= 0x7F)
            put_hex_escape(out, byte);
        else {
            if (byte == (uint8_t)quote || byte == '\\')
                ct_buf_literal(out, "\\");
            ct_buf_put(out, &byte, 1);
        }
    }
    ct_buf_put(out, &quote, 1);
}

enum sequence { VALID, SURROGATE, INVALID };

/* Look at the character that begins at `text`, and say how many bytes belong to it. */
static enum sequence classify(struct ct_span text, size_t *size)
{
    const uint8_t *p = text.data;
    *size = 1;
    if (p[0] < 0x80)
        return VALID;
    size_t length = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || text.length < length)
        return INVALID;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return INVALID;
    }
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90) ||
        (p[0] == 0xF4 && p[1] > 0x8F))
        return INVALID;
    *size = length;
    return p[0] == 0xED && p[1] > 0x9F ? SURROGATE : VALID;
}

static size_t ascii_run(struct ct_span text)
{
    size_t i = 0;
    for (; i + 8 <= text.length; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < text.length && text.data[i] < 0x80)
        i++;
    return i;
}

static struct ct_span drop(struct ct_span text, size_t size)
{
    /* An empty text may be at no address at all, to which nothing is added. */
    return size == 0 ? text : (struct ct_span){text.data + size, text.length - size};
}

bool ct_text_valid(struct ct_span text)
{
    while ((text = drop(text, ascii_run(text))).length) {
        size_t size;
        if (classify(text, &size) != VALID)
            return false;
        text = drop(text, size);
    }
    return true;
}

bool ct_text_measure(struct ct_span text, uint64_t *characters)
{
    uint64_t count = ascii_run(text);
    text = drop(text, count);
    for (size_t i = 0; i < text.length; i++)
        count += (text.data[i] & 0xC0) != 0x80;
    *characters = count;
    return ct_text_valid(text);
}

void ct_text_escape(struct ct_buf *out, struct ct_span text)
{
    while (text.length) {
        size_t size = ascii_run(text);
        ct_buf_put(out, text.data, size);
        text = drop(text, size);
        if (!text.length)
            break;
        switch (classify(text, &size)) {
        case VALID:
            ct_buf_put(out, text.data, size);
            break;
        case SURROGATE: {
            unsigned code = 0xD000u | (text.data[1] & 0x3Fu) << 6 | (text.data[2] & 0x3Fu);
            char escape[6] = {'\\',          'u', 'd', HEX[code >> 8 & 15], HEX[code >> 4 & 15],
                              HEX[code & 15]};
            ct_buf_put(out, escape, sizeof escape);
            break;
        }
        case INVALID:
            put_hex_escape(out, text.data[0]);
        }
        text = drop(text, size);
    }
}
