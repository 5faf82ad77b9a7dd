#include "snapshot.h"

#include "delta.h"
#include "known.h"
#include "rows.h"

#define WORDS_LIMIT (1u << 16)

size_t ct_snapshot_bytes;
struct ct_shot ct_shot;

/* ---- making */

/* The word after a head; items and parts follow as values of their own. */
static const uintptr_t *after_head(const uintptr_t *w)
{
    if ((*w & 7) == CT_WORD_CONTAINER)
        return w + 3;
    switch (*w & 0xFF) {
    case CT_WORD_COPY:
    case CT_WORD_SUBATOM:
        return w + 2 + ct_words_for(*w >> 8);
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
    size_t words = ct_words_for(length);
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

/* ---- changing */

static const uintptr_t *skip_items(const uintptr_t *w, size_t n, bool flat)
{
    if (flat)
        return w + n;
    for (size_t i = 0; i < n; i++) {
        if (*w == CT_WORD_STOP)
            return w + 1;
        w = ct_word_skip(w);
    }
    return w;
}

const uintptr_t *ct_word_skip(const uintptr_t *w)
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
        return ct_word_skip(w + 1);
    case CT_WORD_INSTANCE:
        return skip_items(ct_word_skip(w + 5), (w[4] >> 1) << 1, false);
    case CT_WORD_NAMED:
        return w + 3;
    default:
        return after_head(w);
    }
}

bool ct_tree_renumber(struct ct_tree *tree, PyObject *item, const struct ct_change *change)
{
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
