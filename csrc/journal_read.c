/* The cursor over a chunk and the fixed part of each unit. */
#include "journal_read.h"

static uint64_t little_endian(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

struct ctj_cursor ctj_open(const uint8_t *data, size_t length)
{
    struct ctj_cursor in = {data, data, data, CTJ_E_NONE, false};
    if (length < CTJ_CHUNK_HEADER || little_endian(data, 4) != CTJ_CHUNK_MAGIC ||
        little_endian(data + 4, 2) != CTJ_VERSION) {
        in.error = CTJ_E_CHUNK;
        return in;
    }
    uint64_t header = little_endian(data + 6, 2);
    uint64_t records = little_endian(data + 80, 4);
    if (header < CTJ_CHUNK_HEADER || header > length || records > length - header) {
        in.error = CTJ_E_CHUNK;
        return in;
    }
    in.live = records == 0;
    in.p = data + header;
    in.end = in.live ? data + length : in.p + records;
    return in;
}

uint64_t ctj_uv_long(struct ctj_cursor *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (in->p == in->end) {
            ctj_fail(in, CTJ_E_TRUNCATED);
            return 0;
        }
        uint8_t byte = *in->p++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
    ctj_fail(in, CTJ_E_VARINT);
    return 0;
}

struct ct_span ctj_bytes(struct ctj_cursor *in, uint64_t length)
{
    if (length > (uint64_t)(in->end - in->p)) {
        ctj_fail(in, CTJ_E_TRUNCATED);
        return (struct ct_span){in->end, 0};
    }
    struct ct_span span = {in->p, (size_t)length};
    in->p += length;
    return span;
}

double ctj_f64(struct ctj_cursor *in)
{
    struct ct_span bytes = ctj_bytes(in, 8);
    uint64_t bits = bytes.length == 8 ? little_endian(bytes.data, 8) : 0;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool ctj_next(struct ctj_cursor *in, struct ctj_record *unit)
{
    if (in->p == in->end)
        return false;
    uint8_t tag = *in->p++;
    unit->tag = tag;
    if (tag >= CTJ_STEP) {
        unit->tag = CTJ_STEP;
        unit->line = ctj_unzigzag(tag == CTJ_STEP_WIDE ? ctj_uv(in) : tag & 0x7Fu);
        return in->error == CTJ_E_NONE;
    }
    switch (tag) {
    case CTJ_END:
        in->p--;
        if (!in->live)
            ctj_fail(in, CTJ_E_TAG);
        in->end = in->p;
        return false;
    case CTJ_PATH:
    case CTJ_NAME:
    case CTJ_TASK:
        unit->a = ctj_uv(in);
        unit->text = ctj_text(in);
        break;
    case CTJ_FUNCTION:
        unit->a = ctj_uv(in);
        unit->b = ctj_uv(in);
        unit->c = ctj_uv(in);
        break;
    case CTJ_CALL:
    case CTJ_THREAD_SWITCH:
    case CTJ_THREAD_EXIT:
        unit->a = ctj_uv(in);
        break;
    case CTJ_ENTER:
    case CTJ_RESUME:
    case CTJ_THROW:
        unit->a = ctj_uv(in);
        unit->b = ctj_uv(in);
        break;
    case CTJ_RETURN:
    case CTJ_YIELD:
    case CTJ_UNWIND:
    case CTJ_LOST:
    case CTJ_RAISE:
    case CTJ_CATCH:
        break;
    case CTJ_THREAD_START:
        unit->a = ctj_uv(in);
        unit->b = ctj_uv(in);
        unit->text = ctj_text(in);
        break;
    case CTJ_OUTPUT:
        unit->a = ctj_u8(in);
        unit->text = ctj_text(in);
        break;
    case CTJ_STACK:
    case CTJ_FRAME:
        unit->a = ctj_uv(in);
        unit->b = ctj_uv(in);
        unit->c = ctj_uv(in);
        break;
    default:
        if (tag >= CTJ_UNIT_EXTENSION && tag <= CTJ_UNIT_EXTENSION_LAST)
            unit->text = ctj_text(in);
        else
            ctj_fail(in, CTJ_E_TAG);
    }
    return in->error == CTJ_E_NONE;
}
