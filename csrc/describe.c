#include "describe.h"

#include <stdio.h>

#include "chunk.h"
#include "dates.h"
#include "snapshot.h"

/* ---- names */

static const struct {
    PyTypeObject *type;
    const char *word;
} words[] = {
    {&PyFunction_Type, "function"},
    {&PyMethod_Type, "method"},
    {&PyModule_Type, "module"},
    {&PyCFunction_Type, "builtin"},
    {&PyGen_Type, "generator"},
    {&PyCoro_Type, "coroutine"},
    {&PyAsyncGen_Type, "async generator"},
    {&PyMethodDescr_Type, "method"},
    {&PyWrapperDescr_Type, "method"},
};

static const char *word_of(PyObject *v)
{
    if (PyType_Check(v))
        return "class";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (PyType_IsSubtype(Py_TYPE(v), words[i].type))
            return words[i].word;
    return "object";
}

static PyObject *any_name(PyObject *v)
{
    if (PyMethod_Check(v))
        v = PyMethod_GET_FUNCTION(v);
    if (PyFunction_Check(v))
        return ((PyFunctionObject *)v)->func_qualname;
    if (PyType_Check(v))
        return PyType_HasFeature((PyTypeObject *)v, Py_TPFLAGS_HEAPTYPE)
                   ? ((PyHeapTypeObject *)v)->ht_qualname
                   : NULL;
    if (PyModule_Check(v))
        return ct_module_name(v);
    if (PyGen_CheckExact(v) || PyCoro_CheckExact(v) || PyAsyncGen_CheckExact(v))
        return ((PyGenObject *)v)->gi_qualname;
    return NULL;
}

PyObject *ct_name_object(PyObject *v)
{
    PyObject *name = any_name(v);
    return name != NULL && PyUnicode_CheckExact(name) && ct_is_atom(name) ? name : NULL;
}

/* The name of what has no str for it; NULL when it has none at all. */
static const char *c_name(PyObject *v)
{
    if (PyMethod_Check(v))
        v = PyMethod_GET_FUNCTION(v);
    if (PyType_Check(v)) {
        const char *name = ((PyTypeObject *)v)->tp_name, *dot = strrchr(name, '.');
        return dot != NULL ? dot + 1 : name;
    }
    if (PyCFunction_Check(v))
        return ((PyCFunctionObject *)v)->m_ml->ml_name;
    if (PyObject_TypeCheck(v, &PyMethodDescr_Type))
        return ((PyMethodDescrObject *)v)->d_method->ml_name;
    if (PyObject_TypeCheck(v, &PyWrapperDescr_Type))
        return ((PyWrapperDescrObject *)v)->d_base->name;
    return NULL;
}

/* `<function NAME>`; the name is cut like any text. */
static uint8_t *put_name(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    const char *word = word_of(v), *plain = NULL;
    PyObject *name = any_name(v);
    if (name == NULL || !PyUnicode_Check(name)) {
        name = NULL;
        plain = c_name(v);
        plain = plain != NULL ? plain : "?";
    }
    Py_ssize_t characters = name != NULL ? PyUnicode_GET_LENGTH(name) : (Py_ssize_t)strlen(plain);
    Py_ssize_t shown = characters < ct_limits.text ? characters : ct_limits.text;
    size_t head = strlen(word) + 2;
    *p++ = CTJ_TEXT;
    p = ct_put_uv(p, type->id);
    e->cut |= shown < characters;
    p = ct_put_uv(p, head + (size_t)characters + 1);
    size_t bytes = name != NULL ? ct_text_bytes(name, shown) : (size_t)shown;
    p = ct_put_uv(p, head + bytes + (shown == characters));
    *p++ = '<';
    memcpy(p, word, head - 2);
    p += head - 2;
    *p++ = ' ';
    if (name != NULL)
        p = ct_put_characters(p, name, shown);
    else
        memcpy(p, plain, (size_t)shown), p += shown;
    if (shown == characters)
        *p++ = '>';
    e->left -= CT_COST_TEXT + (int32_t)(head + bytes + 1);
    return p;
}

/* ---- dates and times */

static int put_clock(char *out, size_t room, int hour, int minute, int second, int microsecond)
{
    int n = snprintf(out, room, "%02d:%02d:%02d", hour, minute, second);
    if (microsecond != 0)
        n += snprintf(out + n, room - (size_t)n, ".%06d", microsecond);
    return n;
}

/* datetime.timezone, as _datetime lays it out. */
typedef struct {
    PyObject_HEAD PyObject *offset, *name;
} fixed_zone;

/* The offset of a zone that is fixed; any other could only be asked with code of the program, so
 * its class stands there. */
static int put_zone(char *out, size_t room, PyObject *zone)
{
    const char *name = Py_TYPE(zone)->tp_name, *dot = strrchr(name, '.');
    if (!PyType_HasFeature(Py_TYPE(zone), Py_TPFLAGS_IMMUTABLETYPE) ||
        strcmp(name, "datetime.timezone") != 0 || Py_TYPE(zone)->tp_basicsize != sizeof(fixed_zone))
        return snprintf(out, room, " %.60s", dot != NULL ? dot + 1 : name);
    PyObject *offset = ((fixed_zone *)zone)->offset;
    int seconds = PyDateTime_DELTA_GET_DAYS(offset) * 86400 + PyDateTime_DELTA_GET_SECONDS(offset);
    int size = seconds < 0 ? -seconds : seconds;
    int n =
        snprintf(out, room, "%c%02d:%02d", seconds < 0 ? '-' : '+', size / 3600, size / 60 % 60);
    if (size % 60 != 0)
        n += snprintf(out + n, room - (size_t)n, ":%02d", size % 60);
    return n;
}

static int write_date(char *out, size_t room, PyObject *v)
{
    return snprintf(out, room, "%04d-%02d-%02d", PyDateTime_GET_YEAR(v), PyDateTime_GET_MONTH(v),
                    PyDateTime_GET_DAY(v));
}

static int write_datetime(char *out, size_t room, PyObject *v)
{
    int n = write_date(out, room, v);
    out[n++] = ' ';
    n += put_clock(out + n, room - (size_t)n, PyDateTime_DATE_GET_HOUR(v),
                   PyDateTime_DATE_GET_MINUTE(v), PyDateTime_DATE_GET_SECOND(v),
                   PyDateTime_DATE_GET_MICROSECOND(v));
    if (((PyDateTime_DateTime *)v)->hastzinfo)
        n += put_zone(out + n, room - (size_t)n, ((PyDateTime_DateTime *)v)->tzinfo);
    return n;
}

static int write_time(char *out, size_t room, PyObject *v)
{
    int n = put_clock(out, room, PyDateTime_TIME_GET_HOUR(v), PyDateTime_TIME_GET_MINUTE(v),
                      PyDateTime_TIME_GET_SECOND(v), PyDateTime_TIME_GET_MICROSECOND(v));
    if (((PyDateTime_Time *)v)->hastzinfo)
        n += put_zone(out + n, room - (size_t)n, ((PyDateTime_Time *)v)->tzinfo);
    return n;
}

static int write_timedelta(char *out, size_t room, PyObject *v)
{
    int days = PyDateTime_DELTA_GET_DAYS(v), seconds = PyDateTime_DELTA_GET_SECONDS(v);
    int n = 0;
    if (days != 0)
        n = snprintf(out, room, "%d day%s, ", days, days == 1 || days == -1 ? "" : "s");
    n += snprintf(out + n, room - (size_t)n, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                  seconds % 60);
    if (PyDateTime_DELTA_GET_MICROSECONDS(v) != 0)
        n += snprintf(out + n, room - (size_t)n, ".%06d", PyDateTime_DELTA_GET_MICROSECONDS(v));
    return n;
}

static uint8_t *put_ascii(ct_encoder *e, uint8_t *p, const char *text, size_t n,
                          const ct_type *type)
{
    *p++ = CTJ_TEXT;
    p = ct_put_uv(p, type->id);
    size_t shown = n < (size_t)ct_limits.text ? n : (size_t)ct_limits.text;
    e->cut |= shown < n;
    p = ct_put_uv(p, n);
    p = ct_put_uv(p, shown);
    memcpy(p, text, shown);
    e->left -= CT_COST_TEXT + (int32_t)shown;
    return p + shown;
}

uint8_t *ct_put_words(ct_encoder *e, uint8_t *p, PyObject *text, const ct_type *type)
{
    *p++ = CTJ_TEXT;
    p = ct_put_uv(p, type->id);
    p = ct_put_uv(p, (uint64_t)PyUnicode_GET_LENGTH(text));
    e->cut |= PyUnicode_GET_LENGTH(text) > ct_limits.text;
    uint8_t *start = p;
    p = ct_put_text(p, text, ct_limits.text);
    e->left -= CT_COST_TEXT + (int32_t)(p - start);
    return p;
}

/* ---- decimal.Decimal */

enum { DECIMAL_NEGATIVE = 1, DECIMAL_INFINITE = 2, DECIMAL_NAN = 4, DECIMAL_SNAN = 8 };
#define DECIMAL_WORD_DIGITS 19
#define DECIMAL_DIGITS      400 /* that are shown */

/* The digits of the coefficient, the first DECIMAL_DIGITS of them; returns how many. */
static size_t decimal_digits(const ct_decimal *d, char *out)
{
    size_t n = 0;
    for (int64_t i = d->used - 1; i >= 0 && n < DECIMAL_DIGITS; i--) {
        char word[DECIMAL_WORD_DIGITS + 2];
        int length = snprintf(word, sizeof word, i == d->used - 1 ? "%llu" : "%019llu",
                              (unsigned long long)d->words[i]);
        for (int k = 0; k < length && n < DECIMAL_DIGITS; k++)
            out[n++] = word[k];
    }
    return n;
}

static size_t write_finite(char *out, size_t room, const ct_decimal *d)
{
    char digits[DECIMAL_DIGITS + 1] = "0";
    size_t n = decimal_digits(d, digits), at = 0;
    int64_t adjusted = d->exponent + d->digits - 1;
    if ((int64_t)n == d->digits && d->exponent <= 0 && adjusted >= -6) {
        int64_t point = d->digits + d->exponent; /* digits before the point */
        if (point <= 0) {
            memcpy(out, "0.00000000", 10);
            at = 2 + (size_t)-point;
            memcpy(out + at, digits, n);
            return at + n;
        }
        memcpy(out, digits, (size_t)point);
        at = (size_t)point;
        if (d->exponent < 0) {
            out[at++] = '.';
            memcpy(out + at, digits + point, n - (size_t)point);
            at += n - (size_t)point;
        }
        return at;
    }
    out[at++] = digits[0];
    if (n > 1) {
        out[at++] = '.';
        memcpy(out + at, digits + 1, n - 1);
        at += n - 1;
    }
    if ((int64_t)n < d->digits)
        at += (size_t)snprintf(out + at, room - at, "...");
    return at + (size_t)snprintf(out + at, room - at, "E%+lld", (long long)adjusted);
}

static uint8_t *put_decimal(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    const ct_decimal *d = (const ct_decimal *)v;
    char text[DECIMAL_DIGITS + 64];
    size_t n = 0;
    if (d->flags & DECIMAL_NEGATIVE)
        text[n++] = '-';
    if (d->flags & (DECIMAL_INFINITE | DECIMAL_NAN | DECIMAL_SNAN))
        n += (size_t)snprintf(text + n, sizeof text - n, "%s",
                              d->flags & DECIMAL_INFINITE ? "Infinity"
                              : d->flags & DECIMAL_NAN    ? "NaN"
                                                          : "sNaN");
    else
        n += write_finite(text + n, sizeof text - n, d);
    return put_ascii(e, p, text, n, type);
}

/* ---- all of them */

uint8_t *ct_put_description(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    char text[200];
    int n = 0;
    switch (type->shape) {
    case CT_SHAPE_NAMED:
        return put_name(e, p, v, type);
    case CT_SHAPE_DECIMAL:
        return put_decimal(e, p, v, type);
    case CT_SHAPE_DATE:
        n = write_date(text, sizeof text, v);
        break;
    case CT_SHAPE_DATETIME:
        n = write_datetime(text, sizeof text, v);
        break;
    case CT_SHAPE_TIME:
        n = write_time(text, sizeof text, v);
        break;
    default:
        n = write_timedelta(text, sizeof text, v);
    }
    return put_ascii(e, p, text, (size_t)n, type);
}
