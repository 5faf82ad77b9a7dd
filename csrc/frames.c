#include "frames.h"

#include "chunk.h"
#include "columns.h"
#include "field_names.h"
#include "instance.h"
#include "snapshot.h"

#define COLUMNS_LIMIT 100 /* that are shown, whatever the limit of items is */
#define ROWS_LIMIT    10  /* of a frame */

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

#define BLOCK     "pandas._libs.internals.Block"
#define PLACEMENT "pandas._libs.internals.BlockPlacement"
#define MANAGER   "pandas._libs.internals.BlockManager"

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
    ct_column c;
    ct_column_open(&c, values, 0);
    bool is_named = name != NULL && name != Py_None;
    enum ct_action action = is_named ? ct_attribute_action(e->attributes, name) : CT_ALLOW;
    bool is_known = c.length >= 0;
    p = begin(e, p, type, is_known ? 4 : 2);
    if (action == CT_DROP) {
        ct_count(&ct_value_counts.dropped[CT_KIND_ATTRIBUTE]);
        *p++ = CTJ_FIELD_DROPPED;
    } else {
        p = ct_put_field_label(p, "name");
        p = ct_put_inside(e, p, is_named ? name : Py_None);
    }
    p = ct_put_field_label(p, "dtype");
    p = ct_put_literal(e, p, ct_column_dtype(&c));
    if (is_known) {
        p = ct_put_field_label(p, "shape");
        p = ct_put_shape(e, p, &c.length, 1);
    }
    if (is_known && action == CT_DROP) {
        *p++ = CTJ_FIELD_DROPPED;
    } else if (is_known) {
        p = ct_put_field_label(p, "items");
        p = action == CT_REDACT ? ct_put_hidden_column(e, p, &c)
                                : ct_put_column(e, p, &c, c.length, PY_SSIZE_T_MAX);
    }
    ct_column_close(&c);
    return p;
}

/* ---- frames */

typedef struct {
    PyObject *blocks;  /* tuple */
    PyObject *columns; /* Index */
    ct_column labels;  /* of the columns, when they are written out */
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
    PyObject *values = ct_compiled_field(block, BLOCK, "values");
    PyObject *placement = ct_compiled_field(block, BLOCK, "_mgr_locs");
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
    } else if (ct_is_ndarray(indexer)) {
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
    PyObject *axes = ct_compiled_field(manager, MANAGER, "axes");
    f->blocks = ct_compiled_field(manager, MANAGER, "blocks");
    if (axes == NULL || f->blocks == NULL || !PyList_CheckExact(axes) ||
        PyList_GET_SIZE(axes) != 2 || !PyTuple_CheckExact(f->blocks))
        return false;
    f->columns = PyList_GET_ITEM(axes, 0);
    f->range = ct_stored_field(f->columns, "_range");
    PyObject *labels = f->range == NULL ? ct_stored_field(f->columns, "_data") : NULL;
    if (labels != NULL)
        ct_column_open(&f->labels, labels, 0);
    if (f->range != NULL && PyRange_Check(f->range))
        f->count = PyObject_Size(f->range);
    else if (labels != NULL && f->labels.is_readable)
        f->count = f->labels.length;
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
static PyObject *label_of(frame *f, Py_ssize_t i)
{
    return f->range != NULL ? PySequence_GetItem(f->range, i) : ct_column_object(&f->labels, i);
}

/* Write a dict from the labels to what `put` writes for each column. */
static uint8_t *put_columns(ct_encoder *e, uint8_t *p, frame *f, bool is_data)
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
        ct_column c;
        ct_column_open(&c, f->places[i].values, f->places[i].row);
        enum ct_action action = ct_attribute_action(e->attributes, label);
        e->left -= CT_COST_PAIR;
        if (action == CT_DROP) {
            if (is_data)
                ct_count(&ct_value_counts.dropped[CT_KIND_ATTRIBUTE]);
            *p++ = CTJ_DROPPED;
        } else {
            p = ct_put_inside(e, p, label);
            p = !is_data              ? ct_put_literal(e, p, ct_column_dtype(&c))
                : action == CT_REDACT ? ct_put_hidden_column(e, p, &c)
                                      : ct_put_column(e, p, &c, f->rows, ROWS_LIMIT);
        }
        ct_column_close(&c);
        Py_DECREF(label);
    }
    e->depth--;
    return p;
}

/* The rows of the first column that tells its length. */
static Py_ssize_t count_rows(const frame *f)
{
    for (Py_ssize_t i = 0; i < f->count && i < COLUMNS_LIMIT; i++) {
        ct_column c;
        ct_column_open(&c, f->places[i].values, f->places[i].row);
        if (c.length >= 0)
            return c.length;
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
    p = put_columns(e, p, &f, true);
    ct_column_close(&f.labels);
    return p;
}

uint8_t *ct_put_frame(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    if (type->shape == CT_SHAPE_INDEX) {
        PyObject *values = ct_stored_field(v, "_data");
        return values != NULL ? put_series(e, p, values, ct_stored_field(v, "_name"), type) : NULL;
    }
    PyObject *manager = ct_stored_field(v, "_mgr");
    if (manager == NULL)
        return NULL;
    if (type->shape == CT_SHAPE_FRAME)
        return put_frame(e, p, manager, type);
    PyObject *blocks = ct_stored_field(manager, "blocks");
    bool is_one = blocks != NULL && PyTuple_CheckExact(blocks) && PyTuple_GET_SIZE(blocks) == 1;
    PyObject *values =
        is_one ? ct_compiled_field(PyTuple_GET_ITEM(blocks, 0), BLOCK, "values") : NULL;
    return values != NULL ? put_series(e, p, values, ct_stored_field(v, "_name"), type) : NULL;
}
