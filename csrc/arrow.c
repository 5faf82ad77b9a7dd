#include "arrow.h"

#define CHUNKED "pyarrow.lib.ChunkedArray"
#define ARRAY   "pyarrow.lib.Array"

/* Classes of chunks, and how their items lie in memory. */
static const struct {
    const char *name;
    char kind;
    int size;
} layouts[] = {
    {"pyarrow.lib.StringArray", 'U', 4},  {"pyarrow.lib.LargeStringArray", 'U', 8},
    {"pyarrow.lib.Int8Array", 'i', 1},    {"pyarrow.lib.Int16Array", 'i', 2},
    {"pyarrow.lib.Int32Array", 'i', 4},   {"pyarrow.lib.Int64Array", 'i', 8},
    {"pyarrow.lib.UInt8Array", 'u', 1},   {"pyarrow.lib.UInt16Array", 'u', 2},
    {"pyarrow.lib.UInt32Array", 'u', 4},  {"pyarrow.lib.UInt64Array", 'u', 8},
    {"pyarrow.lib.FloatArray", 'f', 4},   {"pyarrow.lib.DoubleArray", 'f', 8},
    {"pyarrow.lib.BooleanArray", 'b', 0},
};

static bool is_compiled(const PyTypeObject *type, const char *name)
{
    return !PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE) &&
           strcmp(type->tp_name, name) == 0;
}

/* The class of that name among those of an object, NULL when it has none. */
static PyTypeObject *owner_of(PyObject *v, const char *name)
{
    PyTypeObject *type = Py_TYPE(v);
    while (type != NULL && !is_compiled(type, name))
        type = type->tp_base;
    return type;
}

/* What a method without arguments, or with one, returns: a new reference, NULL when it fails. */
static PyObject *call(PyObject *v, const char *owner, const char *name, PyObject *argument)
{
    PyTypeObject *type = owner_of(v, owner);
    PyObject *method = type != NULL ? PyDict_GetItemString(type->tp_dict, name) : NULL;
    if (method == NULL)
        return NULL;
    PyObject *arguments[] = {v, argument};
    return PyObject_Vectorcall(method, arguments, argument != NULL ? 2 : 1, NULL);
}

/* A number that a compiled class has under a name, -1 when there is none. */
static Py_ssize_t number_of(PyObject *v, const char *owner, const char *name)
{
    PyTypeObject *type = owner_of(v, owner);
    const PyGetSetDef *def = type != NULL ? type->tp_getset : NULL;
    while (def != NULL && def->name != NULL && strcmp(def->name, name) != 0)
        def++;
    PyObject *number = def != NULL && def->name != NULL ? def->get(v, def->closure) : NULL;
    Py_ssize_t found = number != NULL && PyLong_CheckExact(number) ? PyLong_AsSsize_t(number) : -1;
    Py_XDECREF(number);
    return found;
}

/* Types that programs add have a class of their own, of Python, for their chunks. */
static bool is_plain(PyObject *dtype)
{
    return strcmp(Py_TYPE(dtype)->tp_name, "StringDtype") == 0 ||
           is_compiled(Py_TYPE(dtype), "pyarrow.lib.DataType");
}

bool ct_arrow_open(ct_arrow *a, PyObject *column, PyObject *dtype)
{
    memset(a, 0, sizeof *a);
    if (!is_compiled(Py_TYPE(column), CHUNKED) || !is_plain(dtype))
        return false;
    int collects = ct_collect_nothing();
    a->length = PyObject_Size(column);
    ct_collect_again(collects);
    if (a->length < 0) {
        PyErr_Clear();
        return false;
    }
    a->column = column;
    return true;
}

static void leave_chunk(ct_arrow *a)
{
    a->kind = 0;
    PyBuffer_Release(&a->valid);
    PyBuffer_Release(&a->items);
    PyBuffer_Release(&a->texts);
}

void ct_arrow_close(ct_arrow *a)
{
    leave_chunk(a);
    a->column = NULL;
}

/* Take the n-th of the buffers of a chunk, where it has one. */
static bool take_buffer(PyObject *buffers, Py_ssize_t n, Py_buffer *view)
{
    if (n >= PyList_GET_SIZE(buffers) || PyList_GET_ITEM(buffers, n) == Py_None)
        return true;
    return PyObject_GetBuffer(PyList_GET_ITEM(buffers, n), view, PyBUF_SIMPLE) == 0;
}

/* Whether the buffers hold as many items as the chunk says. */
static bool is_whole(const ct_arrow *a, Py_ssize_t count)
{
    Py_ssize_t end = a->offset + count;
    Py_ssize_t bits = (end + 7) / 8;
    if (a->valid.obj != NULL && a->valid.len < bits)
        return false;
    return a->kind == 'b'   ? a->items.len >= bits
           : a->kind == 'U' ? a->items.len / a->size > end
                            : a->items.len / a->size >= end;
}

/* Look at a chunk: false, maybe with an exception, when it cannot be read. */
static bool enter_chunk(ct_arrow *a, PyObject *chunk)
{
    size_t n = 0;
    while (n < sizeof layouts / sizeof *layouts && !is_compiled(Py_TYPE(chunk), layouts[n].name))
        n++;
    Py_ssize_t count = PyObject_Size(chunk);
    a->offset = number_of(chunk, ARRAY, "offset");
    if (n == sizeof layouts / sizeof *layouts || count < 0 || a->offset < 0)
        return false;
    a->kind = layouts[n].kind;
    a->size = layouts[n].size;
    a->start = a->stop;
    a->stop += count;
    PyObject *buffers = call(chunk, ARRAY, "buffers", NULL);
    bool is_read = buffers != NULL && PyList_CheckExact(buffers) &&
                   take_buffer(buffers, 0, &a->valid) && take_buffer(buffers, 1, &a->items) &&
                   take_buffer(buffers, 2, &a->texts) && (count == 0 || is_whole(a, count));
    Py_XDECREF(buffers);
    return is_read;
}

/* Look at the chunk with an item. */
static bool find_chunk(ct_arrow *a, Py_ssize_t i)
{
    if (a->kind == 0 || i < a->start)
        a->chunk = a->start = a->stop = 0;
    while (i >= a->stop) {
        leave_chunk(a);
        PyObject *index = PyLong_FromSsize_t(a->chunk++);
        PyObject *chunk = index != NULL ? call(a->column, CHUNKED, "chunk", index) : NULL;
        bool is_read = chunk != NULL && enter_chunk(a, chunk);
        Py_XDECREF(index);
        Py_XDECREF(chunk);
        if (!is_read) {
            leave_chunk(a);
            return false;
        }
    }
    return true;
}

static bool has_bit(const Py_buffer *bits, Py_ssize_t i)
{
    return ((const uint8_t *)bits->buf)[i / 8] >> (i % 8) & 1;
}

/* A little-endian integer. */
static int64_t integer_at(const char *at, int size, bool is_signed)
{
    uint64_t found = 0;
    memcpy(&found, at, (size_t)size);
    int unused = 64 - 8 * size;
    return is_signed ? (int64_t)(found << unused) >> unused : (int64_t)found;
}

static PyObject *text_at(const ct_arrow *a, const char *at)
{
    int64_t start = integer_at(at, a->size, true);
    int64_t end = integer_at(at + a->size, a->size, true);
    if (start < 0 || start > end || end > a->texts.len)
        return NULL;
    const char *text = a->texts.obj != NULL ? (const char *)a->texts.buf + start : "";
    return PyUnicode_DecodeUTF8(text, end - start, "replace");
}

static PyObject *item_at(const ct_arrow *a, Py_ssize_t i)
{
    if (a->valid.obj != NULL && !has_bit(&a->valid, i))
        return Py_NewRef(Py_None);
    if (a->kind == 'b')
        return PyBool_FromLong(has_bit(&a->items, i));
    const char *at = (const char *)a->items.buf + i * a->size;
    if (a->kind == 'U')
        return text_at(a, at);
    if (a->kind == 'f')
        return PyFloat_FromDouble(a->size == 4 ? PyFloat_Unpack4(at, 1) : PyFloat_Unpack8(at, 1));
    int64_t number = integer_at(at, a->size, a->kind == 'i');
    return a->kind == 'u' ? PyLong_FromUnsignedLongLong((uint64_t)number)
                          : PyLong_FromLongLong(number);
}

PyObject *ct_arrow_item(ct_arrow *a, Py_ssize_t i)
{
    int collects = ct_collect_nothing();
    bool is_found = find_chunk(a, i);
    PyObject *item = is_found ? item_at(a, a->offset + i - a->start) : NULL;
    ct_collect_again(collects);
    if (item == NULL)
        PyErr_Clear();
    return item;
}
