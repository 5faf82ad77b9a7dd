#include "rows.h"

#include "snapshot.h"

#define HEAD_WORDS 2 /* of an object, in front of its values */

static uintptr_t *words_of(const struct ct_known_row *row, Py_ssize_t at)
{
    return (uintptr_t *)row->words + at * (HEAD_WORDS + row->span);
}

static size_t bytes_of(Py_ssize_t count, int span)
{
    size_t each = (size_t)(HEAD_WORDS + span) * sizeof(uintptr_t) + sizeof(uint32_t);
    return sizeof(struct ct_known_row) + (size_t)count * each;
}

static void release(uintptr_t *w, int span)
{
    for (int i = 0; i < span; i++)
        Py_XDECREF((PyObject *)w[HEAD_WORDS + i]);
}

static void take(struct ct_known_row *row, Py_ssize_t at, const struct ct_known *known)
{
    uintptr_t *w = words_of(row, at);
    w[0] = (uintptr_t)known->object;
    w[1] = known->form.words[0];
    row->heads[at] = known->form.head;
    row->has_heads |= known->form.head != row->head;
}

static bool fits(const struct ct_known_row *row, const struct ct_known *known, PyObject *item)
{
    return known->object == item && Py_TYPE(item) == row->type && known->version == row->version &&
           known->name == row->name && known->form.span == row->span && !known->form.is_long;
}

struct ct_known_row *ct_row_make(const uintptr_t *words, PyObject **items, Py_ssize_t count)
{
    if (count < 2)
        return NULL;
    for (Py_ssize_t i = 0; i < count; i++)
        if ((words[2 * i] & 0xFF) != CT_WORD_KNOWN)
            return NULL;
    const struct ct_known *first = ct_known_place(items[0]);
    size_t words_used = (size_t)count * (HEAD_WORDS + first->form.span);
    struct ct_known_row *row = malloc(bytes_of(count, first->form.span));
    if (row == NULL)
        return NULL;
    *row = (struct ct_known_row){.type = Py_TYPE(items[0]),
                                 .name = Py_NewRef(first->name),
                                 .version = first->version,
                                 .head = first->form.head,
                                 .span = first->form.span};
    row->heads = (uint32_t *)(row->words + words_used);
    for (; row->count < count; row->count++) {
        const struct ct_known *known = ct_known_place(items[row->count]);
        if (!fits(row, known, items[row->count]) ||
            words[2 * row->count] != CT_WORD(CT_WORD_KNOWN, known->stamp)) {
            ct_row_free(row);
            return NULL;
        }
        take(row, row->count, known);
        uintptr_t *w = words_of(row, row->count);
        for (int i = 0; i < row->span; i++)
            w[HEAD_WORDS + i] = (uintptr_t)Py_XNewRef(known->values[i]);
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
    return bytes_of(row->count, row->span);
}

/* ct_row_differs for one span and kind of row, which are known when this is compiled. */
__attribute__((always_inline)) static inline Py_ssize_t
differs(const struct ct_known_row *row, PyObject **items, Py_ssize_t from, int span, bool has_heads)
{
    const uintptr_t *w = row->words + from * (HEAD_WORDS + span);
    const PyTypeObject *type = row->type;
    ct_inline_place place = ct_inline_place_of(type, row->head);
    PyObject **item = items + from, **end = items + row->count;
    for (; item < end; item++, w += HEAD_WORDS + span) {
        PyObject **values;
        if (has_heads)
            place = ct_inline_place_of(type, row->heads[item - items]);
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
    if (ct_unlikely(row->has_heads))
        return differs(row, items, from, row->span, true);
    switch (row->span) {
    case 1:
        return differs(row, items, from, 1, false);
    case 2:
        return differs(row, items, from, 2, false);
    case 3:
        return differs(row, items, from, 3, false);
    default:
        return differs(row, items, from, row->span, false);
    }
}

bool ct_row_put(struct ct_known_row *row, Py_ssize_t at, PyObject *item)
{
    const struct ct_known *known = ct_known_place(item);
    if (!fits(row, known, item))
        return false;
    uintptr_t *w = words_of(row, at);
    take(row, at, known);
    for (int i = 0; i < row->span; i++) {
        PyObject *old = (PyObject *)w[HEAD_WORDS + i];
        if (old == known->values[i])
            continue;
        w[HEAD_WORDS + i] = (uintptr_t)Py_XNewRef(known->values[i]);
        Py_XDECREF(old);
    }
    return true;
}
