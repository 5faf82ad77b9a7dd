/* Reads the table of lines, as Objects/locations.md and InternalDocs/code_objects.md of CPython
 * describe it: entries of a byte 1ccccnnn for n + 1 code units, then bytes below 0x80. */
#include "idle.h"

#include <opcode.h>
#include <stdlib.h>

/* Codes of entries; below LOCATION_ONE_LINE the line stays the same. */
enum {
    LOCATION_ONE_LINE = 10, /* and 11, 12: as many lines further as it is above */
    LOCATION_NO_COLUMNS = 13,
    LOCATION_LONG = 14,
    LOCATION_NONE = 15,
};

/* A function whose lines go further apart than this is not looked at. */
#define LINES_LIMIT 65536

struct reader {
    const uint8_t *at, *end;
    int line; /* of the entry that was read last, 0 when it has none */
    int units;
    int last; /* what the next one's line is relative to */
};

static int read_signed(const uint8_t *p, const uint8_t *end)
{
    unsigned value = 0;
    for (int shift = 0; p < end && shift < 30; shift += 6) {
        value |= (unsigned)(*p & 63) << shift;
        if ((*p++ & 64) == 0)
            break;
    }
    return value & 1 ? -(int)(value >> 1) : (int)(value >> 1);
}

static bool read_entry(struct reader *in)
{
    if (in->at >= in->end)
        return false;
    int code = *in->at >> 3 & 15;
    in->units = (*in->at++ & 7) + 1;
    if (code == LOCATION_NO_COLUMNS || code == LOCATION_LONG)
        in->last += read_signed(in->at, in->end);
    else if (code >= LOCATION_ONE_LINE && code < LOCATION_NO_COLUMNS)
        in->last += code - LOCATION_ONE_LINE;
    in->line = code == LOCATION_NONE ? 0 : in->last;
    while (in->at < in->end && (*in->at & 0x80) == 0)
        in->at++;
    return true;
}

static struct reader read_lines(PyCodeObject *code)
{
    const uint8_t *table = (const uint8_t *)PyBytes_AS_STRING(code->co_linetable);
    return (struct reader){.at = table,
                           .end = table + PyBytes_GET_SIZE(code->co_linetable),
                           .last = code->co_firstlineno};
}

static bool has_nop(const uint8_t *units, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++)
        if (units[2 * i] == NOP)
            return true;
    return false;
}

static bool are_nops(const uint8_t *units, Py_ssize_t from, Py_ssize_t to)
{
    for (Py_ssize_t i = from; i < to; i++)
        if (units[2 * i] != NOP)
            return false;
    return true;
}

static void set_bit(ct_idle_lines *idle, int line, bool is_idle)
{
    uint32_t at = (uint32_t)line - (uint32_t)idle->first;
    if (at >= idle->count)
        return;
    if (is_idle)
        idle->bits[at / 8] |= (uint8_t)(1 << at % 8);
    else
        idle->bits[at / 8] &= (uint8_t)~(1 << at % 8);
}

/* Set (`wanted`) the bits of lines that have nothing but NOP in one place, then clear those that
 * have anything else in another, or are not followed by the event of a line. */
static bool mark(ct_idle_lines *idle, PyCodeObject *code, const uint8_t *units, Py_ssize_t count,
                 bool wanted)
{
    struct reader in = read_lines(code);
    Py_ssize_t at = 0;
    int before = 0; /* the line of the entry before, when that is of NOP alone */
    bool any = false;
    while (read_entry(&in) && at + in.units <= count) {
        bool is_idle = are_nops(units, at, at + in.units);
        if (!wanted && before != 0 && in.line == 0)
            set_bit(idle, before, false);
        if (in.line != 0 && is_idle == wanted)
            set_bit(idle, in.line, wanted);
        any = any || (is_idle && in.line != 0);
        before = is_idle ? in.line : 0;
        at += in.units;
    }
    return any;
}

static ct_idle_lines *find(PyCodeObject *code, const uint8_t *units, Py_ssize_t count)
{
    struct reader in = read_lines(code);
    int first = INT32_MAX, last = 0;
    while (read_entry(&in)) {
        if (in.line == 0)
            continue;
        first = in.line < first ? in.line : first;
        last = in.line > last ? in.line : last;
    }
    if (first > last || first < 0 || last - first >= LINES_LIMIT)
        return NULL;
    uint32_t lines = (uint32_t)(last - first) + 1;
    ct_idle_lines *idle = calloc(1, sizeof *idle + lines / 8 + 1);
    if (idle == NULL)
        return NULL;
    idle->first = first;
    idle->count = lines;
    if (!mark(idle, code, units, count, true)) {
        free(idle);
        return NULL;
    }
    mark(idle, code, units, count, false);
    return idle;
}

ct_idle_lines *ct_idle_lines_of(PyCodeObject *code)
{
    PyObject *bytes = PyCode_GetCode(code);
    if (bytes == NULL) {
        PyErr_Clear();
        return NULL;
    }
    const uint8_t *units = (const uint8_t *)PyBytes_AS_STRING(bytes);
    Py_ssize_t count = PyBytes_GET_SIZE(bytes) / (Py_ssize_t)sizeof(_Py_CODEUNIT);
    ct_idle_lines *idle = has_nop(units, count) ? find(code, units, count) : NULL;
    Py_DECREF(bytes);
    return idle;
}
