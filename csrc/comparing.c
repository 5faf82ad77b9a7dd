/* Comparing values with their snapshots. */
#include "snapshot.h"

#include "arrays.h"
#include "delta.h"
#include "describe.h"
#include "field_names.h"
#include "instance.h"
#include "known.h"
#include "repeats.h"
#include "rows.h"

/* The snapshot of the whole, and the containers around the value that is being compared. */
static struct {
    const uintptr_t *words;
    bool is_again; /* one of them has been compared in another place */
    int depth;
    PyObject *open[CT_DEPTH_LIMIT];
} around;

static const uintptr_t *same(const uintptr_t *w, PyObject *v);

/* The word after an item that was put under a key: what a filter hides is the same whatever it is.
 */
static inline const uintptr_t *same_under_key(const uintptr_t *w, PyObject *v)
{
    if (ct_unlikely(*w == CT_WORD_REDACTED || *w == CT_WORD_DROPPED))
        return w + 1;
    return same(w, v);
}

/* True when the instance at w is a plain one of this type, which is as it was, its name included.
 */
static inline bool is_plain_of(const uintptr_t *w, PyTypeObject *type)
{
    if (w[1] != (uintptr_t)type || !(w[4] & 1) || w[2] == 0 || w[2] != ct_type_version(type))
        return false;
    const ct_type *entry = ct_type_of(type);
    return entry != NULL && entry->id == w[0] >> 8;
}

__attribute__((noinline)) static bool meets_first(const uintptr_t *w, PyObject *v)
{
    bool is_new;
    /* What has a number has attributes. */
    ct_meeting *first =
        (*w & 0xFF) == CT_WORD_KNOWN ? ct_meet_changing(v, &is_new) : ct_meet(v, &is_new);
    if (is_new)
        first->word = (size_t)(w - around.words);
    return is_new || first == NULL;
}

/* False when v, which begins at w, stands in the value before this place too. */
static inline bool is_first(const uintptr_t *w, PyObject *v)
{
    return ct_likely(Py_REFCNT(v) == 1) || around.depth == 0 || around.is_again ||
           meets_first(w, v);
}

/* True when v stands in the value before this place, too, where its snapshot begins at this word.
 */
static bool is_again(PyObject *v, size_t word)
{
    bool is_new;
    ct_meeting *first = ct_meet(v, &is_new);
    return first != NULL && !is_new && first->word == word;
}

/* The word after an object at w that is v, with the very fields that it had; NULL when that cannot
 * be told at a glance. */
static inline const uintptr_t *unchanged_at_a_glance(const uintptr_t *w, PyObject *v)
{
    if ((*w & 0xFF) == CT_WORD_KNOWN)
        return w[1] == (uintptr_t)v && ct_known_is(v, (uint32_t)(*w >> 8)) ? w + 2 : NULL;
    PyTypeObject *type = Py_TYPE(v);
    ct_inline held;
    PyObject *dict;
    if ((*w & 0xFF) != CT_WORD_INSTANCE || !is_plain_of(w, type) ||
        !ct_inline_of(v, &held, &dict) || w[3] != (uintptr_t)held.count ||
        w[4] >> 1 != (uintptr_t)held.count)
        return NULL;
    const uint8_t *order = held.order;
    w += 6;
    for (int i = held.count; i > 0; i--) {
        if (w[0] != (uintptr_t)held.names[*order].me_key || w[1] != (uintptr_t)held.values[*order])
            return NULL;
        order += CT_INLINE_ORDER_STEP;
        w += 2;
    }
    return w;
}

/* The same for an object that stands here for the first time. */
static inline const uintptr_t *same_at_a_glance(const uintptr_t *w, PyObject *v)
{
    const uintptr_t *end = unchanged_at_a_glance(w, v);
    return end != NULL && is_first(w, v) ? end : NULL;
}

/* Where the value that was compared last began to differ, when it is a list or tuple. */
static struct {
    const uintptr_t *words; /* the snapshot's, NULL when it is not known */
    const uintptr_t *at;
    Py_ssize_t index;
    Py_ssize_t next; /* of a row: the next item that differs, the number of items for none */
    uint32_t met;    /* objects before */
} differing;

/* How many of `items`, which a list or tuple holds, follow at w as the objects with numbers that
 * they were, of two words each.  A function of its own, whose loop keeps everything in registers.
 */
__attribute__((noinline)) static Py_ssize_t count_known(const uintptr_t *w, PyObject **items,
                                                        Py_ssize_t n)
{
    PyObject **item = items, **end = items + n;
    for (; item < end; item++, w += 2) {
        const struct ct_known *known = ct_known_place(*item);
        if (*w != CT_WORD(CT_WORD_KNOWN, known->stamp) || w[1] != (uintptr_t)*item ||
            !ct_known_is_unchanged(known, *item) || !is_first(w, *item))
            break;
    }
    return item - items;
}

/* The first item at or after `i` that is not the object with a number that it was; *at moves along.
 */
static inline Py_ssize_t after_known(const uintptr_t **at, PyObject **items, Py_ssize_t i,
                                     Py_ssize_t shown)
{
    if (i == shown || (**at & 0xFF) != CT_WORD_KNOWN)
        return i;
    Py_ssize_t n = count_known(*at, items + i, shown - i);
    *at += 2 * n;
    return i + n;
}

/* The items of a list, tuple or deque. */
static const uintptr_t *same_sequence(const uintptr_t *w, PyObject *v, Py_ssize_t shown, bool flat)
{
    Py_ssize_t n;
    PyObject **items = ct_sequence_items(v, &n);
    if (flat)
        return shown == 0 || memcmp(w, items, (size_t)shown * sizeof *items) == 0 ? w + shown
                                                                                  : NULL;
    const uintptr_t *start = w - 3;
    around.open[around.depth++] = v;
    for (Py_ssize_t i = 0; (i = after_known(&w, items, i, shown)) < shown; i++) {
        if (ct_unlikely(*w == CT_WORD_STOP)) {
            w++;
            break;
        }
        uint32_t met = ct_met;
        const uintptr_t *next = same_at_a_glance(w, items[i]);
        if (next == NULL)
            next = same(w, items[i]);
        if (next == NULL) {
            differing.met = met;
            differing.words = start;
            differing.at = w;
            differing.index = i;
            w = NULL;
            break;
        }
        w = next;
    }
    around.depth--;
    return w;
}

static const uintptr_t *same_dict(const uintptr_t *w, PyObject *v, Py_ssize_t shown, bool flat)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    PyDictUnicodeEntry *entries = flat ? ct_dict_entries(v) : NULL;
    if (entries != NULL)
        return shown == 0 || memcmp(w, entries, (size_t)shown * sizeof *entries) == 0
                   ? w + 2 * shown
                   : NULL;
    around.open[around.depth++] = v;
    for (Py_ssize_t i = 0; i < shown && w != NULL; i++) {
        if (ct_unlikely(*w == CT_WORD_STOP)) {
            w++;
            break;
        }
        if (!PyDict_Next(v, &at, &key, &value)) {
            w = NULL;
            break;
        }
        w = same(w, key);
        w = w != NULL ? same_under_key(w, value) : NULL;
    }
    around.depth--;
    return w;
}

static const uintptr_t *same_members(const uintptr_t *w, PyObject *v, enum ct_shape shape,
                                     Py_ssize_t shown)
{
    Py_ssize_t at = 0;
    ct_deque_walk walk = {0};
    if (shape == CT_SHAPE_DEQUE)
        ct_deque_open(&walk, v);
    around.open[around.depth++] = v;
    for (Py_ssize_t i = 0; i < shown && w != NULL; i++) {
        if (ct_unlikely(*w == CT_WORD_STOP)) {
            w++;
            break;
        }
        PyObject *item = shape == CT_SHAPE_DEQUE ? ct_deque_next(&walk) : ct_set_next(v, &at);
        w = item != NULL ? same(w, item) : NULL;
    }
    around.depth--;
    return w;
}

/* A container, from the second word of its head on. */
static const uintptr_t *same_items(const uintptr_t *w, PyObject *v, enum ct_shape shape)
{
    if (w[0] != (uintptr_t)ct_container_size(v, shape))
        return NULL;
    Py_ssize_t shown = (Py_ssize_t)(w[1] >> 2);
    bool flat = w[1] & CT_FORM_FLAT;
    w += 2;
    switch (shape) {
    case CT_SHAPE_LIST:
    case CT_SHAPE_TUPLE:
        return same_sequence(w, v, shown, flat);
    case CT_SHAPE_DICT:
        return same_dict(w, v, shown, flat);
    default:
        return same_members(w, v, shape, shown);
    }
}

/* Room for the longest encoding of a value. */
static uint8_t *scratch(void)
{
    static uint8_t *buffer;
    static size_t room;
    size_t need = 2 * (size_t)ct_limits.value + (size_t)ct_limits.text * 4 + CT_HOLD_LIMIT * 4 + 64;
    if (room < need) {
        uint8_t *larger = realloc(buffer, need);
        if (larger == NULL)
            return NULL;
        buffer = larger;
        room = need;
    }
    return buffer;
}

/* A value whose encoding is compared: that of the builtin part of an instance when `type` is given.
 * Its type is defined in this chunk. */
static const uintptr_t *same_encoding(const uintptr_t *w, PyObject *v, const ct_type *type)
{
    uint8_t *bytes = scratch();
    if (bytes == NULL)
        return NULL;
    ct_encoder e;
    ct_encoder_start(&e, NULL);
    struct ct_value_counts counts = ct_value_counts;
    uint64_t definitions = ct_field_definitions;
    uint8_t *end = type != NULL ? ct_put_part(&e, bytes, v, type) : ct_put_inside(&e, bytes, v);
    size_t length = (size_t)(end - bytes);
    ct_value_counts = counts;
    if (ct_unlikely(ct_field_definitions != definitions))
        ct_field_names_undefine(); /* what is only compared goes nowhere */
    if (length != *w >> 8 || memcmp(bytes, w + 2, length) != 0)
        return NULL;
    return w + 2 + ct_words_for(length);
}

static const uintptr_t *same_exception(const uintptr_t *w, PyObject *v)
{
    PyObject *args = ((PyBaseExceptionObject *)v)->args;
    if (*w == CT_WORD_NOTHING || args == NULL)
        return *w == CT_WORD_NOTHING && args == NULL ? w + 1 : NULL;
    around.open[around.depth++] = v;
    w = same_under_key(w, args);
    around.depth--;
    return w;
}

/* The builtin part of an instance that has fields too. */
static const uintptr_t *same_part(const uintptr_t *w, PyObject *v, const ct_type *type)
{
    switch (*w & 0xFF) {
    case CT_WORD_SUBCONTAINER:
        return same_items(w + 1, v, type->shape);
    case CT_WORD_EXCEPTION:
        return same_exception(w + 1, v);
    case CT_WORD_SUBATOM:
        return same_encoding(w, v, type);
    default:
        return NULL;
    }
}

static bool has_fields_now(PyObject *v, const ct_type *type)
{
    if (ct_likely(!type->has_fields))
        return false;
    ct_fields f;
    ct_fields_open(&f, v, type);
    return f.total != 0;
}

/* An object with fields, from its head on. */
static const uintptr_t *same_instance(const uintptr_t *w, PyObject *v, const ct_type *type)
{
    ct_fields f;
    ct_fields_open(&f, v, type);
    if (w[3] != (uintptr_t)f.total)
        return NULL;
    Py_ssize_t shown = (Py_ssize_t)(w[4] >> 1);
    w += 5;
    if (*w == CT_WORD_NOTHING)
        w++;
    else if ((w = same_part(w, v, type)) == NULL)
        return NULL;
    PyObject *name, *value;
    around.open[around.depth++] = v;
    for (Py_ssize_t i = 0; i < shown && w != NULL; i++) {
        if (ct_unlikely(*w == CT_WORD_STOP)) {
            w++;
            break;
        }
        bool is_same = ct_fields_next(&f, &name, &value) && *w == (uintptr_t)name;
        w = is_same ? same_under_key(w + 1, value) : NULL;
    }
    around.depth--;
    return w;
}

/* The same for an object whose class is as it was when its plain snapshot was made. */
static const uintptr_t *same_plain(const uintptr_t *w, PyObject *v)
{
    ct_inline held;
    PyObject *dict;
    if (!ct_inline_of(v, &held, &dict) || w[3] != (uintptr_t)held.count)
        return NULL;
    Py_ssize_t shown = (Py_ssize_t)(w[4] >> 1);
    w += 6;
    around.open[around.depth++] = v;
    for (Py_ssize_t i = 0; i < shown && w != NULL; i++) {
        uint8_t at = held.order[CT_INLINE_ORDER_STEP * i];
        if (ct_unlikely(w[0] != (uintptr_t)held.names[at].me_key)) {
            w = *w == CT_WORD_STOP ? w + 1 : NULL;
            break;
        }
        w = ct_likely(w[1] == (uintptr_t)held.values[at]) ? w + 2
                                                          : same_under_key(w + 1, held.values[at]);
    }
    around.depth--;
    return w;
}

/* A value that is neither an atom nor of an exact builtin type. */
static const uintptr_t *same_typed(const uintptr_t *w, PyObject *v, const ct_type *type)
{
    uint32_t id = (uint32_t)(*w >> 8);
    switch (*w & 0xFF) {
    case CT_WORD_OBJECT:
        return w[1] == (uintptr_t)v && type->id == id && !has_fields_now(v, type) ? w + 2 : NULL;
    case CT_WORD_NAMED:
        return w[1] == (uintptr_t)v && type->id == id && w[2] == (uintptr_t)ct_name_object(v)
                   ? w + 3
                   : NULL;
    case CT_WORD_SUBATOM:
        return w[1] == type->id && !has_fields_now(v, type) ? same_encoding(w, v, type) : NULL;
    case CT_WORD_SUBCONTAINER:
        return type->id == id && !has_fields_now(v, type) ? same_items(w + 1, v, type->shape)
                                                          : NULL;
    case CT_WORD_EXCEPTION:
        return type->id == id && !has_fields_now(v, type) ? same_exception(w + 1, v) : NULL;
    case CT_WORD_INSTANCE:
        return type->id == id && type->has_fields ? same_instance(w, v, type) : NULL;
    default:
        return NULL;
    }
}

/* True when v is one of the containers around the value that is compared. */
static bool is_around(const PyObject *v)
{
    for (int i = around.depth - 1; i >= 0; i--)
        if (around.open[i] == v)
            return true;
    return false;
}

/* The same for a value that is no atom, wherever else it stands. */
static const uintptr_t *same_there(const uintptr_t *w, PyObject *v)
{
    uintptr_t word = *w;
    PyTypeObject *type = Py_TYPE(v);
    if ((word & 7) == CT_WORD_CONTAINER)
        return word == ((uintptr_t)type | CT_WORD_CONTAINER) && !is_around(v)
                   ? same_items(w + 1, v, ct_exact_container(type))
                   : NULL;
    if ((word & 0xFF) == CT_WORD_CYCLE) {
        int at = around.depth - (int)(word >> 8);
        return at >= 0 && around.open[at] == v ? w + 1 : NULL;
    }
    if ((word & 0xFF) == CT_WORD_KNOWN)
        return unchanged_at_a_glance(w, v);
    if ((word & 0xFF) == CT_WORD_COPY)
        return w[1] == (uintptr_t)type && !ct_is_atom(v) ? same_encoding(w, v, NULL) : NULL;
    if (ct_unlikely(is_around(v)))
        return NULL;
    if ((word & 0xFF) == CT_WORD_INSTANCE && is_plain_of(w, type)) {
        const uintptr_t *end = same_plain(w, v);
        if (end != NULL)
            return end;
    }
    if (ct_is_atom(v) || ct_exact_container(type) != CT_SHAPE_OBJECT || ct_is_exact_scalar(type))
        return NULL;
    const ct_type *entry = ct_type_of(type);
    return entry != NULL ? same_typed(w, v, entry) : NULL;
}

/* The same for an object whose first place in the snapshot is at this word. */
static const uintptr_t *same_again(const uintptr_t *w, PyObject *v, size_t first)
{
    if (!is_again(v, first))
        return NULL;
    around.is_again = true;
    w = same_there(w, v);
    around.is_again = false;
    return w;
}

/* The word after the value at w if that is v, NULL otherwise. */
static const uintptr_t *same(const uintptr_t *w, PyObject *v)
{
    uintptr_t word = *w;
    if (word == (uintptr_t)v)
        return w + 1;
    if ((word & 7) == CT_WORD_ATOM)
        return NULL;
    if (ct_unlikely((word & 0xFF) == CT_WORD_AGAIN))
        return same_again(w + 1, v, word >> 8);
    if ((word & 0xFF) != CT_WORD_CYCLE && !is_first(w, v))
        return NULL;
    return same_there(w, v);
}

/* ct_tree_same for a list or tuple of as many items as its row. */
static bool is_row_same(const struct ct_tree *tree, PyObject *v)
{
    PyObject **items = ct_sequence_items(v, &(Py_ssize_t){0});
    struct ct_row_difference found = ct_row_differs(tree->row, items, 0);
    if (found.first == tree->row->count)
        return true;
    differing.words = tree->words;
    differing.at = tree->words + 3 + 2 * found.first;
    differing.index = found.first;
    differing.next = found.second;
    differing.met = 0;
    return false;
}

__attribute__((noinline)) static bool is_tree_same(const struct ct_tree *tree, PyObject *v)
{
    const uintptr_t *w = tree->words;
    PyTypeObject *type = Py_TYPE(v);
    around.depth = 0;
    around.words = w;
    differing.words = NULL;
    ct_met_keep(0);
    if ((*w & 7) == CT_WORD_CONTAINER) {
        if (*w != ((uintptr_t)type | CT_WORD_CONTAINER))
            return false;
        if (type == &PyList_Type)
            return same_items(w + 1, v, CT_SHAPE_LIST) != NULL;
        if (tree->version != 0 && type == &PyDict_Type && ct_dict_version(v) == tree->version)
            return true;
        return same_items(w + 1, v, ct_exact_container(type)) != NULL;
    }
    return same_at_a_glance(w, v) != NULL || same(w, v) != NULL;
}

bool ct_tree_same(const struct ct_tree *tree, PyObject *v)
{
    bool has_row = tree->row != NULL &&
                   tree->words[0] == ((uintptr_t)Py_TYPE(v) | CT_WORD_CONTAINER) &&
                   tree->words[1] == (uintptr_t)Py_SIZE(v);
    return ct_likely(has_row) ? is_row_same(tree, v) : is_tree_same(tree, v);
}

bool ct_tree_one_changed(const struct ct_tree *tree, PyObject *v, struct ct_change *change)
{
    if (differing.words != tree->words)
        return false;
    PyObject **items = ct_sequence_items(v, &(Py_ssize_t){0});
    Py_ssize_t i = differing.index;
    size_t start = 3 + 2 * (size_t)i;
    *change = (struct ct_change){i, start, start + 2};
    return differing.next == tree->row->count && tree->words[start + 1] == (uintptr_t)items[i];
}

/* ct_tree_changes for a row, from item `i` on. */
static int row_changes(const struct ct_tree *tree, PyObject **items, Py_ssize_t i,
                       struct ct_change *changes)
{
    int count = 0;
    for (; (i = ct_row_differs(tree->row, items, i).first) < tree->row->count; i++) {
        if (count == CT_CHANGES_LIMIT)
            return -1;
        size_t start = 3 + 2 * (size_t)i;
        changes[count++] = (struct ct_change){i, start, start + 2};
    }
    return count;
}

int ct_tree_changes(const struct ct_tree *tree, PyObject *v, struct ct_change *changes)
{
    PyTypeObject *type = Py_TYPE(v);
    Py_ssize_t n;
    PyObject **items = ct_sequence_items(v, &n);
    const uintptr_t *w = tree->words;
    if (tree->repeats || w[0] != ((uintptr_t)type | CT_WORD_CONTAINER) || w[1] != (uintptr_t)n)
        return -1;
    Py_ssize_t shown = (Py_ssize_t)(w[2] >> 2), first = 0;
    int count = 0;
    w += 3;
    if (differing.words == tree->words) {
        first = differing.index;
        w = differing.at;
    }
    if (tree->row != NULL)
        return row_changes(tree, items, first, changes);
    ct_met_keep(first != 0 ? differing.met : 0);
    around.words = tree->words;
    around.depth = 1;
    around.open[0] = v;
    for (Py_ssize_t i = first; (i = after_known(&w, items, i, shown)) < shown; i++) {
        if (*w == CT_WORD_STOP)
            return -1;
        uint32_t met = ct_met;
        const uintptr_t *next = same_at_a_glance(w, items[i]);
        if (next == NULL)
            next = same(w, items[i]);
        if (next == NULL) {
            ct_met_keep(met); /* what it holds now is met when it is written */
            if (count == CT_CHANGES_LIMIT)
                return -1;
            next = ct_word_skip(w);
            changes[count++] =
                (struct ct_change){i, (size_t)(w - tree->words), (size_t)(next - tree->words)};
        }
        w = next;
    }
    return count;
}

void ct_tree_meet(const struct ct_tree *tree, PyObject *v, const struct ct_change *changes,
                  int count)
{
    if (tree->row == NULL)
        return;
    PyObject **items = ct_sequence_items(v, &(Py_ssize_t){0});
    const uintptr_t *w = tree->words + 3;
    ct_met_keep(0);
    around.words = tree->words;
    around.depth = 1;
    for (Py_ssize_t i = 0; i < tree->row->count; i++, w += 2) {
        if (count > 0 && changes->index == i)
            changes++, count--;
        else
            is_first(w, items[i]);
    }
}

bool ct_tree_has_twice(const struct ct_tree *tree, PyObject *v, const struct ct_change *change)
{
    PyObject **items = ct_sequence_items(v, &(Py_ssize_t){0}), *item = items[change->index];
    if (Py_REFCNT(item) == 1)
        return false;
    if (tree->row == NULL) {
        bool is_new = true;
        return ct_meet(item, &is_new) != NULL && !is_new;
    }
    /* The objects of a row were different ones. */
    if (tree->words[change->start + 1] == (uintptr_t)item)
        return false;
    for (Py_ssize_t i = 0; i < tree->row->count; i++)
        if (items[i] == item && i != change->index)
            return true;
    return false;
}
