#include "arrays.h"

#include "chunk.h"
#include "field_names.h"

#define DIMENSIONS_LIMIT 64

uint8_t *ct_put_shape(ct_encoder *e, uint8_t *p, const Py_ssize_t *shape, int dimensions)
{
    e->left -= CT_COST_CONTAINER;
    *p++ = CTJ_TUPLE;
    p = ct_put_uv(p, (uint64_t)dimensions);
    for (int i = 0; i < dimensions; i++)
        p = ct_put_integer(e, p, shape[i]);
    return p;
}

/* The first items in the order of their indices, as one list. */
uint8_t *ct_put_elements(ct_encoder *e, uint8_t *p, const ct_array *a)
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
        p = ct_put_element(e, p, at, &a->type);
        for (int i = a->dimensions - 1; i >= 0 && ++index[i] == a->shape[i]; i--)
            index[i] = 0;
    }
    e->depth--;
    return p;
}

uint8_t *ct_put_array(ct_encoder *e, uint8_t *p, const ct_type *type, const ct_array *a)
{
    int fields = a->type.kind != 0 ? 3 : 2;
    e->left -= CT_COST_CONTAINER + 3 * (CT_COST_PAIR + CT_COST_TEXT + 8);
    *p++ = CTJ_INSTANCE;
    p = ct_put_uv(p, type->id);
    *p++ = CTJ_UNSET;
    p = ct_put_uv(p, (uint64_t)fields);
    p = ct_put_uv(p, (uint64_t)fields);
    p = ct_put_field_label(p, "shape");
    p = ct_put_shape(e, p, a->shape, a->dimensions);
    p = ct_put_field_label(p, a->type_label);
    p = ct_put_literal(e, p, a->type.name);
    if (fields == 3) {
        p = ct_put_field_label(p, "items");
        p = ct_put_elements(e, p, a);
    }
    return p;
}

/* ---- memoryview */

static const ct_item_type *format_of(const char *format)
{
    static const struct {
        char code;
        ct_item_type type;
    } formats[] = {
        {'B', {.name = "B", .kind = 'u', .size = 1}},
        {'b', {.name = "b", .kind = 'i', .size = 1}},
        {'c', {.name = "c", .kind = 'u', .size = 1}},
        {'?', {.name = "?", .kind = 'b', .size = 1}},
        {'h', {.name = "h", .kind = 'i', .size = 2}},
        {'H', {.name = "H", .kind = 'u', .size = 2}},
        {'i', {.name = "i", .kind = 'i', .size = 4}},
        {'I', {.name = "I", .kind = 'u', .size = 4}},
        {'l', {.name = "l", .kind = 'i', .size = sizeof(long)}},
        {'L', {.name = "L", .kind = 'u', .size = sizeof(long)}},
        {'q', {.name = "q", .kind = 'i', .size = 8}},
        {'Q', {.name = "Q", .kind = 'u', .size = 8}},
        {'e', {.name = "e", .kind = 'f', .size = 2}},
        {'f', {.name = "f", .kind = 'f', .size = 4}},
        {'d', {.name = "d", .kind = 'f', .size = 8}},
    };
    if (format == NULL)
        return &formats[0].type;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (format[0] == formats[i].code && format[1] == 0)
            return &formats[i].type;
    return NULL;
}

uint8_t *ct_put_memoryview(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    const PyMemoryViewObject *m = (const PyMemoryViewObject *)v;
    const Py_buffer *view = &m->view;
    bool gone = (m->flags | m->mbuf->flags) & _Py_MEMORYVIEW_RELEASED;
    const ct_item_type *item = gone ? NULL : format_of(view->format);
    ct_array a = {.type = {.name = "released"}, .type_label = "format", .object = v};
    if (!gone) {
        a.data = view->buf;
        a.dimensions = view->ndim;
        a.shape = view->shape;
        a.strides = view->strides;
        a.type = item != NULL ? *item : (ct_item_type){.name = "other"};
        if (view->suboffsets != NULL || view->itemsize != a.type.size)
            a.type.kind = 0;
    }
    return ct_put_array(e, p, type, &a);
}
