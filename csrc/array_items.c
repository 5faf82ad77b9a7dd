#include "array_items.h"

#include <limits.h>
#include <stdio.h>

#include "ndarray.h"
#include "scalars.h"
#include "snapshot.h"

uint8_t *ct_put_integer(ct_encoder *e, uint8_t *p, int64_t number)
{
    e->left -= CT_COST_INT;
    *p++ = CTJ_INT;
    return ct_put_uv(p, ct_zigzag(number));
}

static double float_at(const char *at, int size)
{
    if (size == sizeof(double)) {
        double number;
        memcpy(&number, at, sizeof number);
        return number;
    }
    if (size == sizeof(float)) {
        float number;
        memcpy(&number, at, sizeof number);
        return (double)number;
    }
    if (size == sizeof(long double)) {
        long double number;
        memcpy(&number, at, sizeof number);
        return (double)number;
    }
    return PyFloat_Unpack2(at, 1);
}

static uint64_t bits_at(const char *at, int size)
{
    uint64_t bits = 0;
    memcpy(&bits, at, (size_t)size);
    return bits;
}

/* Characters of four bytes each, padded with zeros. */
static uint8_t *put_characters(ct_encoder *e, uint8_t *p, const char *at, int size)
{
    Py_ssize_t n = size / (int)sizeof(Py_UCS4);
    Py_UCS4 *copy = malloc((size_t)size + 1); /* they may lie anywhere */
    if (copy != NULL)
        memcpy(copy, at, (size_t)size);
    while (copy != NULL && n > 0 && copy[n - 1] == 0)
        n--;
    PyObject *text = copy != NULL ? PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, copy, n) : NULL;
    free(copy);
    if (text == NULL) {
        PyErr_Clear(); /* no memory, or no characters */
        *p++ = CTJ_OMITTED;
        return p;
    }
    p = ct_put_small(e, p, text);
    Py_DECREF(text);
    return p;
}

static uint8_t *put_padded_bytes(ct_encoder *e, uint8_t *p, const char *at, int size)
{
    while (size > 0 && at[size - 1] == 0)
        size--;
    return ct_put_byte_text(e, p, at, size);
}

/* An object; what a snapshot would say of it is not known, so its bytes are compared. */
static uint8_t *put_object(ct_encoder *e, uint8_t *p, const char *at)
{
    PyObject *object;
    memcpy(&object, at, sizeof object);
    ct_shot.failed = true;
    return ct_put_inside(e, p, object != NULL ? object : Py_None);
}

/* ---- dates */

const char *const ct_unit_names[CT_UNITS] = {"Y", "M",  "W",  "?",  "D",  "h",  "m",
                                             "s", "ms", "us", "ns", "ps", "fs", "as"};

/* Years, months, weeks and days beyond this are counted. */
#define DATES_LIMIT (INT64_MAX / 16)

/* How many of each unit from hours on make a day, where that is a number of 64 bits. */
static const int64_t per_day[CT_UNITS] = {
    [5] = 24,
    [6] = 24 * 60,
    [7] = 86400,
    [8] = 86400 * INT64_C(1000),
    [9] = 86400 * INT64_C(1000000),
    [10] = 86400 * INT64_C(1000000000),
    [11] = 86400 * INT64_C(1000000000000),
};

static int64_t floor_divide(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

static int write_year(char *out, size_t room, int64_t year)
{
    return snprintf(out, room, year < 0 ? "-%04lld" : "%04lld",
                    (long long)(year < 0 ? -year : year));
}

/* Write a day, counted from 1970, of the Gregorian calendar; years have 400 of them in 146,097. */
static int write_day(char *out, size_t room, int64_t days)
{
    int64_t shifted = days + 719468, era = floor_divide(shifted, 146097);
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100); /* begins in March */
    int64_t month = (5 * of_year + 2) / 153, day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    int n = write_year(out, room, year + era * 400 + (month <= 2));
    return n + snprintf(out + n, room - (size_t)n, "-%02d-%02d", (int)month, (int)day);
}

/* Write the rest of a day, `part` of `whole`, as far as the unit goes. */
static int write_clock(char *out, size_t room, int64_t part, int unit)
{
    int64_t second = per_day[unit] / 86400, seconds = unit < 7 ? 0 : part / second;
    int n;
    if (unit == 5)
        return snprintf(out, room, "T%02d", (int)part);
    if (unit == 6)
        return snprintf(out, room, "T%02d:%02d", (int)(part / 60), (int)(part % 60));
    n = snprintf(out, room, "T%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
                 (int)(seconds % 60));
    if (unit > 7)
        n += snprintf(out + n, room - (size_t)n, ".%0*lld", 3 * (unit - 7),
                      (long long)(part % second));
    return n;
}

/* A date as numpy writes it; false for one that it can only count. */
static bool write_date(char *out, size_t room, int64_t number, int unit)
{
    if (unit == 0 || unit == 1) {
        int64_t since = unit == 0 ? number : floor_divide(number, 12);
        int n = write_year(out, room, since + 1970);
        if (unit == 1)
            snprintf(out + n, room - (size_t)n, "-%02d", (int)(number - 12 * since) + 1);
        return true;
    }
    if (unit > CT_UNIT_DAY && per_day[unit] == 0)
        return false;
    int64_t days = unit == 2             ? number * 7
                   : unit == CT_UNIT_DAY ? number
                                         : floor_divide(number, per_day[unit]);
    int n = write_day(out, room, days);
    if (unit > CT_UNIT_DAY)
        write_clock(out + n, room - (size_t)n, number - days * per_day[unit], unit);
    return true;
}

static uint8_t *put_date(ct_encoder *e, uint8_t *p, int64_t number, const ct_item_type *type)
{
    char text[64];
    int64_t scaled;
    if (number == INT64_MIN)
        return ct_put_literal(e, p, "NaT");
    if (type->kind == 'M' && type->unit >= 0 && type->unit < CT_UNIT_GENERIC &&
        !__builtin_mul_overflow(number, type->times, &scaled) &&
        (type->unit > CT_UNIT_DAY || (scaled > -DATES_LIMIT && scaled < DATES_LIMIT)) &&
        write_date(text, sizeof text, scaled, type->unit))
        return ct_put_literal(e, p, text);
    return ct_put_integer(e, p, number);
}

/* ---- all of them */

/* A number whose bytes stand in the other order. */
static uint8_t *put_swapped(ct_encoder *e, uint8_t *p, const char *at, const ct_item_type *type)
{
    ct_item_type here = *type;
    char bytes[2 * sizeof(long double)];
    int part = type->kind == 'c' ? type->size / 2 : type->size;
    here.is_swapped = false;
    for (int i = 0; i < type->size; i++)
        bytes[i] = at[i / part * part + part - 1 - i % part];
    return ct_put_element(e, p, bytes, &here);
}

uint8_t *ct_put_element(ct_encoder *e, uint8_t *p, const char *at, const ct_item_type *type)
{
    uint64_t bits;
    if (type->is_swapped)
        return put_swapped(e, p, at, type);
    switch (type->kind) {
    case 'b':
        e->left -= CT_COST_CONST;
        *p++ = *at ? CTJ_TRUE : CTJ_FALSE;
        return p;
    case 'f':
        return ct_put_double(e, p, float_at(at, type->size));
    case 'c':
        return ct_put_complex(e, p, float_at(at, type->size / 2),
                              float_at(at + type->size / 2, type->size / 2));
    case 'S':
        return put_padded_bytes(e, p, at, type->size);
    case 'U':
        return put_characters(e, p, at, type->size);
    case 'O':
        return put_object(e, p, at);
    case 'V':
        return ct_put_record(e, p, at, type);
    case 'M':
    case 'm':
        return put_date(e, p, (int64_t)bits_at(at, sizeof(int64_t)), type);
    case 'u':
        bits = bits_at(at, type->size);
        if (bits <= INT64_MAX)
            return ct_put_integer(e, p, (int64_t)bits);
        e->left -= CT_COST_TEXT;
        *p++ = CTJ_INT_BIG;
        *p++ = 9;
        memcpy(p, &bits, sizeof bits);
        p[8] = 0;
        return p + 9;
    default:
        bits = bits_at(at, type->size) << (64 - 8 * type->size);
        return ct_put_integer(e, p, (int64_t)bits >> (64 - 8 * type->size));
    }
}

uint8_t *ct_put_literal(ct_encoder *e, uint8_t *p, const char *text)
{
    size_t n = strlen(text);
    e->left -= CT_COST_TEXT + (int32_t)n;
    *p++ = CTJ_STR;
    p = ct_put_uv(p, n);
    memcpy(p, text, n);
    return p + n;
}
