#include "value.h"

#include "chunk.h"
#include "types.h"

struct ct_limits ct_limits = {
    .depth = 6, .items = 100, .text = 1024, .value = 16384, .step = 262144};
struct ct_value_counts ct_value_counts;

static uint8_t *put_value(ct_encoder *e, uint8_t *p, PyObject *v);

uint8_t *ct_put_text(uint8_t *p, PyObject *str, Py_ssize_t limit)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    n = n < limit ? n : limit;
    if (ct_likely(PyUnicode_IS_ASCII(str))) {
        p = ct_put_uv(p, (uint64_t)n);
        memcpy(p, PyUnicode_DATA(str), (size_t)n);
        return p + n;
    }
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    size_t bytes = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    p = ct_put_uv(p, bytes);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c < 0x80) {
            *p++ = (uint8_t)c;
        } else if (c < 0x800) {
            *p++ = (uint8_t)(0xC0 | c >> 6);
            *p++ = (uint8_t)(0x80 | (c & 63));
        } else if (c < 0x10000) {
            *p++ = (uint8_t)(0xE0 | c >> 12);
            *p++ = (uint8_t)(0x80 | (c >> 6 & 63));
            *p++ = (uint8_t)(0x80 | (c & 63));
        } else {
            *p++ = (uint8_t)(0xF0 | c >> 18);
            *p++ = (uint8_t)(0x80 | (c >> 12 & 63));
            *p++ = (uint8_t)(0x80 | (c >> 6 & 63));
            *p++ = (uint8_t)(0x80 | (c & 63));
        }
    }
    return p;
}

static uint8_t *put_str(ct_encoder *e, uint8_t *p, PyObject *v)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(v);
    Py_ssize_t shown = n < ct_limits.text ? n : ct_limits.text;
    if (shown < n) {
        *p++ = CTJ_STR_CUT;
        p = ct_put_uv(p, (uint64_t)n);
        e->cut = true;
    } else {
        *p++ = CTJ_STR;
    }
    uint8_t *text = p;
    p = ct_put_text(p, v, shown);
    e->left -= CT_COST_TEXT + (int32_t)(p - text);
    return p;
}

static uint8_t *put_bytes(ct_encoder *e, uint8_t *p, PyObject *v)
{
    Py_ssize_t n = PyBytes_GET_SIZE(v);
    Py_ssize_t shown = n < ct_limits.text ? n : ct_limits.text;
    if (shown < n) {
        *p++ = CTJ_BYTES_CUT;
        p = ct_put_uv(p, (uint64_t)n);
        e->cut = true;
    } else {
        *p++ = CTJ_BYTES;
    }
    p = ct_put_uv(p, (uint64_t)shown);
    memcpy(p, PyBytes_AS_STRING(v), (size_t)shown);
    e->left -= CT_COST_TEXT + 4 * (int32_t)shown; /* as the text of a bytes literal */
    return p + shown;
}

/* An int of more than 64 bits, as two's complement bytes. */
static uint8_t *put_big_int(ct_encoder *e, uint8_t *p, PyObject *v)
{
    size_t count;
    bool negative;
    const digit *digits = ct_int_digits(v, &count, &negative);
    size_t top_bits = 0;
    for (digit top = digits[count - 1]; top != 0; top >>= 1)
        top_bits++;
    size_t bits = (count - 1) * PyLong_SHIFT + top_bits;
    size_t length = bits / 8 + 1;
    if (length > (size_t)ct_limits.text) {
        *p++ = CTJ_INT_CUT;
        p = ct_put_uv(p, bits);
        *p++ = negative;
        e->cut = true;
        e->left -= CT_COST_TEXT + 32;
        return p;
    }
    *p++ = CTJ_INT_BIG;
    p = ct_put_uv(p, length);
    uint64_t pending = 0;
    unsigned pending_bits = 0, carry = 1;
    size_t next = 0;
    for (size_t i = 0; i < length; i++) {
        if (pending_bits < 8 && next < count) {
            pending |= (uint64_t)digits[next++] << pending_bits;
            pending_bits += PyLong_SHIFT;
        }
        unsigned byte = (unsigned)(pending & 0xFF);
        pending >>= 8;
        pending_bits = pending_bits > 8 ? pending_bits - 8 : 0;
        if (negative) {
            byte = (~byte & 0xFF) + carry;
            carry = byte >> 8;
        }
        *p++ = (uint8_t)byte;
    }
    e->left -= CT_COST_TEXT + (int32_t)(length * 5 / 2); /* decimal digits */
    return p;
}

static uint8_t *put_int(ct_encoder *e, uint8_t *p, PyObject *v)
{
    int64_t number;
    if (ct_unlikely(!ct_int_fits(v, &number)))
        return put_big_int(e, p, v);
    e->left -= CT_COST_INT;
    uint64_t z = ct_zigzag(number);
    if (z < 0x80) {
        *p++ = CTJ_SMALL_INT | (uint8_t)z;
        return p;
    }
    *p++ = CTJ_INT;
    return ct_put_uv(p, z);
}

static uint8_t *put_double(uint8_t *p, double d)
{
    memcpy(p, &d, sizeof d);
    return p + sizeof d;
}

static uint8_t *put_float(ct_encoder *e, uint8_t *p, PyObject *v)
{
    e->left -= CT_COST_FLOAT;
    *p++ = CTJ_FLOAT;
    return put_double(p, PyFloat_AS_DOUBLE(v));
}

static uint8_t *put_complex(ct_encoder *e, uint8_t *p, PyObject *v)
{
    e->left -= 2 * CT_COST_FLOAT;
    *p++ = CTJ_COMPLEX;
    p = put_double(p, ((PyComplexObject *)v)->cval.real);
    return put_double(p, ((PyComplexObject *)v)->cval.imag);
}

static uint8_t *put_head(ct_encoder *e, uint8_t *p, uint8_t tag, Py_ssize_t n, Py_ssize_t shown)
{
    e->left -= CT_COST_CONTAINER;
    if (shown < n) {
        *p++ = tag + (CTJ_TUPLE_CUT - CTJ_TUPLE);
        p = ct_put_uv(p, (uint64_t)n);
        e->cut = true;
    } else {
        *p++ = tag;
    }
    return ct_put_uv(p, (uint64_t)shown);
}

/* True when the value's limit is used up: the container ends here. */
static bool stop(ct_encoder *e, uint8_t **p)
{
    if (ct_likely(e->left > 0))
        return false;
    *(*p)++ = CTJ_STOP;
    e->cut = e->stopped = true;
    return true;
}

static uint8_t *put_sequence(ct_encoder *e, uint8_t *p, PyObject *v, uint8_t tag)
{
    Py_ssize_t n;
    PyObject **items = ct_sequence_items(v, &n);
    Py_ssize_t shown = ct_items_shown(n, e->depth);
    p = put_head(e, p, tag, n, shown);
    e->open[e->depth++] = v;
    for (Py_ssize_t i = 0; i < shown && !stop(e, &p); i++)
        p = put_value(e, p, items[i]);
    e->depth--;
    return p;
}

static uint8_t *put_dict(ct_encoder *e, uint8_t *p, PyObject *v)
{
    Py_ssize_t n = PyDict_GET_SIZE(v), shown = ct_items_shown(n, e->depth), at = 0;
    PyObject *key, *value;
    p = put_head(e, p, CTJ_DICT, n, shown);
    e->open[e->depth++] = v;
    for (Py_ssize_t i = 0; i < shown && !stop(e, &p); i++) {
        if (!PyDict_Next(v, &at, &key, &value)) {
            *p++ = CTJ_STOP;
            e->stopped = true;
            break;
        }
        e->left -= CT_COST_PAIR;
        p = put_value(e, p, key);
        p = put_value(e, p, value);
    }
    e->depth--;
    return p;
}

static uint8_t *put_set(ct_encoder *e, uint8_t *p, PyObject *v, uint8_t tag)
{
    Py_ssize_t n = PySet_GET_SIZE(v), shown = ct_items_shown(n, e->depth), at = 0;
    p = put_head(e, p, tag, n, shown);
    e->open[e->depth++] = v;
    for (Py_ssize_t i = 0; i < shown && !stop(e, &p); i++) {
        PyObject *member = ct_set_next(v, &at);
        if (member == NULL) {
            *p++ = CTJ_STOP;
            e->stopped = true;
            break;
        }
        p = put_value(e, p, member);
    }
    e->depth--;
    return p;
}

/* The container around this one that it is, as levels up; 0 for none. */
static int cycle(const ct_encoder *e, const PyObject *v)
{
    for (int i = e->depth - 1; i >= 0; i--)
        if (e->open[i] == v)
            return e->depth - i;
    return 0;
}

static uint8_t *put_by_shape(ct_encoder *e, uint8_t *p, PyObject *v, enum ct_shape shape)
{
    switch (shape) {
    case CT_SHAPE_INT:
        return put_int(e, p, v);
    case CT_SHAPE_FLOAT:
        return put_float(e, p, v);
    case CT_SHAPE_COMPLEX:
        return put_complex(e, p, v);
    case CT_SHAPE_STR:
        return put_str(e, p, v);
    case CT_SHAPE_BYTES:
        return put_bytes(e, p, v);
    case CT_SHAPE_TUPLE:
        return put_sequence(e, p, v, CTJ_TUPLE);
    case CT_SHAPE_LIST:
        return put_sequence(e, p, v, CTJ_LIST);
    case CT_SHAPE_SET:
        return put_set(e, p, v, CTJ_SET);
    case CT_SHAPE_FROZENSET:
        return put_set(e, p, v, CTJ_FROZENSET);
    default:
        return put_dict(e, p, v);
    }
}

/* Anything that is not of an exact builtin type. */
static uint8_t *put_typed(ct_encoder *e, uint8_t *p, PyObject *v)
{
    ct_type *type = ct_type_of(Py_TYPE(v));
    if (type == NULL) {
        *p++ = CTJ_OMITTED;
        return p;
    }
    e->left -= (int32_t)ct_type_name_cost(type);
    p = ct_put_type(p, type);
    if (type->shape == CT_SHAPE_OBJECT) {
        e->left -= CT_COST_OBJECT;
        *p++ = CTJ_OBJECT;
        p = ct_put_uv(p, type->id);
        return ct_put_uv(p, (uintptr_t)v);
    }
    if (type->shape == CT_SHAPE_EXCEPTION) {
        PyObject *args = ((PyBaseExceptionObject *)v)->args;
        e->left -= CT_COST_CONTAINER;
        *p++ = CTJ_EXCEPTION;
        p = ct_put_uv(p, type->id);
        if (args == NULL || e->depth >= CT_DEPTH_LIMIT - 1) {
            *p++ = CTJ_TUPLE;
            *p++ = 0;
            return p;
        }
        e->open[e->depth++] = v; /* an exception may stand in its own args */
        p = put_value(e, p, args);
        e->depth--;
        return p;
    }
    *p++ = CTJ_SUBCLASS;
    p = ct_put_uv(p, type->id);
    return put_by_shape(e, p, v, type->shape);
}

static uint8_t *put_value(ct_encoder *e, uint8_t *p, PyObject *v)
{
    PyTypeObject *type = Py_TYPE(v);
    if (type == &PyLong_Type)
        return put_int(e, p, v);
    if (type == &PyUnicode_Type)
        return put_str(e, p, v);
    if (v == Py_None || type == &PyBool_Type) {
        e->left -= CT_COST_CONST;
        *p++ = v == Py_None ? CTJ_NONE : v == Py_True ? CTJ_TRUE : CTJ_FALSE;
        return p;
    }
    if (type == &PyFloat_Type)
        return put_float(e, p, v);
    if (type == &PyBytes_Type)
        return put_bytes(e, p, v);
    if (type == &PyComplex_Type)
        return put_complex(e, p, v);
    int up = cycle(e, v);
    if (ct_unlikely(up > 0)) {
        e->left -= CT_COST_TEXT;
        *p++ = CTJ_CYCLE;
        return ct_put_uv(p, (uint64_t)up);
    }
    if (type == &PyList_Type)
        return put_sequence(e, p, v, CTJ_LIST);
    if (type == &PyTuple_Type)
        return put_sequence(e, p, v, CTJ_TUPLE);
    if (type == &PyDict_Type)
        return put_dict(e, p, v);
    if (type == &PySet_Type)
        return put_set(e, p, v, CTJ_SET);
    if (type == &PyFrozenSet_Type)
        return put_set(e, p, v, CTJ_FROZENSET);
    return put_typed(e, p, v);
}

uint8_t *ct_put_value(ct_encoder *e, uint8_t *p, PyObject *v)
{
    p = put_value(e, p, v);
    if (ct_unlikely(e->cut))
        ct_value_counts.cuts++;
    return p;
}
