#include "arrays.h"

#include "chunk.h"
#include "field_names.h"
#include "snapshot.h"

#define DIMENSIONS_LIMIT 64

/* ---- what the two have in common */

/* How to read one item of an array. */
struct item_type {
    const char *name;
    char kind; /* i, u, f, c, b, S, U, O as numpy calls them; 0 when it cannot be read */
    int size;
};

static uint8_t *put_integer(ct_encoder *e, uint8_t *p, int64_t number)
{
    e->left -= CT_COST_INT;
    *p++ = CTJ_INT;
    return ct_put_uv(p, ct_zigzag(number));
}

static uint8_t *put_double(ct_encoder *e, uint8_t *p, double number)
{
    e->left -= CT_COST_FLOAT;
    *p++ = CTJ_FLOAT;
    memcpy(p, &number, sizeof number);
    return p + sizeof number;
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
    return PyFloat_Unpack2(at, 1);
}

static uint64_t bits_at(const char *at, int size)
{
    uint64_t bits = 0;
    memcpy(&bits, at, (size_t)size);
    return bits;
}

static uint8_t *put_complex(ct_encoder *e, uint8_t *p, double real, double imaginary)
{
    e->left -= 2 * CT_COST_FLOAT;
    *p++ = CTJ_COMPLEX;
    memcpy(p, &real, sizeof real);
    memcpy(p + sizeof real, &imaginary, sizeof imaginary);
    return p + 2 * sizeof real;
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

static uint8_t *put_element(ct_encoder *e, uint8_t *p, const char *at, struct item_type type)
{
    uint64_t bits;
    switch (type.kind) {
    case 'b':
        e->left -= CT_COST_CONST;
        *p++ = *at ? CTJ_TRUE : CTJ_FALSE;
        return p;
    case 'f':
        return put_double(e, p, float_at(at, type.size));
    case 'c':
        return put_complex(e, p, float_at(at, type.size / 2),
                           float_at(at + type.size / 2, type.size / 2));
    case 'S':
        return put_padded_bytes(e, p, at, type.size);
    case 'U':
        return put_characters(e, p, at, type.size);
    case 'O':
        return put_object(e, p, at);
    case 'u':
        bits = bits_at(at, type.size);
        if (bits <= INT64_MAX)
            return put_integer(e, p, (int64_t)bits);
        e->left -= CT_COST_TEXT;
        *p++ = CTJ_INT_BIG;
        *p++ = 9;
        memcpy(p, &bits, sizeof bits);
        p[8] = 0;
        return p + 9;
    default:
        bits = bits_at(at, type.size) << (64 - 8 * type.size);
        return put_integer(e, p, (int64_t)bits >> (64 - 8 * type.size));
    }
}

static uint8_t *put_text(ct_encoder *e, uint8_t *p, const char *text)
{
    size_t n = strlen(text);
    e->left -= CT_COST_TEXT + (int32_t)n;
    *p++ = CTJ_STR;
    p = ct_put_uv(p, n);
    memcpy(p, text, n);
    return p + n;
}

static uint8_t *put_shape(ct_encoder *e, uint8_t *p, const Py_ssize_t *shape, int dimensions)
{
    e->left -= CT_COST_CONTAINER;
    *p++ = CTJ_TUPLE;
    p = ct_put_uv(p, (uint64_t)dimensions);
    for (int i = 0; i < dimensions; i++)
        p = put_integer(e, p, shape[i]);
    return p;
}

struct array {
    const char *data;
    int dimensions;
    const Py_ssize_t *shape, *strides;
    struct item_type type;
    const char *type_label; /* "dtype" or "format" */
    PyObject *object;
};

/* The first items in the order of their indices, as one list. */
static uint8_t *put_elements(ct_encoder *e, uint8_t *p, const struct array *a)
{
    Py_ssize_t index[DIMENSIONS_LIMIT] = {0}, total = 1;
    for (int i = 0; i < a->dimensions; i++)
        total *= a->shape[i];
    Py_ssize_t shown = ct_items_shown(total, e->depth);
    p = ct_put_head(e, p, CTJ_LIST, total, shown);
    e->open[e->depth++] = a->object;
    for (Py_ssize_t n = 0; n < shown; n++) {
        if (e->left <= 0) {
            *p++ = CTJ_STOP;
            e->cut = true;
            break;
        }
        const char *at = a->data;
        for (int i = 0; i < a->dimensions; i++)
            at += index[i] * a->strides[i];
        p = put_element(e, p, at, a->type);
        for (int i = a->dimensions - 1; i >= 0 && ++index[i] == a->shape[i]; i--)
            index[i] = 0;
    }
    e->depth--;
    return p;
}

static uint8_t *put_array(ct_encoder *e, uint8_t *p, const ct_type *type, const struct array *a)
{
    int fields = a->type.kind != 0 ? 3 : 2;
    e->left -= CT_COST_CONTAINER + 3 * (CT_COST_PAIR + CT_COST_TEXT + 8);
    *p++ = CTJ_INSTANCE;
    p = ct_put_uv(p, type->id);
    *p++ = CTJ_UNSET;
    p = ct_put_uv(p, (uint64_t)fields);
    p = ct_put_uv(p, (uint64_t)fields);
    p = ct_put_field_label(p, "shape");
    p = put_shape(e, p, a->shape, a->dimensions);
    p = ct_put_field_label(p, a->type_label);
    p = put_text(e, p, a->type.name);
    if (fields == 3) {
        p = ct_put_field_label(p, "items");
        p = put_elements(e, p, a);
    }
    return p;
}

/* ---- memoryview */

static const struct item_type *format_of(const char *format)
{
    static const struct {
        char code;
        struct item_type type;
    } formats[] = {
        {'B', {"B", 'u', 1}},
        {'b', {"b", 'i', 1}},
        {'c', {"c", 'u', 1}},
        {'?', {"?", 'b', 1}},
        {'h', {"h", 'i', 2}},
        {'H', {"H", 'u', 2}},
        {'i', {"i", 'i', 4}},
        {'I', {"I", 'u', 4}},
        {'l', {"l", 'i', sizeof(long)}},
        {'L', {"L", 'u', sizeof(long)}},
        {'q', {"q", 'i', 8}},
        {'Q', {"Q", 'u', 8}},
        {'e', {"e", 'f', 2}},
        {'f', {"f", 'f', 4}},
        {'d', {"d", 'f', 8}},
    };
    if (format == NULL)
        return &formats[0].type;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (format[0] == formats[i].code && format[1] == 0)
            return &formats[i].type;
    return NULL;
}

static uint8_t *put_memoryview(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    const PyMemoryViewObject *m = (const PyMemoryViewObject *)v;
    const Py_buffer *view = &m->view;
    bool gone = (m->flags | m->mbuf->flags) & _Py_MEMORYVIEW_RELEASED;
    const struct item_type *item = gone ? NULL : format_of(view->format);
    struct array a = {.type = {"released", 0, 0}, .type_label = "format", .object = v};
    if (!gone) {
        a.data = view->buf;
        a.dimensions = view->ndim;
        a.shape = view->shape;
        a.strides = view->strides;
        a.type = item != NULL ? *item : (struct item_type){"other", 0, 0};
        if (view->suboffsets != NULL || view->itemsize != a.type.size)
            a.type.kind = 0;
    }
    return put_array(e, p, type, &a);
}

/* ---- numpy.ndarray */

/* The beginnings of PyArray_Descr and PyArrayObject, which are part of numpy's binary interface. */
typedef struct {
    PyObject_HEAD PyTypeObject *scalar;
    char kind, letter, byte_order, unused;
    int number;
    uint64_t flags; /* from here on as in numpy 2 */
    Py_ssize_t size;
} array_type;
#define ARRAY_TYPE_SIZE 120 /* of the whole structure in numpy 2 */

typedef struct {
    PyObject_HEAD char *data;
    int dimensions;
    Py_ssize_t *shape, *strides;
    PyObject *base;
    array_type *type;
} array_object;

static struct item_type dtype_of(const array_type *type)
{
    static const struct item_type dtypes[] = {
        {"bool", 'b', 1},
        {"int8", 'i', 1},
        {"uint8", 'u', 1},
        {"int16", 'i', 2},
        {"uint16", 'u', 2},
        {"int32", 'i', 4},
        {"uint32", 'u', 4},
        {sizeof(long) == 8 ? "int64" : "int32", 'i', sizeof(long)},
        {sizeof(long) == 8 ? "uint64" : "uint32", 'u', sizeof(long)},
        {"int64", 'i', 8},
        {"uint64", 'u', 8},
        {"float32", 'f', 4},
        {"float64", 'f', 8},
        {"longdouble", 0, 0},
        {"complex64", 'c', 8},
        {"complex128", 'c', 16},
        {"clongdouble", 0, 0},
        {"object", 'O', sizeof(PyObject *)},
        {"bytes", 'S', 0},
        {"str", 'U', 0},
        {"void", 0, 0},
        {"datetime64", 0, 0},
        {"timedelta64", 0, 0},
        {"float16", 'f', 2},
    };
    if (type->number < 0 || type->number >= (int)(sizeof dtypes / sizeof *dtypes))
        return (struct item_type){"other", 0, 0};
    struct item_type found = dtypes[type->number];
    if (found.kind == 'S' || found.kind == 'U') {
        bool is_known = Py_TYPE(type)->tp_basicsize == ARRAY_TYPE_SIZE && type->size < INT_MAX;
        found.size = is_known ? (int)type->size : 0;
        found.kind = is_known ? found.kind : 0;
    }
    if (type->byte_order == '>')
        found.kind = 0;
    return found;
}

/* ---- scalars of numpy */

static const struct {
    const char *name;
    struct item_type type;
} scalars[] = {
    {"numpy.bool", {"", 'b', 1}},           {"numpy.bool_", {"", 'b', 1}},
    {"numpy.int8", {"", 'i', 1}},           {"numpy.uint8", {"", 'u', 1}},
    {"numpy.int16", {"", 'i', 2}},          {"numpy.uint16", {"", 'u', 2}},
    {"numpy.int32", {"", 'i', 4}},          {"numpy.uint32", {"", 'u', 4}},
    {"numpy.int64", {"", 'i', 8}},          {"numpy.uint64", {"", 'u', 8}},
    {"numpy.intc", {"", 'i', sizeof(int)}}, {"numpy.uintc", {"", 'u', sizeof(int)}},
    {"numpy.longlong", {"", 'i', 8}},       {"numpy.ulonglong", {"", 'u', 8}},
    {"numpy.float16", {"", 'f', 2}},        {"numpy.float32", {"", 'f', 4}},
    {"numpy.complex64", {"", 'c', 8}},
};

static const struct item_type *scalar_of(const PyTypeObject *type)
{
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++)
        if (strcmp(type->tp_name, scalars[i].name) == 0 &&
            type->tp_basicsize >= (Py_ssize_t)sizeof(PyObject) + scalars[i].type.size)
            return &scalars[i].type;
    return NULL;
}

/* The number of numpy that a class is made for, or made from. */
static const struct item_type *any_scalar_of(const PyTypeObject *type)
{
    const struct item_type *found = NULL;
    for (; type != NULL && found == NULL; type = type->tp_base)
        if (PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_IMMUTABLETYPE))
            found = scalar_of(type);
    return found;
}

bool ct_is_array_scalar(PyTypeObject *type)
{
    return any_scalar_of(type) != NULL;
}

uint8_t *ct_put_array_scalar(ct_encoder *e, uint8_t *p, PyObject *v)
{
    return put_element(e, p, (const char *)v + sizeof(PyObject), *any_scalar_of(Py_TYPE(v)));
}

static uint8_t *put_ndarray(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    const array_object *o = (const array_object *)v;
    struct array a = {.data = o->data,
                      .dimensions = o->dimensions,
                      .shape = o->shape,
                      .strides = o->strides,
                      .type = dtype_of(o->type),
                      .type_label = "dtype",
                      .object = v};
    if (a.dimensions < 0 || a.dimensions > DIMENSIONS_LIMIT)
        a.dimensions = 0;
    return put_array(e, p, type, &a);
}

uint8_t *ct_put_array(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    return type->shape == CT_SHAPE_NDARRAY ? put_ndarray(e, p, v, type)
                                           : put_memoryview(e, p, v, type);
}
