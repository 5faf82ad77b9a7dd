/* Snapshots of values and copies of encodings, to tell exactly whether a value has changed. */
#ifndef CT_SNAPSHOT_H
#define CT_SNAPSHOT_H

#include "value.h"

/* A snapshot mirrors what ct_put_value wrote, as words.  The low bits of a word say what it is: */
enum ct_word {
    /* Three bits. */
    CT_WORD_ATOM = 0,      /* pointer: a reference is owned, so that it says which value it is */
    CT_WORD_CONTAINER = 1, /* type pointer | 1: an exact builtin container, then: items in all,
                              shown << 2 | form, the shown items */
    /* Eight bits, with a number above them. */
    CT_WORD_OBJECT = 2,       /* type id; then: address */
    CT_WORD_COPY = 3,         /* bytes; a value too large to own, then: type pointer, encoding */
    CT_WORD_CYCLE = 4,        /* levels to the container around it that it is */
    CT_WORD_SUBCONTAINER = 5, /* type id; then as CT_WORD_CONTAINER */
    CT_WORD_SUBATOM = 6,      /* bytes; then: type id, encoding */
    CT_WORD_EXCEPTION = 7,    /* type id; then: its args as a value */
    CT_WORD_INSTANCE = 0x0A,  /* type id; then: type pointer, its version, fields in all,
                                 shown << 1 | plain, the builtin part or NOTHING, the shown fields,
                                 a name and a value each */
    CT_WORD_NAMED = 0x0B,     /* type id; then: address, its name (owned) */
    CT_WORD_KNOWN = 0x12,     /* stamp; then: address (known.h) */
    CT_WORD_AGAIN = 0x13,     /* the word at which an object begins that stands here again; then: as
                                 at that word */
    CT_WORD_REDACTED = 0x0C,  /* in place of a value: a filter hides it */
    CT_WORD_DROPPED = 0x0D,   /* the same; the key is not shown either */
    CT_WORD_STOP = 0x0E,      /* in place of an item: the container ends here */
    CT_WORD_NOTHING = 0x0F,
};
/* The form of a container: all shown items (keys and values of a dict) are atoms; items are pairs.
 * An instance is plain when all its fields are attributes that it keeps in itself. */
enum ct_form { CT_FORM_FLAT = 1, CT_FORM_PAIRS = 2 };
#define CT_WORD(tag, number) ((uintptr_t)(number) << 8 | (tag))

/* How many words hold so many bytes. */
static inline size_t ct_words_for(size_t bytes)
{
    return (bytes + sizeof(uintptr_t) - 1) / sizeof(uintptr_t);
}

/* The word after the value at w. */
const uintptr_t *ct_word_skip(const uintptr_t *w);

/* The words of the value that is being encoded. */
struct ct_shot {
    uintptr_t *words;
    size_t used, room;
    bool failed;  /* it would be too large, or there is no memory */
    bool repeats; /* an object stands in it more than once */
};
extern struct ct_shot ct_shot;

void ct_shot_grow(void);

static inline bool ct_shot_has_room(void)
{
    if (ct_unlikely(ct_shot.used == ct_shot.room))
        ct_shot_grow();
    return !ct_shot.failed;
}

static inline void ct_shot_push(uintptr_t word)
{
    if (ct_shot_has_room())
        ct_shot.words[ct_shot.used++] = word;
}

static inline void ct_shot_push_atom(PyObject *v)
{
    if (ct_shot_has_room())
        ct_shot.words[ct_shot.used++] = (uintptr_t)Py_NewRef(v);
}

/* An encoding, introduced by COPY or SUBATOM. */
void ct_shot_push_encoding(enum ct_word tag, uintptr_t type, const uint8_t *bytes, size_t length);

/* The bytes that were written for a value. */
struct ct_copy {
    uint32_t length;
    uint32_t
        text_length; /* of a str that was cut: its text is the last so many bytes; 0 otherwise */
    uint8_t bytes[];
};

/* A finished snapshot. */
struct ct_tree {
    uint32_t used; /* words */
    uint32_t room;
    bool repeats;     /* an object stands in it more than once */
    uint64_t version; /* of a dict of atoms, 0 otherwise */
    struct ct_known_row
        *row; /* of the items of a list or tuple, NULL when there is none (rows.h) */
    uintptr_t words[];
};

struct ct_copy *ct_copy_make(const uint8_t *bytes, size_t length, uint32_t text_length);
void ct_copy_free(struct ct_copy *copy);

/* Begin a snapshot; ct_put_value fills it when the encoder's `shot` is set. */
static inline void ct_shot_begin(void)
{
    ct_shot.used = 0;
    ct_shot.failed = ct_shot.repeats = false;
}

/* The snapshot of `v` that was begun, NULL when it failed.  `old` is reused or freed. */
struct ct_tree *ct_tree_take(struct ct_tree *old, PyObject *v);
void ct_tree_free(struct ct_tree *tree);
bool ct_tree_same(const struct ct_tree *tree, PyObject *v);

/* An item of a list or tuple that has changed: its index, and its words in the snapshot. */
struct ct_change {
    Py_ssize_t index;
    size_t start, end;
};
#define CT_CHANGES_LIMIT 8

/* The items of a list or tuple that differ from its snapshot, in order; -1 when its type or size
 * does, when the snapshot was cut, or when there are more than CT_CHANGES_LIMIT. */
int ct_tree_changes(const struct ct_tree *tree, PyObject *v, struct ct_change *changes);

/* The same for a list or tuple whose snapshot has a row, and which ct_tree_same has just found to
 * differ: true when one item is the same object, which has changed, and the others are as they
 * were. */
bool ct_tree_one_changed(const struct ct_tree *tree, PyObject *v, struct ct_change *change);

/* True when an item that has changed, and is written in an edit, stands in the value elsewhere,
 * too.
 */
bool ct_tree_has_twice(const struct ct_tree *tree, PyObject *v, const struct ct_change *change);

/* The item that has changed has been written as a number.  False when the row, if there is one, has
 * to be dropped once the edit is complete. */
bool ct_tree_renumber(struct ct_tree *tree, PyObject *item, const struct ct_change *change);

void ct_tree_drop_row(struct ct_tree *tree);

/* Let what has been met be what stands in the value but for these items. */
void ct_tree_meet(const struct ct_tree *tree, PyObject *v, const struct ct_change *changes,
                  int count);

/* Copy words of a snapshot into the one that is being made; references go along. */
void ct_shot_move(const struct ct_tree *tree, size_t start, size_t end);

/* Undo a snapshot that was begun, but for what was moved into it: it ends at `from`. */
void ct_shot_release(size_t from, size_t to);

/* The snapshot has been moved but for these items, which go. */
void ct_tree_moved(struct ct_tree *tree, const struct ct_change *changes, int count);

/* For a list or tuple of atoms whose snapshot is one too, of the same type: the number of items at
 * the start that are the same objects, and how many the snapshot shows; -1 when there is no such
 * relation. */
Py_ssize_t ct_tree_common_start(const struct ct_tree *tree, PyObject *v);

/* True for what the recorder may own: immutable, small, without a finaliser. */
static inline bool ct_is_atom(PyObject *v)
{
    PyTypeObject *type = Py_TYPE(v);
    if (type == &PyLong_Type)
        return ct_int_size((PyLongObject *)v) <= CT_HOLD_LIMIT / sizeof(digit);
    if (v == Py_None || type == &PyFloat_Type || type == &PyBool_Type)
        return true;
    if (type == &PyUnicode_Type)
        return PyUnicode_GET_LENGTH(v) <= CT_HOLD_LIMIT &&
               PyUnicode_GET_LENGTH(v) <= ct_limits.text;
    if (type == &PyBytes_Type)
        return PyBytes_GET_SIZE(v) <= CT_HOLD_LIMIT && PyBytes_GET_SIZE(v) <= ct_limits.text;
    return type == &PyComplex_Type;
}

#endif
