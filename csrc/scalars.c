#include "scalars.h"

size_t ct_text_bytes(PyObject *str, Py_ssize_t n)
{
    if (ct_likely(PyUnicode_IS_ASCII(str)))
        return (size_t)n;
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    size_t bytes = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    return bytes;
}

uint8_t *ct_put_characters(uint8_t *p, PyObject *str, Py_ssize_t n)
{
    if (ct_likely(PyUnicode_IS_ASCII(str))) {
        memcpy(p, PyUnicode_DATA(str), (size_t)n);
        return p + n;
    }
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
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

uint8_t *ct_put_text(uint8_t *p, PyObject *str, Py_ssize_t limit)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    n = n < limit ? n : limit;
    p = ct_put_uv(p, ct_text_bytes(str, n));
    return ct_put_characters(p, str, n);
}

uint8_t *ct_put_str(ct_encoder *e, uint8_t *p, PyObject *v)
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

uint8_t *ct_put_byte_text(ct_encoder *e, uint8_t *p, const char *bytes, Py_ssize_t n)
{
    Py_ssize_t shown = n < ct_limits.text ? n : ct_limits.text;
    if (shown < n) {
        *p++ = CTJ_BYTES_CUT;
        p = ct_put_uv(p, (uint64_t)n);
        e->cut = true;
    } else {
        *p++ = CTJ_BYTES;
    }
    p = ct_put_uv(p, (uint64_t)shown);
    memcpy(p, bytes, (size_t)shown);
    e->left -= CT_COST_TEXT + 4 * (int32_t)shown; /* as the text of a bytes literal */
    return p + shown;
}

uint8_t *ct_put_big_int(ct_encoder *e, uint8_t *p, PyObject *v)
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

uint8_t *ct_put_small(ct_encoder *e, uint8_t *p, PyObject *v)
{
    if (PyLong_CheckExact(v))
        return ct_put_int(e, p, v);
    if (PyUnicode_CheckExact(v))
        return ct_put_str(e, p, v);
    if (PyFloat_CheckExact(v))
        return ct_put_double(e, p, PyFloat_AS_DOUBLE(v));
    e->left -= CT_COST_CONST;
    *p++ = v == Py_None ? CTJ_NONE : v == Py_True ? CTJ_TRUE : CTJ_FALSE;
    return p;
}
