#include "ndarray.h"

#include <limits.h>
#include <stdio.h>

#include "chunk.h"
#include "snapshot.h"

#define DIMENSIONS_LIMIT 64

/* The beginnings of PyArray_Descr and PyArrayObject, which are part of numpy's binary interface. */
typedef struct {
    PyObject_HEAD PyTypeObject *scalar;
    char kind, letter, byte_order, unused;
    int number;
    /* From here on as in numpy 2. */
    uint64_t flags;
    Py_ssize_t size, alignment;
    PyObject *metadata;
    Py_hash_t hash;
    void *reserved[2];
    void *items; /* of a dtype that is itself an array */
    PyObject *fields, *names;
    const struct date_unit *unit;
} array_type;

/* What a dtype of dates has besides. */
struct date_unit {
    void *functions[4];
    int unit, times;
};

typedef struct {
    PyObject_HEAD char *data;
    int dimensions;
    Py_ssize_t *shape, *strides;
    PyObject *base;
    array_type *type;
} array_object;

/* Numbers of types, as numpy counts them. */
enum { NUMBER_VOID = 20, NUMBER_DATETIME = 21, NUMBER_TIMEDELTA = 22 };

static bool is_known(const array_type *type)
{
    return Py_TYPE(type)->tp_basicsize == sizeof(array_type);
}

static void set_date(ct_item_type *found, const array_type *type, char name[CT_DTYPE_NAME])
{
    const struct date_unit *unit = is_known(type) ? type->unit : NULL;
    if (unit == NULL || unit->unit < 0 || unit->unit > CT_UNIT_GENERIC)
        return;
    found->kind = type->number == NUMBER_DATETIME ? 'M' : 'm';
    found->unit = unit->unit;
    found->times = unit->times;
    if (unit->unit == CT_UNIT_GENERIC)
        return;
    if (unit->times == 1)
        snprintf(name, CT_DTYPE_NAME, "%s[%s]", found->name, ct_unit_names[unit->unit]);
    else
        snprintf(name, CT_DTYPE_NAME, "%s[%d%s]", found->name, unit->times,
                 ct_unit_names[unit->unit]);
    found->name = name;
}

/* How to read an item of a dtype; its name may be put into `name`. */
static ct_item_type dtype_of(const array_type *type, char name[CT_DTYPE_NAME])
{
    static const ct_item_type dtypes[] = {
        {.name = "bool", .kind = 'b', .size = 1},
        {.name = "int8", .kind = 'i', .size = 1},
        {.name = "uint8", .kind = 'u', .size = 1},
        {.name = "int16", .kind = 'i', .size = 2},
        {.name = "uint16", .kind = 'u', .size = 2},
        {.name = "int32", .kind = 'i', .size = 4},
        {.name = "uint32", .kind = 'u', .size = 4},
        {.name = sizeof(long) == 8 ? "int64" : "int32", .kind = 'i', .size = sizeof(long)},
        {.name = sizeof(long) == 8 ? "uint64" : "uint32", .kind = 'u', .size = sizeof(long)},
        {.name = "int64", .kind = 'i', .size = 8},
        {.name = "uint64", .kind = 'u', .size = 8},
        {.name = "float32", .kind = 'f', .size = 4},
        {.name = "float64", .kind = 'f', .size = 8},
        {.name = "longdouble", .kind = 'f', .size = sizeof(long double)},
        {.name = "complex64", .kind = 'c', .size = 8},
        {.name = "complex128", .kind = 'c', .size = 16},
        {.name = "clongdouble", .kind = 'c', .size = 2 * sizeof(long double)},
        {.name = "object", .kind = 'O', .size = sizeof(PyObject *)},
        {.name = "bytes"},
        {.name = "str"},
        {.name = "void"},
        {.name = "datetime64", .size = 8},
        {.name = "timedelta64", .size = 8},
        {.name = "float16", .kind = 'f', .size = 2},
    };
    if (type->number < 0 || type->number >= (int)(sizeof dtypes / sizeof *dtypes))
        return (ct_item_type){.name = "other"};
    ct_item_type found = dtypes[type->number];
    found.is_swapped = type->byte_order == '>' && found.size > 1;
    if (type->number == NUMBER_DATETIME || type->number == NUMBER_TIMEDELTA) {
        set_date(&found, type, name);
    } else if (found.size == 0 && is_known(type) && type->size < INT_MAX &&
               type->byte_order != '>') {
        found.kind = type->letter;
        found.size = (int)type->size;
        found.dtype = type;
    }
    return found;
}

/* ---- items with fields */

static bool can_be_read(const array_type *type)
{
    return type->names != NULL && PyTuple_CheckExact(type->names) && type->fields != NULL &&
           PyDict_Check(type->fields) && type->items == NULL;
}

/* The field of a record: what it is, and where in it. */
static const array_type *field_of(const array_type *record, PyObject *name, Py_ssize_t *offset)
{
    PyObject *field = PyUnicode_CheckExact(name) && ct_dict_has_str_keys(record->fields)
                          ? PyDict_GetItemWithError(record->fields, name)
                          : NULL;
    if (field == NULL || !PyTuple_CheckExact(field) || PyTuple_GET_SIZE(field) < 2 ||
        !PyLong_CheckExact(PyTuple_GET_ITEM(field, 1)))
        return NULL;
    *offset = PyLong_AsSsize_t(PyTuple_GET_ITEM(field, 1));
    return (const array_type *)PyTuple_GET_ITEM(field, 0);
}

static uint8_t *put_hidden(uint8_t *p, enum ct_action action)
{
    bool is_dropped = action == CT_DROP;
    ct_count(&(is_dropped ? ct_value_counts.dropped : ct_value_counts.redacted)[CT_KIND_ATTRIBUTE]);
    *p++ = is_dropped ? CTJ_DROPPED : CTJ_REDACTED;
    return p;
}

/* The value of a field; what cannot be read is shown as bytes. */
static uint8_t *put_field(ct_encoder *e, uint8_t *p, const char *at, const array_type *field,
                          Py_ssize_t offset)
{
    char name[CT_DTYPE_NAME];
    ct_item_type item = field != NULL ? dtype_of(field, name) : (ct_item_type){0};
    if (item.kind != 0)
        return ct_put_element(e, p, at + offset, &item);
    return ct_put_byte_text(e, p, at + offset, field != NULL ? field->size : 0);
}

uint8_t *ct_put_record(ct_encoder *e, uint8_t *p, const char *at, const ct_item_type *type)
{
    const array_type *record = type->dtype;
    ct_shot.failed = true; /* what filters say of the names is not in a snapshot of bytes */
    if (!can_be_read(record))
        return ct_put_byte_text(e, p, at, type->size);
    Py_ssize_t n = PyTuple_GET_SIZE(record->names), shown = ct_items_shown(n, e->depth);
    p = ct_put_head(e, p, CTJ_DICT, n, shown);
    e->open[e->depth++] = NULL;
    for (Py_ssize_t i = 0; i < shown; i++) {
        if (e->left <= 0) {
            *p++ = CTJ_STOP;
            e->cut = true;
            break;
        }
        PyObject *name = PyTuple_GET_ITEM(record->names, i);
        Py_ssize_t offset = 0;
        const array_type *field = field_of(record, name, &offset);
        enum ct_action action = ct_attribute_action(e->attributes, name);
        e->left -= CT_COST_PAIR;
        if (action == CT_DROP) {
            p = put_hidden(p, action);
            continue;
        }
        p = ct_put_inside(e, p, name);
        if (action != CT_ALLOW) {
            p = put_hidden(p, action);
            continue;
        }
        p = put_field(e, p, at, field, offset);
    }
    e->depth--;
    return p;
}

/* ---- numbers */

typedef struct {
    const char *name;
    char kind;
    int size;
} array_scalar;

/* The beginning of PyVoidScalarObject. */
typedef struct {
    PyObject_VAR_HEAD char *data;
    const array_type *type;
} array_record;

static const array_scalar scalars[] = {
    {"numpy.bool", 'b', 1},
    {"numpy.bool_", 'b', 1},
    {"numpy.int8", 'i', 1},
    {"numpy.uint8", 'u', 1},
    {"numpy.int16", 'i', 2},
    {"numpy.uint16", 'u', 2},
    {"numpy.int32", 'i', 4},
    {"numpy.uint32", 'u', 4},
    {"numpy.int64", 'i', 8},
    {"numpy.uint64", 'u', 8},
    {"numpy.intc", 'i', sizeof(int)},
    {"numpy.uintc", 'u', sizeof(int)},
    {"numpy.longlong", 'i', 8},
    {"numpy.ulonglong", 'u', 8},
    {"numpy.float16", 'f', 2},
    {"numpy.float32", 'f', 4},
    {"numpy.longdouble", 'f', sizeof(long double)},
    {"numpy.complex64", 'c', 8},
    {"numpy.clongdouble", 'c', 2 * sizeof(long double)},
    {"numpy.void", 'V', sizeof(array_record) - sizeof(PyObject)},
    {"numpy.datetime64", 'M', sizeof(int64_t)},
    {"numpy.timedelta64", 'm', sizeof(int64_t)},
};

static const array_scalar *scalar_of(const PyTypeObject *type)
{
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++)
        if (strcmp(type->tp_name, scalars[i].name) == 0 &&
            type->tp_basicsize >= (Py_ssize_t)sizeof(PyObject) + scalars[i].size)
            return &scalars[i];
    return NULL;
}

/* The number of numpy that a class is made for, or made from. */
static const array_scalar *any_scalar_of(const PyTypeObject *type)
{
    const array_scalar *found = NULL;
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
    const array_scalar *scalar = any_scalar_of(Py_TYPE(v));
    const char *at = (const char *)v + sizeof(PyObject);
    ct_item_type item = {.kind = scalar->kind, .size = scalar->size};
    if (scalar->kind == 'V') {
        const array_record *record = (const array_record *)v;
        char name[CT_DTYPE_NAME];
        item = dtype_of(record->type, name);
        return item.kind != 0 ? ct_put_element(e, p, record->data, &item)
                              : ct_put_byte_text(e, p, record->data, 0);
    }
    if (scalar->kind == 'M' || scalar->kind == 'm') {
        memcpy(&item.unit, at + sizeof(int64_t), sizeof item.unit);
        memcpy(&item.times, at + sizeof(int64_t) + sizeof item.unit, sizeof item.times);
    }
    return ct_put_element(e, p, at, &item);
}

/* ---- arrays */

ct_array ct_array_of(PyObject *v, char name[CT_DTYPE_NAME])
{
    const array_object *o = (const array_object *)v;
    bool is_readable = o->dimensions >= 0 && o->dimensions <= DIMENSIONS_LIMIT;
    return (ct_array){.data = o->data,
                      .dimensions = is_readable ? o->dimensions : 0,
                      .shape = o->shape,
                      .strides = o->strides,
                      .type = dtype_of(o->type, name),
                      .type_label = "dtype",
                      .object = v};
}

uint8_t *ct_put_ndarray(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    char name[CT_DTYPE_NAME];
    ct_array a = ct_array_of(v, name);
    return ct_put_array(e, p, type, &a);
}
