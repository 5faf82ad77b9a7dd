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

/* True when the object that w speaks of is v, with the values that it had. */
__attribute__((always_inline)) static inline bool is_same(const uintptr_t *w, PyObject *v,
                                                          const PyTypeObject *type,
                                                          const ct_inline_place *place, int span)
{
    PyObject **values;
    if (w[0] != (uintptr_t)v || Py_TYPE(v) != type || !ct_inline_is_at(v, place, w[1], &values))
        return false;
    for (int i = 0; i < span; i++)
        if (w[HEAD_WORDS + i] != (uintptr_t)values[i])
            return false;
    return true;
}

/* ct_row_differs for objects with one head and a span that is known when this is compiled.  One
 * that differs does not end the loop, so that the processor foresees how often it runs.  In
 * functions of their own, which find room for everything in registers. */
__attribute__((always_inline)) static inline struct ct_row_difference
differs(const struct ct_known_row *row, PyObject **items, Py_ssize_t from, int span)
{
    const int each = HEAD_WORDS + span;
    const uintptr_t *w = row->words + from * each;
    const PyTypeObject *type = row->type;
    const ct_inline_place place = ct_inline_place_of(type, row->head);
    PyObject **item = items + from, **end = items + row->count, **first = end;
    for (; item < end; item++, w += each) {
        if (ct_likely(is_same(w, *item, type, &place, span)))
            continue;
        if (first != end)
            break;
        first = item;
    }
    return (struct ct_row_difference){first - items, item - items};
}

#define DIFFERS(span)                                                                              \
    __attribute__((noinline)) static struct ct_row_difference differs_##span(                      \
        const struct ct_known_row *row, PyObject **items, Py_ssize_t from)                         \
    {                                                                                              \
        return differs(row, items, from, span);                                                    \
    }

DIFFERS(1)
DIFFERS(2)
DIFFERS(3)

/* The same for any objects, one after the other. */
__attribute__((noinline)) static struct ct_row_difference
differs_any(const struct ct_known_row *row, PyObject **items, Py_ssize_t from)
{
    Py_ssize_t first = row->count, i = from;
    for (; i < row->count; i++) {
        ct_inline_place place = ct_inline_place_of(row->type, row->heads[i]);
        const uintptr_t *w = row->words + i * (HEAD_WORDS + row->span);
        if (is_same(w, items[i], row->type, &place, row->span))
            continue;
        if (first != row->count)
            break;
        first = i;
    }
    return (struct ct_row_difference){first, i};
}

struct ct_row_difference ct_row_differs(const struct ct_known_row *row, PyObject **items,
                                        Py_ssize_t from)
{
    if (from == row->count || Py_TYPE(items[from]) != row->type ||
        ct_type_version(row->type) != row->version ||
        ((PyHeapTypeObject *)row->type)->ht_name != row->name)
        return (struct ct_row_difference){from, from};
    switch (ct_likely(!row->has_heads) ? row->span : 0) {
    case 1:
        return differs_1(row, items, from);
    case 2:
        return differs_2(row, items, from);
    case 3:
        return differs_3(row, items, from);
    default:
        return differs_any(row, items, from);
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
