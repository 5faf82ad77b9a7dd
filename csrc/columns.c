#include "columns.h"

#include "chunk.h"
#include "instance.h"
#include "secrets.h"

#define BACKED "pandas._libs.arrays.NDArrayBacked"

#define SECRETS_LIMIT 100 /* items of a hidden column that are looked at */

PyObject *ct_stored_field(PyObject *v, const char *wanted)
{
    const ct_type *entry = ct_type_of(Py_TYPE(v));
    PyObject *name, *value;
    ct_fields f;
    if (entry == NULL || !entry->has_fields)
        return NULL;
    const ct_type type = *entry;
    ct_fields_open(&f, v, &type);
    while (ct_fields_next(&f, &name, &value))
        if (PyUnicode_CheckExact(name) && PyUnicode_CompareWithASCIIString(name, wanted) == 0)
            return value;
    return NULL;
}

PyObject *ct_compiled_field(PyObject *v, const char *owner, const char *name)
{
    PyTypeObject *type = Py_TYPE(v);
    while (type != NULL && (type->tp_getset == NULL || strcmp(type->tp_name, owner) != 0))
        type = type->tp_base;
    for (const PyGetSetDef *def = type != NULL ? type->tp_getset : NULL;
         def != NULL && def->name != NULL; def++) {
        if (strcmp(def->name, name) != 0 || def->get == NULL)
            continue;
        PyObject *value = def->get(v, def->closure);
        if (value == NULL || Py_REFCNT(value) == 1) {
            PyErr_Clear();
            Py_XDECREF(value);
            return NULL;
        }
        Py_DECREF(value);
        return value;
    }
    return NULL;
}

bool ct_is_ndarray(PyObject *v)
{
    const ct_type *entry = v != NULL ? ct_type_of(Py_TYPE(v)) : NULL;
    return entry != NULL && entry->shape == CT_SHAPE_NDARRAY;
}

/* ---- opening */

/* One row of a table, or the whole of an array of one dimension. */
static void take_row(ct_array *a, Py_ssize_t row)
{
    if (a->dimensions == 2 && row < a->shape[0]) {
        a->data += row * a->strides[0];
        a->shape++;
        a->strides++;
        a->dimensions = 1;
    }
    if (a->dimensions != 1)
        a->type.kind = 0;
}

static void open_array(ct_array *a, PyObject *array, Py_ssize_t row, char name[CT_DTYPE_NAME])
{
    if (!ct_is_ndarray(array))
        return;
    *a = ct_array_of(array, name);
    take_row(a, row);
}

/* Items that Arrow keeps; false when these are not. */
static bool open_arrow(ct_arrow *a, PyObject *values)
{
    PyObject *column = ct_stored_field(values, "_pa_array");
    PyObject *dtype = column != NULL ? ct_stored_field(values, "_dtype") : NULL;
    PyObject *type = dtype != NULL ? ct_stored_field(dtype, "pyarrow_dtype") : NULL;
    return dtype != NULL && ct_arrow_open(a, column, type != NULL ? type : dtype);
}

/* The categories, which are an index. */
static void open_categories(ct_column *c, PyObject *values)
{
    PyObject *dtype = ct_compiled_field(values, BACKED, "_dtype");
    PyObject *categories = dtype != NULL ? ct_stored_field(dtype, "_categories") : NULL;
    PyObject *items = categories != NULL ? ct_stored_field(categories, "_data") : NULL;
    if (items != NULL && !ct_is_ndarray(items) && !open_arrow(&c->arrow, items))
        items = ct_compiled_field(items, BACKED, "_ndarray");
    open_array(&c->array, items, 0, c->names[0]);
}

static Py_ssize_t length_of(const ct_array *a)
{
    return a->dimensions == 1 ? a->shape[0] : -1;
}

void ct_column_open(ct_column *c, PyObject *values, Py_ssize_t row)
{
    memset(c, 0, sizeof *c);
    bool is_plain = ct_is_ndarray(values);
    c->extension = is_plain ? NULL : values;
    PyObject *backing = is_plain ? values : ct_compiled_field(values, BACKED, "_ndarray");
    if (backing != NULL && strcmp(Py_TYPE(values)->tp_name, "Categorical") == 0) {
        open_categories(c, values);
        open_array(&c->codes, backing, row, c->names[1]);
        c->length = length_of(&c->codes);
        c->is_readable =
            c->codes.type.kind == 'i' && (c->array.type.kind != 0 || c->arrow.column != NULL);
        return;
    }
    PyObject *mask = backing == NULL ? ct_stored_field(values, "_mask") : NULL;
    if (mask != NULL)
        backing = ct_stored_field(values, "_data");
    open_array(&c->mask, mask, row, c->names[1]);
    open_array(&c->array, backing, row, c->names[0]);
    c->length = length_of(&c->array);
    c->is_readable = c->array.type.kind != 0;
    if (backing == NULL && open_arrow(&c->arrow, values)) {
        c->length = c->arrow.length;
        c->is_readable = true;
    }
}

void ct_column_close(ct_column *c)
{
    ct_arrow_close(&c->arrow);
}

const char *ct_column_dtype(const ct_column *c)
{
    return c->extension == NULL ? c->array.type.name : Py_TYPE(c->extension)->tp_name;
}

/* ---- items */

static const char *address_of(const ct_array *a, Py_ssize_t i)
{
    return a->data + i * a->strides[0];
}

static int64_t integer_at(const ct_array *a, Py_ssize_t i)
{
    const char *at = address_of(a, i);
    return a->type.size == 1   ? *(const int8_t *)at
           : a->type.size == 2 ? *(const int16_t *)at
           : a->type.size == 4 ? *(const int32_t *)at
                               : *(const int64_t *)at;
}

/* The same of `array` or `arrow`. */
static PyObject *object_of(ct_column *c, Py_ssize_t i)
{
    if (c->arrow.column != NULL)
        return ct_arrow_item(&c->arrow, i);
    if (c->array.type.kind == 'O') {
        PyObject *item;
        memcpy(&item, address_of(&c->array, i), sizeof item);
        return Py_XNewRef(item);
    }
    return c->array.type.kind == 'i' && c->array.type.size == 8
               ? PyLong_FromLongLong(integer_at(&c->array, i))
               : NULL;
}

PyObject *ct_column_object(ct_column *c, Py_ssize_t i)
{
    return c->is_readable && c->codes.type.kind == 0 ? object_of(c, i) : NULL;
}

/* Whether an item is missing.  Of a category, `i` becomes its index among the categories. */
static bool is_missing(const ct_column *c, Py_ssize_t *i)
{
    if (c->mask.type.kind == 'b' && *i < c->mask.shape[0] && *address_of(&c->mask, *i))
        return true;
    if (c->codes.type.kind == 0)
        return false;
    *i = integer_at(&c->codes, *i);
    return *i < 0 || *i >= (c->arrow.column != NULL ? c->arrow.length : c->array.shape[0]);
}

/* NULL when it cannot be read. */
static uint8_t *put_item(ct_encoder *e, uint8_t *p, ct_column *c, Py_ssize_t i)
{
    if (is_missing(c, &i))
        return ct_put_small(e, p, Py_None);
    if (c->arrow.column == NULL)
        return ct_put_element(e, p, address_of(&c->array, i), &c->array.type);
    PyObject *item = ct_arrow_item(&c->arrow, i);
    if (item == NULL)
        return NULL;
    p = ct_put_inside(e, p, item);
    Py_DECREF(item);
    return p;
}

uint8_t *ct_put_column(ct_encoder *e, uint8_t *p, ct_column *c, Py_ssize_t n, Py_ssize_t limit)
{
    Py_ssize_t shown = c->is_readable && c->length == n ? ct_items_shown(n, e->depth) : 0;
    shown = shown < limit ? shown : limit;
    p = ct_put_head(e, p, CTJ_LIST, n, shown);
    e->open[e->depth++] = NULL;
    for (Py_ssize_t i = 0; i < shown; i++) {
        uint8_t *end = e->left > 0 ? put_item(e, p, c, i) : NULL;
        if (end == NULL) {
            *p++ = CTJ_STOP;
            e->cut = true;
            break;
        }
        p = end;
    }
    e->depth--;
    return p;
}

uint8_t *ct_put_hidden_column(ct_encoder *e, uint8_t *p, ct_column *c)
{
    Py_ssize_t n = c->arrow.column != NULL     ? c->arrow.length
                   : c->array.type.kind == 'O' ? c->array.shape[0]
                                               : 0;
    for (Py_ssize_t i = 0; i < n && i < SECRETS_LIMIT; i++) {
        PyObject *item = object_of(c, i);
        ct_secret(item);
        Py_XDECREF(item);
    }
    ct_count(&ct_value_counts.redacted[CT_KIND_ATTRIBUTE]);
    e->left -= CT_COST_TEXT;
    *p++ = CTJ_REDACTED;
    return p;
}
