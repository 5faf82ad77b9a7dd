#include "snapshot.h"

#include "arrays.h"
#include "delta.h"
#include "describe.h"
#include "field_names.h"
#include "instance.h"
#include "known.h"
#include "repeats.h"
#include "rows.h"

#define WORDS_LIMIT (1u << 16)

size_t ct_snapshot_bytes;
struct ct_shot ct_shot;

static size_t words_for(size_t bytes)
{
    return (bytes + sizeof(uintptr_t) - 1) / sizeof(uintptr_t);
}

/* ---- making */

/* The word after a head; items and parts follow as values of their own. */
static const uintptr_t *after_head(const uintptr_t *w)
{
    if ((*w & 7) == CT_WORD_CONTAINER)
        return w + 3;
    switch (*w & 0xFF) {
    case CT_WORD_COPY:
    case CT_WORD_SUBATOM:
        return w + 2 + words_for(*w >> 8);
    case CT_WORD_SUBCONTAINER:
        return w + 3;
    case CT_WORD_OBJECT:
    case CT_WORD_NAMED:
    case CT_WORD_KNOWN:
        return w + 2;
    case CT_WORD_INSTANCE:
        return w + 5;
    default:
        return w + 1;
    }
}

static void release_all(const uintptr_t *words, size_t used)
{
    for (const uintptr_t *w = words; w < words + used;) {
        if ((*w & 7) == CT_WORD_ATOM)
            Py_XDECREF((PyObject *)*w++);
        else
            w = after_head(w);
    }
}

void ct_shot_grow(void)
{
    if (ct_shot.failed)
        return;
    size_t room = ct_shot.room != 0 ? ct_shot.room * 2 : 512;
    uintptr_t *words = room <= WORDS_LIMIT ? realloc(ct_shot.words, room * sizeof *words) : NULL;
    ct_shot.failed = words == NULL;
    if (words != NULL) {
        ct_shot.words = words;
        ct_shot.room = room;
    }
}

void ct_shot_push_encoding(enum ct_word tag, uintptr_t type, const uint8_t *bytes, size_t length)
{
    size_t words = words_for(length);
    while (!ct_shot.failed && ct_shot.room - ct_shot.used < words + 2)
        ct_shot_grow();
    if (ct_shot.failed)
        return;
    ct_shot_push(CT_WORD(tag, length));
    ct_shot_push(type);
    ct_shot.words[ct_shot.used + words - 1] = 0;
    memcpy(ct_shot.words + ct_shot.used, bytes, length);
    ct_shot.used += words;
}

void ct_tree_drop_row(struct ct_tree *tree)
{
    if (tree->row == NULL)
        return;
    ct_snapshot_bytes -= ct_row_bytes(tree->row);
    ct_row_free(tree->row);
    tree->row = NULL;
}

/* Lay out the items of a list or tuple as a row, if they make one. */
static void make_row(struct ct_tree *tree, PyObject *v)
{
    PyTypeObject *type = Py_TYPE(v);
    if ((type != &PyList_Type && type != &PyTuple_Type) || tree->used < 5 ||
        (tree->words[3] & 0xFF) != CT_WORD_KNOWN)
        return;
    PyObject **items = ct_sequence_items(v, &(Py_ssize_t){0});
    Py_ssize_t shown = (Py_ssize_t)(tree->words[2] >> 2);
    if (tree->used != 3 + 2 * (size_t)shown)
        return;
    tree->row = ct_row_make(tree->words + 3, items, shown);
    if (tree->row != NULL)
        ct_snapshot_bytes += ct_row_bytes(tree->row);
}

struct ct_tree *ct_tree_take(struct ct_tree *old, PyObject *v)
{
    struct ct_tree *tree = old;
    if (ct_shot.failed || (tree != NULL && tree->room < ct_shot.used)) {
        ct_tree_free(tree);
        tree = NULL;
    } else if (tree != NULL) {
        ct_tree_drop_row(tree);
        release_all(tree->words, tree->used);
    }
    if (tree == NULL && !ct_shot.failed) {
        uint32_t room = (uint32_t)(ct_shot.used + ct_shot.used / 2);
        tree = malloc(sizeof *tree + room * sizeof(uintptr_t));
        if (tree != NULL) {
            tree->room = room;
            ct_snapshot_bytes += sizeof *tree + room * sizeof(uintptr_t);
        }
    }
    if (tree == NULL) {
        release_all(ct_shot.words, ct_shot.used);
        return NULL;
    }
    memcpy(tree->words, ct_shot.words, ct_shot.used * sizeof(uintptr_t));
    tree->used = (uint32_t)ct_shot.used;
    tree->repeats = ct_shot.repeats;
    bool flat_dict = Py_TYPE(v) == &PyDict_Type && (tree->words[2] & CT_FORM_FLAT);
    tree->version = flat_dict ? ct_dict_version(v) : 0;
    tree->row = NULL;
    make_row(tree, v);
    return tree;
}

void ct_tree_free(struct ct_tree *tree)
{
    if (tree == NULL)
        return;
    ct_tree_drop_row(tree);
    release_all(tree->words, tree->used);
    ct_snapshot_bytes -= sizeof *tree + tree->room * sizeof(uintptr_t);
    free(tree);
}

/* ---- comparing */

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
    uint32_t met; /* objects before */
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
    return w + 2 + words_for(length);
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

static inline bool is_row_same(const struct ct_tree *tree, PyObject *v)
{
    PyObject **items = ct_sequence_items(v, &(Py_ssize_t){0});
    Py_ssize_t i = ct_row_differs(tree->row, items, 0);
    if (i == tree->row->count)
        return true;
    differing.words = tree->words;
    differing.at = tree->words + 3 + 2 * i;
    differing.index = i;
    differing.met = 0;
    return false;
}

bool ct_tree_same(struct ct_tree *tree, PyObject *v)
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
        if (tree->row != NULL && w[1] == (uintptr_t)Py_SIZE(v))
            return is_row_same(tree, v);
        if (type == &PyList_Type)
            return same_items(w + 1, v, CT_SHAPE_LIST) != NULL;
        if (tree->version != 0 && type == &PyDict_Type && ct_dict_version(v) == tree->version)
            return true;
        return same_items(w + 1, v, ct_exact_container(type)) != NULL;
    }
    return same_at_a_glance(w, v) != NULL || same(w, v) != NULL;
}

/* The word after the value at w. */
static const uintptr_t *skip(const uintptr_t *w);

static const uintptr_t *skip_items(const uintptr_t *w, size_t n, bool flat)
{
    if (flat)
        return w + n;
    for (size_t i = 0; i < n; i++) {
        if (*w == CT_WORD_STOP)
            return w + 1;
        w = skip(w);
    }
    return w;
}

static const uintptr_t *skip(const uintptr_t *w)
{
    uintptr_t form;
    if ((*w & 7) == CT_WORD_CONTAINER || (*w & 0xFF) == CT_WORD_SUBCONTAINER) {
        form = w[2];
        return skip_items(w + 3, (form >> 2) << !!(form & CT_FORM_PAIRS), form & CT_FORM_FLAT);
    }
    if ((*w & 7) == CT_WORD_ATOM)
        return w + 1;
    switch (*w & 0xFF) {
    case CT_WORD_EXCEPTION:
        return skip(w + 1);
    case CT_WORD_INSTANCE:
        return skip_items(skip(w + 5), (w[4] >> 1) << 1, false);
    case CT_WORD_NAMED:
        return w + 3;
    default:
        return after_head(w);
    }
}

/* ct_tree_changes for a row, from item `i` on. */
static int row_changes(const struct ct_tree *tree, PyObject **items, Py_ssize_t i,
                       struct ct_change *changes)
{
    int count = 0;
    for (; (i = ct_row_differs(tree->row, items, i)) < tree->row->count; i++) {
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
            next = skip(w);
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

bool ct_tree_renumber(struct ct_tree *tree, PyObject *v, const struct ct_change *change)
{
    PyObject *item = ct_sequence_items(v, &(Py_ssize_t){0})[change->index];
    tree->words[change->start] = CT_WORD(CT_WORD_KNOWN, ct_known_place(item)->stamp);
    tree->words[change->start + 1] = (uintptr_t)item;
    return tree->row == NULL || ct_row_put(tree->row, change->index, item);
}

void ct_shot_move(const struct ct_tree *tree, size_t start, size_t end)
{
    while (!ct_shot.failed && ct_shot.room - ct_shot.used < end - start)
        ct_shot_grow();
    if (ct_shot.failed)
        return;
    memcpy(ct_shot.words + ct_shot.used, tree->words + start, (end - start) * sizeof(uintptr_t));
    ct_shot.used += end - start;
}

void ct_shot_release(size_t from, size_t to)
{
    release_all(ct_shot.words + from, to - from);
}

void ct_tree_moved(struct ct_tree *tree, const struct ct_change *changes, int count)
{
    for (int i = 0; i < count; i++)
        release_all(tree->words + changes[i].start, changes[i].end - changes[i].start);
    tree->used = 0;
}

Py_ssize_t ct_tree_common_start(const struct ct_tree *tree, PyObject *v)
{
    PyTypeObject *type = Py_TYPE(v);
    if (tree->words[0] != ((uintptr_t)type | CT_WORD_CONTAINER) || !(tree->words[2] & CT_FORM_FLAT))
        return -1;
    Py_ssize_t n;
    PyObject **items = ct_sequence_items(v, &n);
    Py_ssize_t old = (Py_ssize_t)(tree->words[2] >> 2), now = ct_items_shown(n, 0), k = 0;
    const uintptr_t *w = tree->words + 3;
    while (k < old && k < now && w[k] == (uintptr_t)items[k])
        k++;
    return k;
}

/* ---- copies */

struct ct_copy *ct_copy_make(const uint8_t *bytes, size_t length, uint32_t text_length)
{
    struct ct_copy *copy = malloc(sizeof *copy + length);
    if (copy == NULL)
        return NULL;
    copy->length = (uint32_t)length;
    copy->text_length = text_length;
    memcpy(copy->bytes, bytes, length);
    ct_snapshot_bytes += sizeof *copy + length;
    return copy;
}

void ct_copy_free(struct ct_copy *copy)
{
    if (copy == NULL)
        return;
    ct_snapshot_bytes -= sizeof *copy + copy->length;
    free(copy);
}
