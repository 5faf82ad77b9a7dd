/* As Objects/locations.md and InternalDocs/code_objects.md of CPython describe it: entries of a
 * byte 1ccccnnn for n + 1 code units, then bytes below 0x80. */
#include "line_table.h"

/* Codes of entries; below LOCATION_ONE_LINE the line stays the same. */
enum {
    LOCATION_ONE_LINE = 10, /* and 11, 12: as many lines further as it is above */
    LOCATION_NO_COLUMNS = 13,
    LOCATION_LONG = 14,
    LOCATION_NONE = 15,
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

void ct_line_table_read(PyCodeObject *code, int32_t *lines, int count)
{
    const uint8_t *at = (const uint8_t *)PyBytes_AS_STRING(code->co_linetable);
    const uint8_t *end = at + PyBytes_GET_SIZE(code->co_linetable);
    int line = code->co_firstlineno, unit = 0;
    while (at < end) {
        int kind = *at >> 3 & 15, units = (*at & 7) + 1;
        at++;
        if (kind == LOCATION_NO_COLUMNS || kind == LOCATION_LONG)
            line += read_signed(at, end);
        else if (kind >= LOCATION_ONE_LINE && kind < LOCATION_NO_COLUMNS)
            line += kind - LOCATION_ONE_LINE;
        for (; units > 0 && unit < count; units--)
            lines[unit++] = kind == LOCATION_NONE ? 0 : line;
        while (at < end && (*at & 0x80) == 0)
            at++;
    }
    while (unit < count)
        lines[unit++] = 0;
}
