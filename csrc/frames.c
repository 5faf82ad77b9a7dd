#include "frames.h"

#include "chunk.h"
#include "field_names.h"
#include "instance.h"
#include "ndarray.h"
#include "secrets.h"
#include "snapshot.h"

#define COLUMNS_LIMIT 100 /* that are shown, whatever the limit of items is */
#define ROWS_LIMIT    10  /* of a frame */

/* ---- reading objects of pandas */

enum ct_shape ct_frame_shape(PyTypeObject *type)
{
    static PyObject *key;
    if (key == NULL && (key = PyUnicode_InternFromString("__module__")) == NULL)
        PyErr_Clear();
    for (; key != NULL && type != NULL && PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE);
         type = type->tp_base) {
        enum ct_shape shape = strcmp(type->tp_name, "DataFrame") == 0 ? CT_SHAPE_FRAME
                              : strcmp(type->tp_name, "Series") == 0  ? CT_SHAPE_SERIES
                              : strcmp(type->tp_name, "Index") == 0   ? CT_SHAPE_INDEX
                                                                      : CT_SHAPE_OBJECT;
        if (shape == CT_SHAPE_OBJECT || type->tp_dict == NULL ||
            !ct_dict_has_str_keys(type->tp_dict))
            continue;
        PyObject *module = PyDict_GetItemWithError(type->tp_dict, key);
        if (module != NULL && PyUnicode_CheckExact(module) && PyUnicode_IS_ASCII(module) &&
            strncmp(PyUnicode_DATA(module), "pandas", 6) == 0)
            return shape;
    }
    return CT_SHAPE_OBJECT;
}

/* The value of a stored field, borrowed; NULL when there is none. */
static PyObject *field(PyObject *v, const char *wanted)
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

/* What a compiled class of pandas stores under a name, borrowed from the object, which holds it;
 * NULL when it has no such class.  Only the function that the compiler has made for reading it is
 * called. */
static PyObject *member(PyObject *v, const char *owner, const char *name)
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

#define BACKED    "pandas._libs.arrays.NDArrayBacked"
#define BLOCK     "pandas._libs.internals.Block"
#define PLACEMENT "pandas._libs.internals.BlockPlacement"
#define MANAGER   "pandas._libs.internals.BlockManager"

static bool is_ndarray(PyObject *v)
{
    const ct_type *entry = v != NULL ? ct_type_of(Py_TYPE(v)) : NULL;
    return entry != NULL && entry->shape == CT_SHAPE_NDARRAY;
}

/* ---- columns */

/* The values of one column. */
typedef struct {
    ct_array array;      /* its items; of kind 0 when they cannot be read */
    ct_array mask;       /* true where an item is missing; of kind 0 when there is none */
    ct_array labels;     /* what the items number, for categories; of kind 0 otherwise */
    PyObject *extension; /* the array that is no array of numpy; NULL for one that is */
    char names[3][CT_DTYPE_NAME];
} column;

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
    if (!is_ndarray(array))
        return;
    *a = ct_array_of(array, name);
    take_row(a, row);
}

static void open_column(column *c, PyObject *values, Py_ssize_t row)
{
    memset(c, 0, sizeof *c);
    if (is_ndarray(values)) {
        open_array(&c->array, values, row, c->names[0]);
        return;
    }
    c->extension = values;
    PyObject *backing = member(values, BACKED, "_ndarray");
    if (backing == NULL) {
        PyObject *mask = field(values, "_mask");
        backing = mask != NULL ? field(values, "_data") : NULL;
        open_array(&c->mask, mask, row, c->names[1]);
    } else if (strcmp(Py_TYPE(values)->tp_name, "Categorical") == 0) {
        PyObject *dtype = member(values, BACKED, "_dtype");
        PyObject *categories = dtype != NULL ? field(dtype, "_categories") : NULL;
        PyObject *items = categories != NULL ? field(categories, "_data") : NULL;
        if (items != NULL && !is_ndarray(items))
            items = member(items, BACKED, "_ndarray");
        open_array(&c->labels, items, 0, c->names[2]);
        if (c->labels.type.kind == 0)
            return;
    }
    open_array(&c->array, backing, row, c->names[0]);
}

static const char *dtype_name(const column *c)
{
    return c->extension == NULL ? c->array.type.name : Py_TYPE(c->extension)->tp_name;
}

static uint8_t *put_item(ct_encoder *e, uint8_t *p, const column *c, Py_ssize_t i)
{
    const char *at = c->array.data + i * c->array.strides[0];
    if (c->mask.type.kind == 'b' && i < c->mask.shape[0] && c->mask.data[i * c->mask.strides[0]])
        return ct_put_small(e, p, Py_None);
    if (c->labels.type.kind == 0)
        return ct_put_element(e, p, at, &c->array.type);
    int64_t code = c->array.type.size == 1   ? *(const int8_t *)at
                   : c->array.type.size == 2 ? *(const int16_t *)at
                   : c->array.type.size == 4 ? *(const int32_t *)at
                                             : *(const int64_t *)at;
    if (code < 0 || code >= c->labels.shape[0])
        return ct_put_small(e, p, Py_None);
    return ct_put_element(e, p, c->labels.data + code * c->labels.strides[0], &c->labels.type);
}

/* The first items of a column of n rows; none of one that cannot be read. */
static uint8_t *put_items(ct_encoder *e, uint8_t *p, const column *c, Py_ssize_t n,
                          Py_ssize_t limit)
{
    bool is_readable = c->array.type.kind != 0 && c->array.shape[0] == n;
    Py_ssize_t shown = is_readable ? ct_items_shown(n, e->depth) : 0;
    shown = shown < limit ? shown : limit;
    p = ct_put_head(e, p, CTJ_LIST, n, shown);
    e->open[e->depth++] = NULL;
    for (Py_ssize_t i = 0; i < shown; i++) {
        if (e->left <= 0) {
            *p++ = CTJ_STOP;
            e->cut = true;
            break;
        }
        p = put_item(e, p, c, i);
    }
    e->depth--;
    return p;
}

/* A column that a filter hides; its texts are secrets. */
static uint8_t *put_hidden(ct_encoder *e, uint8_t *p, const column *c)
{
    for (Py_ssize_t i = 0; c->array.type.kind == 'O' && i < c->array.shape[0] && i < 100; i++) {
        PyObject *item;
        memcpy(&item, c->array.data + i * c->array.strides[0], sizeof item);
        if (item != NULL)
            ct_secret(item);
    }
    ct_count(&ct_value_counts.redacted[CT_KIND_ATTRIBUTE]);
    e->left -= CT_COST_TEXT;
    *p++ = CTJ_REDACTED;
    return p;
}

static uint8_t *begin(ct_encoder *e, uint8_t *p, const ct_type *type, int fields)
{
    ct_shot.failed = true;
    e->left -= CT_COST_CONTAINER + fields * (CT_COST_PAIR + CT_COST_TEXT + 8);
    *p++ = CTJ_INSTANCE;
    p = ct_put_uv(p, type->id);
    *p++ = CTJ_UNSET;
    *p++ = (uint8_t)fields;
    *p++ = (uint8_t)fields;
    return p;
}

/* ---- series and indexes */

static uint8_t *put_series(ct_encoder *e, uint8_t *p, PyObject *values, PyObject *name,
                           const ct_type *type)
{
    column c;
    open_column(&c, values, 0);
    bool is_named = name != NULL && name != Py_None;
    enum ct_action action = is_named ? ct_attribute_action(e->attributes, name) : CT_ALLOW;
    bool is_known = c.array.dimensions == 1;
    p = begin(e, p, type, is_known ? 4 : 2);
    if (action == CT_DROP) {
        ct_count(&ct_value_counts.dropped[CT_KIND_ATTRIBUTE]);
        *p++ = CTJ_FIELD_DROPPED;
    } else {
        p = ct_put_field_label(p, "name");
        p = ct_put_inside(e, p, is_named ? name : Py_None);
    }
    p = ct_put_field_label(p, "dtype");
    p = ct_put_literal(e, p, dtype_name(&c));
    if (!is_known)
        return p;
    p = ct_put_field_label(p, "shape");
    p = ct_put_shape(e, p, c.array.shape, 1);
    if (action == CT_DROP) {
        *p++ = CTJ_FIELD_DROPPED;
        return p;
    }
    p = ct_put_field_label(p, "items");
    return action == CT_REDACT ? put_hidden(e, p, &c)
                               : put_items(e, p, &c, c.array.shape[0], PY_SSIZE_T_MAX);
}

/* ---- frames */

typedef struct {
    PyObject *blocks;  /* tuple */
    PyObject *columns; /* Index */
    column labels;     /* of the columns, when they are written out */
    PyObject *range;   /* or a range of numbers */
    Py_ssize_t count;  /* of columns */
    Py_ssize_t rows;
    struct {
        PyObject *values;
        Py_ssize_t row;
    } places[COLUMNS_LIMIT];
} frame;

static void set_place(frame *f, int64_t at, PyObject *values, Py_ssize_t row)
{
    if (at >= 0 && at < COLUMNS_LIMIT) {
        f->places[at].values = values;
        f->places[at].row = row;
    }
}

/* Note which columns lie in a block; the number of these, -1 when they cannot be told. */
static Py_ssize_t read_block(frame *f, PyObject *block)
{
    PyObject *values = member(block, BLOCK, "values");
    PyObject *placement = member(block, BLOCK, "_mgr_locs");
    if (values == NULL || placement == NULL)
        return -1;
    PyTypeObject *type = Py_TYPE(placement);
    const PyGetSetDef *def = strcmp(type->tp_name, PLACEMENT) == 0 ? type->tp_getset : NULL;
    while (def != NULL && def->name != NULL && strcmp(def->name, "indexer") != 0)
        def++;
    PyObject *indexer = def != NULL && def->name != NULL ? def->get(placement, def->closure) : NULL;
    Py_ssize_t start, stop, step, n = -1;
    if (indexer == NULL) {
        PyErr_Clear();
    } else if (PySlice_Check(indexer)) {
        if (PySlice_Unpack(indexer, &start, &stop, &step) < 0)
            PyErr_Clear();
        else
            n = PySlice_AdjustIndices(f->count, &start, &stop, step);
        for (Py_ssize_t i = 0; i < n; i++)
            set_place(f, start + i * step, values, i);
    } else if (is_ndarray(indexer)) {
        char name[CT_DTYPE_NAME];
        ct_array a = ct_array_of(indexer, name);
        bool is_read = a.dimensions == 1 && a.type.kind == 'i' && a.type.size == 8;
        n = is_read ? a.shape[0] : -1;
        for (Py_ssize_t i = 0; i < n; i++)
            set_place(f, *(const int64_t *)(a.data + i * a.strides[0]), values, i);
    }
    Py_XDECREF(indexer);
    return n;
}

/* Read what a frame consists of. */
static bool open_frame(frame *f, PyObject *manager)
{
    memset(f, 0, sizeof *f);
    PyObject *axes = member(manager, MANAGER, "axes");
    f->blocks = member(manager, MANAGER, "blocks");
    if (axes == NULL || f->blocks == NULL || !PyList_CheckExact(axes) ||
        PyList_GET_SIZE(axes) != 2 || !PyTuple_CheckExact(f->blocks))
        return false;
    f->columns = PyList_GET_ITEM(axes, 0);
    f->range = field(f->columns, "_range");
    PyObject *labels = f->range == NULL ? field(f->columns, "_data") : NULL;
    if (labels != NULL)
        open_column(&f->labels, labels, 0);
    if (f->range != NULL && PyRange_Check(f->range))
        f->count = PyObject_Size(f->range);
    else if (f->labels.array.type.kind != 0)
        f->count = f->labels.array.shape[0];
    else
        return false;
    Py_ssize_t found = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(f->blocks); i++) {
        Py_ssize_t n = read_block(f, PyTuple_GET_ITEM(f->blocks, i));
        if (n < 0)
            return false;
        found += n;
    }
    for (Py_ssize_t i = 0; i < f->count && i < COLUMNS_LIMIT; i++)
        if (f->places[i].values == NULL)
            return false;
    return found == f->count;
}

/* The label of a column: a new reference. */
static PyObject *label_of(const frame *f, Py_ssize_t i)
{
    PyObject *label;
    if (f->range != NULL)
        return PySequence_GetItem(f->range, i);
    const ct_array *a = &f->labels.array;
    if (a->type.kind == 'O' && f->labels.labels.type.kind == 0) {
        memcpy(&label, a->data + i * a->strides[0], sizeof label);
        return Py_XNewRef(label);
    }
    return a->type.kind == 'i' && a->type.size == 8
               ? PyLong_FromLongLong(*(const int64_t *)(a->data + i * a->strides[0]))
               : NULL;
}

/* Write a dict from the labels to what `put` writes for each column. */
static uint8_t *put_columns(ct_encoder *e, uint8_t *p, const frame *f, bool is_data)
{
    Py_ssize_t shown = ct_items_shown(f->count, e->depth);
    shown = shown < COLUMNS_LIMIT ? shown : COLUMNS_LIMIT;
    p = ct_put_head(e, p, CTJ_DICT, f->count, shown);
    e->open[e->depth++] = NULL;
    for (Py_ssize_t i = 0; i < shown; i++) {
        PyObject *label = e->left > 0 ? label_of(f, i) : NULL;
        if (label == NULL) {
            PyErr_Clear();
            *p++ = CTJ_STOP;
            e->cut = true;
            break;
        }
        column c;
        open_column(&c, f->places[i].values, f->places[i].row);
        enum ct_action action = ct_attribute_action(e->attributes, label);
        e->left -= CT_COST_PAIR;
        if (action == CT_DROP) {
            if (is_data)
                ct_count(&ct_value_counts.dropped[CT_KIND_ATTRIBUTE]);
            *p++ = CTJ_DROPPED;
        } else {
            p = ct_put_inside(e, p, label);
            p = !is_data              ? ct_put_literal(e, p, dtype_name(&c))
                : action == CT_REDACT ? put_hidden(e, p, &c)
                                      : put_items(e, p, &c, f->rows, ROWS_LIMIT);
        }
        Py_DECREF(label);
    }
    e->depth--;
    return p;
}

/* The rows of the first column whose items can be read. */
static Py_ssize_t count_rows(const frame *f)
{
    for (Py_ssize_t i = 0; i < f->count && i < COLUMNS_LIMIT; i++) {
        column c;
        open_column(&c, f->places[i].values, f->places[i].row);
        if (c.array.dimensions == 1)
            return c.array.shape[0];
    }
    return 0;
}

static uint8_t *put_frame(ct_encoder *e, uint8_t *p, PyObject *manager, const ct_type *type)
{
    frame f;
    if (!open_frame(&f, manager))
        return NULL;
    f.rows = count_rows(&f);
    Py_ssize_t shape[2] = {f.rows, f.count};
    p = begin(e, p, type, 3);
    p = ct_put_field_label(p, "shape");
    p = ct_put_shape(e, p, shape, 2);
    p = ct_put_field_label(p, "dtypes");
    p = put_columns(e, p, &f, false);
    p = ct_put_field_label(p, "items");
    return put_columns(e, p, &f, true);
}

uint8_t *ct_put_frame(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    if (type->shape == CT_SHAPE_INDEX) {
        PyObject *values = field(v, "_data");
        return values != NULL ? put_series(e, p, values, field(v, "_name"), type) : NULL;
    }
    PyObject *manager = field(v, "_mgr");
    if (manager == NULL)
        return NULL;
    if (type->shape == CT_SHAPE_FRAME)
        return put_frame(e, p, manager, type);
    PyObject *blocks = field(manager, "blocks");
    bool is_one = blocks != NULL && PyTuple_CheckExact(blocks) && PyTuple_GET_SIZE(blocks) == 1;
    PyObject *values = is_one ? member(PyTuple_GET_ITEM(blocks, 0), BLOCK, "values") : NULL;
    return values != NULL ? put_series(e, p, values, field(v, "_name"), type) : NULL;
}
