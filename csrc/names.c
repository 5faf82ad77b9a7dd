#include "names.h"

#include <stdio.h>

#include "chunk.h"
#include "value.h"

#define MARK_BYTES      11 /* an ellipsis and eight digits */
#define MARK_CHARACTERS 9

/* FNV-1a over the characters. */
static uint32_t digest(PyObject *name)
{
    uint32_t sum = 2166136261u;
    int kind = PyUnicode_KIND(name);
    const void *data = PyUnicode_DATA(name);
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(name); i++)
        sum = (sum ^ PyUnicode_READ(kind, data, i)) * 16777619u;
    return sum;
}

uint8_t *ct_put_name_text(uint8_t *p, PyObject *name)
{
    if (ct_likely(PyUnicode_GET_LENGTH(name) <= CT_NAME_LIMIT))
        return ct_put_text(p, name, CT_NAME_LIMIT);
    Py_ssize_t shown = CT_NAME_LIMIT - MARK_CHARACTERS;
    char mark[MARK_BYTES + 1];
    snprintf(mark, sizeof mark, "\xE2\x80\xA6%08x", digest(name));
    p = ct_put_uv(p, ct_text_bytes(name, shown) + MARK_BYTES);
    p = ct_put_characters(p, name, shown);
    memcpy(p, mark, MARK_BYTES);
    return p + MARK_BYTES;
}

uint32_t ct_name_text_cost(PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    n = n < CT_NAME_LIMIT ? n : CT_NAME_LIMIT;
    return (uint32_t)n * (PyUnicode_IS_ASCII(name) ? 1 : 4) + MARK_BYTES;
}
