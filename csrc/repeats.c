#include "repeats.h"

#include "chunk.h"
#include "instance.h"
#include "snapshot.h"

#define TABLE     1024
#define MET_LIMIT 512

uint32_t ct_met;
static ct_meeting table[TABLE];
static uint16_t order[MET_LIMIT]; /* entries as they were taken: the last goes first */

void ct_met_forget(uint32_t count)
{
    while (ct_met > count)
        table[order[--ct_met]].object = NULL;
}

static bool can_change(PyObject *v, int depth);

static bool any_can_change(PyObject *v, enum ct_shape shape, int depth)
{
    Py_ssize_t n = ct_items_shown(ct_container_size(v, shape), depth), at = 0;
    PyObject **items = shape == CT_SHAPE_TUPLE ? ((PyTupleObject *)v)->ob_item : NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = items != NULL ? items[i] : ct_set_next(v, &at);
        if (item != NULL && can_change(item, depth + 1))
            return true;
    }
    return false;
}

/* Whether it matters which object a value is: it can change, or holds something that can.  Members
 * of enums are known by their names. */
static bool can_change(PyObject *v, int depth)
{
    PyTypeObject *type = Py_TYPE(v);
    if (type == &PyList_Type || type == &PyDict_Type || type == &PySet_Type)
        return true;
    if (ct_is_exact_scalar(type) || v == Py_None)
        return false;
    if (type == &PyTuple_Type)
        return any_can_change(v, CT_SHAPE_TUPLE, depth);
    ct_type *entry = ct_type_of(type);
    if (entry == NULL || (entry->layout != NULL && entry->layout->kind == CT_LAYOUT_ENUM))
        return false;
    switch (entry->shape) {
    case CT_SHAPE_LIST:
    case CT_SHAPE_SET:
    case CT_SHAPE_DICT:
    case CT_SHAPE_EXCEPTION:
    case CT_SHAPE_BYTEARRAY:
    case CT_SHAPE_DEQUE:
    case CT_SHAPE_MEMORYVIEW:
    case CT_SHAPE_NDARRAY:
        return true;
    case CT_SHAPE_TUPLE:
    case CT_SHAPE_FROZENSET:
        return entry->dict != CT_DICT_NONE || any_can_change(v, (enum ct_shape)entry->shape, depth);
    default:
        return entry->has_fields && entry->shape != CT_SHAPE_MEMBERS;
    }
}

ct_meeting *ct_meet(PyObject *v, bool *is_new)
{
    *is_new = false;
    return can_change(v, 0) ? ct_meet_changing(v, is_new) : NULL;
}

ct_meeting *ct_meet_changing(PyObject *v, bool *is_new)
{
    *is_new = false;
    uint32_t at = (uint32_t)((uintptr_t)v >> 4 ^ (uintptr_t)v >> 14) % TABLE;
    while (table[at].object != NULL && table[at].object != v)
        at = (at + 1) % TABLE;
    if (table[at].object == v)
        return &table[at];
    if (ct_met == MET_LIMIT)
        return NULL;
    *is_new = true;
    table[at] = (ct_meeting){.object = v};
    order[ct_met++] = (uint16_t)at;
    return &table[at];
}

/* ---- writing */

/* Objects behind `at` have moved by `bytes`. */
static void move_behind(uint32_t at, uint32_t bytes)
{
    for (uint32_t i = 0; i < ct_met; i++)
        if (table[order[i]].at > at)
            table[order[i]].at += bytes;
}

/* Write a mark in front of what begins at `at`; what follows moves. */
static uint8_t *insert_mark(ct_encoder *e, uint8_t *p, uint32_t at, uint32_t number)
{
    uint8_t mark[1 + 2] = {CTJ_SHARED}; /* numbers are as few as objects that are met */
    size_t length = (size_t)(ct_put_uv(mark + 1, number) - mark);
    uint8_t *place = (uint8_t *)e->start + at;
    memmove(place + length, place, (size_t)(p - place));
    memcpy(place, mark, length);
    move_behind(at, (uint32_t)length);
    e->left -= CT_COST_MARK;
    return p + length;
}

uint8_t *ct_put_place(ct_encoder *e, uint8_t *p, PyObject *v)
{
    bool is_new;
    ct_meeting *first = ct_meet(v, &is_new);
    if (first == NULL)
        return p;
    if (is_new) {
        first->at = (uint32_t)(p - e->start);
        first->word = ct_shot.used;
        return p;
    }
    if (e->is_edit) {
        e->repeats = true;
        return p;
    }
    if (first->number == 0) {
        first->number = ++e->numbers;
        p = insert_mark(e, p, first->at, first->number);
    }
    if (e->shot)
        ct_shot_push(CT_WORD(CT_WORD_AGAIN, first->word));
    ct_shot.repeats = e->is_again = true;
    e->left -= CT_COST_MARK;
    *p++ = CTJ_SHARED;
    return ct_put_uv(p, first->number);
}
