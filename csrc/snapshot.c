/* A snapshot mirrors what ct_put_value wrote, as words:
 *
 *   pointer, low bits 000     an atom; a reference is owned, so that an equal pointer means the
 * same value 001  type pointer | 1     exact builtin container, then: items in all, shown << 1 |
 * flat, the shown items 101  type id << 3 | 5     container of a subclass, then as above 010  type
 * id << 3 | 2     other object, then: address 011  bytes << 3 | 3       a value that is too large
 * to own, then: type pointer, its encoding 110  bytes << 3 | 6       an atom of a subclass, then:
 * type id, its encoding 111  type id << 3 | 7     exception, then: its args as a value, or 0 100
 * levels << 3 | 4      the container around it that it is
 *
 * `flat` says that all shown items (keys and values of a dict) are atoms. */
#include "snapshot.h"

#include "delta.h"
#include "types.h"

#define WORDS_LIMIT (1u << 16)

enum {
    TAG_ATOM,
    TAG_CONTAINER,
    TAG_OBJECT,
    TAG_COPY,
    TAG_CYCLE,
    TAG_SUBCONTAINER,
    TAG_SUBATOM,
    TAG_EXCEPTION
};

size_t ct_snapshot_bytes;

static struct {
    uintptr_t *words;
    size_t used, room;
    bool failed;
    int depth;
    PyObject *open[CT_DEPTH_LIMIT];
} build;

static size_t words_for(size_t bytes)
{
    return (bytes + sizeof(uintptr_t) - 1) / sizeof(uintptr_t);
}

/* ---- walking the words
 * ------------------------------------------------------------------------------------- */

/* Release the references of one value; returns the word after it. */
static const uintptr_t *release(const uintptr_t *w)
{
    switch (*w & 7) {
    case TAG_ATOM:
        Py_XDECREF((PyObject *)*w);
        return w + 1;
    case TAG_OBJECT:
        return w + 2;
    case TAG_CYCLE:
        return w + 1;
    case TAG_COPY:
    case TAG_SUBATOM:
        return w + 2 + words_for(*w >> 3);
    case TAG_EXCEPTION:
        return release(w + 1);
    default: { /* the items follow; the caller's loop releases them, one after the other */
        return w + 3;
    }
    }
}

static void release_all(const uintptr_t *words, size_t used)
{
    for (const uintptr_t *w = words; w < words + used;)
        w = release(w);
}

/* ---- making
 * ------------------------------------------------------------------------------------------------
 */

static bool reserve(size_t more)
{
    if (build.failed)
        return false;
    if (build.used + more <= build.room)
        return true;
    size_t room = build.room != 0 ? build.room : 512;
    while (room < build.used + more)
        room *= 2;
    uintptr_t *words = room <= WORDS_LIMIT ? realloc(build.words, room * sizeof *words) : NULL;
    if (words == NULL) {
        build.failed = true;
        return false;
    }
    build.words = words;
    build.room = room;
    return true;
}

static void push(uintptr_t word)
{
    if (reserve(1))
        build.words[build.used++] = word;
}

/* Room for the longest encoding of a value that is no container: a str of the longest text. */
static uint8_t *scratch(size_t *size)
{
    static uint8_t *buffer;
    static size_t room;
    size_t need = (size_t)ct_limits.text * 4 + 64;
    if (room < need) {
        uint8_t *larger = realloc(buffer, need);
        if (larger == NULL)
            return NULL;
        buffer = larger;
        room = need;
    }
    *size = room;
    return buffer;
}

/* The encoding of a value that is no container and whose type, if it needs one, is defined in this
 * chunk. */
static const uint8_t *encoding(PyObject *v, size_t *length)
{
    size_t room;
    uint8_t *buffer = scratch(&room);
    if (buffer == NULL)
        return NULL;
    ct_encoder e;
    ct_encoder_start(&e);
    uint64_t cuts = ct_value_counts.cuts;
    *length = (size_t)(ct_put_value(&e, buffer, v) - buffer);
    ct_value_counts.cuts = cuts;
    return buffer;
}

static void push_encoding(PyObject *v, uintptr_t tag, uintptr_t type)
{
    size_t length;
    const uint8_t *bytes = encoding(v, &length);
    if (bytes == NULL || !reserve(2 + words_for(length))) {
        build.failed = true;
        return;
    }
    push(length << 3 | tag);
    push(type);
    build.words[build.used + words_for(length) - 1] = 0;
    memcpy(build.words + build.used, bytes, length);
    build.used += words_for(length);
}

static void add(PyObject *v);

/* Push the head of a container and open it; false when it is an open one already. */
static void add_items(PyObject *v, enum ct_shape shape, uintptr_t head)
{
    for (int i = build.depth - 1; i >= 0; i--) {
        if (build.open[i] == v) {
            push((uintptr_t)(build.depth - i) << 3 | TAG_CYCLE);
            return;
        }
    }
    Py_ssize_t n, at = 0;
    PyObject **items = NULL, *key, *value;
    if (shape == CT_SHAPE_LIST || shape == CT_SHAPE_TUPLE)
        items = ct_sequence_items(v, &n);
    else
        n = shape == CT_SHAPE_DICT ? PyDict_GET_SIZE(v) : PySet_GET_SIZE(v);
    Py_ssize_t shown = ct_items_shown(n, build.depth);
    push(head);
    push((uintptr_t)n);
    size_t flat_at = build.used;
    push(0);
    bool flat = true;
    build.open[build.depth++] = v;
    for (Py_ssize_t i = 0; i < shown && !build.failed; i++) {
        if (items != NULL) {
            flat = flat && ct_is_atom(items[i]);
            add(items[i]);
        } else if (shape == CT_SHAPE_DICT) {
            if (!PyDict_Next(v, &at, &key, &value)) {
                build.failed = true;
                break;
            }
            flat = flat && ct_is_atom(key) && ct_is_atom(value);
            add(key);
            add(value);
        } else {
            key = ct_set_next(v, &at);
            if (key == NULL) {
                build.failed = true;
                break;
            }
            flat = flat && ct_is_atom(key);
            add(key);
        }
    }
    build.depth--;
    if (!build.failed)
        build.words[flat_at] = (uintptr_t)shown << 1 | flat;
}

static enum ct_shape exact_container(PyTypeObject *type)
{
    return type == &PyList_Type        ? CT_SHAPE_LIST
           : type == &PyTuple_Type     ? CT_SHAPE_TUPLE
           : type == &PyDict_Type      ? CT_SHAPE_DICT
           : type == &PySet_Type       ? CT_SHAPE_SET
           : type == &PyFrozenSet_Type ? CT_SHAPE_FROZENSET
                                       : CT_SHAPE_OBJECT;
}

static bool is_exact_scalar(PyTypeObject *type)
{
    return type == &PyUnicode_Type || type == &PyBytes_Type || type == &PyLong_Type;
}

static void add(PyObject *v)
{
    PyTypeObject *type = Py_TYPE(v);
    if (ct_is_atom(v)) {
        if (reserve(1))
            push((uintptr_t)Py_NewRef(v));
        return;
    }
    enum ct_shape exact = exact_container(type);
    if (exact != CT_SHAPE_OBJECT) {
        add_items(v, exact, (uintptr_t)type | TAG_CONTAINER);
        return;
    }
    if (is_exact_scalar(type)) {
        push_encoding(v, TAG_COPY, (uintptr_t)type);
        return;
    }
    ct_type *entry = ct_type_of(type);
    if (entry == NULL) {
        build.failed = true;
        return;
    }
    uintptr_t id = entry->id;
    switch (entry->shape) {
    case CT_SHAPE_OBJECT:
        push(id << 3 | TAG_OBJECT);
        push((uintptr_t)v);
        return;
    case CT_SHAPE_EXCEPTION: {
        PyObject *args = ((PyBaseExceptionObject *)v)->args;
        for (int i = build.depth - 1; i >= 0; i--) {
            if (build.open[i] == v) {
                push((uintptr_t)(build.depth - i) << 3 | TAG_CYCLE);
                return;
            }
        }
        if (!reserve(2))
            return;
        push(id << 3 | TAG_EXCEPTION);
        build.words[build.used] = 0; /* what releasing sees if the args cannot be added */
        if (args == NULL || build.depth >= CT_DEPTH_LIMIT - 1) {
            push(0);
            return;
        }
        build.open[build.depth++] = v;
        add(args);
        build.depth--;
        return;
    }
    case CT_SHAPE_TUPLE:
    case CT_SHAPE_LIST:
    case CT_SHAPE_DICT:
    case CT_SHAPE_SET:
    case CT_SHAPE_FROZENSET:
        add_items(v, entry->shape, id << 3 | TAG_SUBCONTAINER);
        return;
    default:
        push_encoding(v, TAG_SUBATOM, id);
    }
}

struct ct_tree *ct_tree_make(struct ct_tree *old, PyObject *v)
{
    build.used = 0;
    build.depth = 0;
    build.failed = false;
    add(v);
    struct ct_tree *tree = old;
    if (build.failed || (tree != NULL && tree->room < build.used)) {
        ct_tree_free(tree);
        tree = NULL;
    } else if (tree != NULL) {
        release_all(tree->words, tree->used);
    }
    if (tree == NULL && !build.failed) {
        uint32_t room = (uint32_t)(build.used + build.used / 2);
        tree = malloc(sizeof *tree + room * sizeof(uintptr_t));
        if (tree != NULL) {
            tree->room = room;
            ct_snapshot_bytes += sizeof *tree + room * sizeof(uintptr_t);
        }
    }
    if (tree == NULL) {
        release_all(build.words, build.used);
        return NULL;
    }
    memcpy(tree->words, build.words, build.used * sizeof(uintptr_t));
    tree->used = (uint32_t)build.used;
    bool flat_dict = Py_TYPE(v) == &PyDict_Type && (tree->words[2] & 1);
    tree->version = flat_dict ? ct_dict_version(v) : 0;
    return tree;
}

void ct_tree_free(struct ct_tree *tree)
{
    if (tree == NULL)
        return;
    release_all(tree->words, tree->used);
    ct_snapshot_bytes -= sizeof *tree + tree->room * sizeof(uintptr_t);
    free(tree);
}

/* ---- comparing
 * --------------------------------------------------------------------------------------------- */

static const uintptr_t *same(const uintptr_t *w, PyObject *v);

static const uintptr_t *same_items(const uintptr_t *w, PyObject *v, enum ct_shape shape)
{
    Py_ssize_t n, at = 0;
    PyObject **items = NULL, *key, *value;
    if (shape == CT_SHAPE_LIST || shape == CT_SHAPE_TUPLE)
        items = ct_sequence_items(v, &n);
    else
        n = shape == CT_SHAPE_DICT ? PyDict_GET_SIZE(v) : PySet_GET_SIZE(v);
    if (w[1] != (uintptr_t)n)
        return NULL;
    Py_ssize_t shown = (Py_ssize_t)(w[2] >> 1);
    bool flat = w[2] & 1;
    w += 3;
    if (items != NULL) {
        if (flat)
            return memcmp(w, items, (size_t)shown * sizeof *items) == 0 ? w + shown : NULL;
        build.open[build.depth++] = v;
        for (Py_ssize_t i = 0; i < shown && w != NULL; i++)
            w = same(w, items[i]);
        build.depth--;
        return w;
    }
    if (shape == CT_SHAPE_DICT && flat) {
        PyDictUnicodeEntry *entries = ct_dict_entries(v);
        if (entries != NULL)
            return memcmp(w, entries, (size_t)shown * sizeof *entries) == 0 ? w + 2 * shown : NULL;
    }
    build.open[build.depth++] = v;
    for (Py_ssize_t i = 0; i < shown && w != NULL; i++) {
        if (shape == CT_SHAPE_DICT) {
            if (!PyDict_Next(v, &at, &key, &value)) {
                w = NULL;
                break;
            }
            w = same(w, key);
            w = w != NULL ? same(w, value) : NULL;
        } else {
            key = ct_set_next(v, &at);
            w = key != NULL ? same(w, key) : NULL;
        }
    }
    build.depth--;
    return w;
}

static const uintptr_t *same_encoding(const uintptr_t *w, PyObject *v)
{
    size_t length;
    const uint8_t *bytes = encoding(v, &length);
    if (bytes == NULL || length != *w >> 3 || memcmp(bytes, w + 2, length) != 0)
        return NULL;
    return w + 2 + words_for(length);
}

/* The word after the value at w if that is v, NULL otherwise. */
static const uintptr_t *same(const uintptr_t *w, PyObject *v)
{
    uintptr_t word = *w;
    if (word == (uintptr_t)v)
        return w + 1;
    PyTypeObject *type = Py_TYPE(v);
    uint32_t id = (uint32_t)(word >> 3);
    ct_type *entry;
    if ((word & 7) == TAG_OBJECT) {
        if (w[1] != (uintptr_t)v)
            return NULL;
        entry = ct_type_of(type); /* of an atom or a builtin container it has another id */
        return entry != NULL && entry->id == id ? w + 2 : NULL;
    }
    switch (word & 7) {
    case TAG_ATOM:
        return NULL;
    case TAG_CYCLE: {
        int at = build.depth - (int)(word >> 3);
        return at >= 0 && build.open[at] == v ? w + 1 : NULL;
    }
    case TAG_CONTAINER:
        if (word != ((uintptr_t)type | TAG_CONTAINER))
            return NULL;
        return same_items(w, v, exact_container(type));
    case TAG_COPY:
        return w[1] == (uintptr_t)type && !ct_is_atom(v) ? same_encoding(w, v) : NULL;
    default:
        if (ct_is_atom(v) || exact_container(type) != CT_SHAPE_OBJECT || is_exact_scalar(type))
            return NULL;
        entry = ct_type_of(type);
        if (entry == NULL)
            return NULL;
    }
    switch (word & 7) {
    case TAG_SUBATOM:
        return w[1] == entry->id ? same_encoding(w, v) : NULL;
    case TAG_SUBCONTAINER:
        return entry->id == id ? same_items(w, v, entry->shape) : NULL;
    default: { /* TAG_EXCEPTION */
        PyObject *args = ((PyBaseExceptionObject *)v)->args;
        if (entry->id != id)
            return NULL;
        if (w[1] == 0 || args == NULL)
            return w[1] == 0 && args == NULL ? w + 2 : NULL;
        build.open[build.depth++] = v;
        w = same(w + 1, args);
        build.depth--;
        return w;
    }
    }
}

bool ct_tree_same(struct ct_tree *tree, PyObject *v)
{
    if (tree->version != 0 && Py_TYPE(v) == &PyDict_Type && ct_dict_version(v) == tree->version)
        return true;
    build.depth = 0;
    return same(tree->words, v) != NULL;
}

Py_ssize_t ct_tree_common_start(const struct ct_tree *tree, PyObject *v)
{
    PyTypeObject *type = Py_TYPE(v);
    if (tree->words[0] != ((uintptr_t)type | TAG_CONTAINER) || !(tree->words[2] & 1))
        return -1;
    Py_ssize_t n;
    PyObject **items = ct_sequence_items(v, &n);
    Py_ssize_t old = (Py_ssize_t)(tree->words[2] >> 1), now = ct_items_shown(n, 0), k = 0;
    const uintptr_t *w = tree->words + 3;
    while (k < old && k < now && w[k] == (uintptr_t)items[k])
        k++;
    return k;
}

/* ---- copies
 * ------------------------------------------------------------------------------------------------
 */

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
