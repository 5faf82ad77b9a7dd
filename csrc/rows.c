#include "rows.h"

#include "snapshot.h"

#define HEAD_WORDS 2 /* of an object, in front of its values */

static uintptr_t *words_of(const struct ct_known_row *row, Py_ssize_t at)
{
    return (uintptr_t *)row->words + at * (HEAD_WORDS + row->span);
}

static void release(uintptr_t *w, int span)
{
    for (int i = 0; i < span; i++)
        Py_XDECREF((PyObject *)w[HEAD_WORDS + i]);
}

static void take(uintptr_t *w, const struct ct_known *known)
{
    w[0] = (uintptr_t)known->object;
    w[1] = known->form.words[0];
    for (int i = 0; i < known->form.span; i++)
        w[HEAD_WORDS + i] = (uintptr_t)Py_XNewRef(known->values[i]);
}

static bool fits(const struct ct_known_row *row, const struct ct_known *known, PyObject *item)
{
    return known->object == item && Py_TYPE(item) == row->type && known->version == row->version &&
           known->name == row->name && known->form.head == row->head &&
           known->form.span == row->span && !known->form.is_long;
}

struct ct_known_row *ct_row_make(const uintptr_t *words, PyObject **items, Py_ssize_t count)
{
    if (count < 2)
        return NULL;
    for (Py_ssize_t i = 0; i < count; i++)
        if ((words[2 * i] & 0xFF) != CT_WORD_KNOWN)
            return NULL;
    const struct ct_known *first = ct_known_place(items[0]);
    size_t room = (size_t)count * (HEAD_WORDS + first->form.span);
    struct ct_known_row *row = malloc(sizeof *row + room * sizeof(uintptr_t));
    if (row == NULL)
        return NULL;
    *row = (struct ct_known_row){.type = Py_TYPE(items[0]),
                                 .name = Py_NewRef(first->name),
                                 .version = first->version,
                                 .head = first->form.head,
                                 .span = first->form.span};
    for (; row->count < count; row->count++) {
        const struct ct_known *known = ct_known_place(items[row->count]);
        if (!fits(row, known, items[row->count]) ||
            words[2 * row->count] != CT_WORD(CT_WORD_KNOWN, known->stamp)) {
            ct_row_free(row);
            return NULL;
        }
        take(words_of(row, row->count), known);
    }
    return row;
}

void ct_row_free(struct ct_known_row *row)
{
    if (row == NULL)
        return;
    for (Py_ssize_t i = 0; i < row->count; i++)
        release(words_of(row, i), row->span);
    Py_DECREF(row->name);
    free(row);
}

size_t ct_row_bytes(const struct ct_known_row *row)
{
    return sizeof *row + (size_t)row->count * (HEAD_WORDS + row->span) * sizeof(uintptr_t);
}

/* ct_row_differs for one span, which is known when this is compiled. */
__attribute__((always_inline)) static inline Py_ssize_t
differs(const struct ct_known_row *row, PyObject **items, Py_ssize_t from, int span)
{
    const uintptr_t *w = row->words + from * (HEAD_WORDS + span);
    const PyTypeObject *type = row->type;
    ct_inline_place place = ct_inline_place_of(type, row->head);
    PyObject **item = items + from, **end = items + row->count;
    for (; item < end; item++, w += HEAD_WORDS + span) {
        PyObject **values;
        if (w[0] != (uintptr_t)*item || Py_TYPE(*item) != type ||
            !ct_inline_is_at(*item, &place, w[1], &values))
            break;
        int i = 0;
        while (i < span && w[HEAD_WORDS + i] == (uintptr_t)values[i])
            i++;
        if (i < span)
            break;
    }
    return item - items;
}

Py_ssize_t ct_row_differs(const struct ct_known_row *row, PyObject **items, Py_ssize_t from)
{
    if (from == row->count || Py_TYPE(items[from]) != row->type ||
        ct_type_version(row->type) != row->version ||
        ((PyHeapTypeObject *)row->type)->ht_name != row->name)
        return from;
    switch (row->span) {
    case 1:
        return differs(row, items, from, 1);
    case 2:
        return differs(row, items, from, 2);
    case 3:
        return differs(row, items, from, 3);
    default:
        return differs(row, items, from, row->span);
    }
}

bool ct_row_put(struct ct_known_row *row, Py_ssize_t at, PyObject *item)
{
    const struct ct_known *known = ct_known_place(item);
    if (!fits(row, known, item))
        return false;
    uintptr_t *w = words_of(row, at);
    w[0] = (uintptr_t)item;
    w[1] = known->form.words[0];
    for (int i = 0; i < row->span; i++) {
        PyObject *old = (PyObject *)w[HEAD_WORDS + i];
        if (old == known->values[i])
            continue;
        w[HEAD_WORDS + i] = (uintptr_t)Py_XNewRef(known->values[i]);
        Py_XDECREF(old);
    }
    return true;
}
