/* What changed: a slot remembers the last value stated for a variable, exactly, without owning
 * anything of the program but small immutable atoms. */
#ifndef CT_DELTA_H
#define CT_DELTA_H

#include "chunk.h"
#include "known.h"
#include "scalars.h"
#include "snapshot.h"

enum ct_slot_kind {
    /* The same object is the same value. */
    CT_SLOT_NONE,  /* nothing stated yet: the variable is unbound; bits: 0 */
    CT_SLOT_UNSET, /* bits: 0 */
    CT_SLOT_INT,   /* bits: a reference to an int of 64 bits */
    CT_SLOT_FLOAT, /* bits: a reference to a float */
    CT_SLOT_HELD,  /* bits: a reference to another immutable atom */
    /* These own something, too. */
    CT_SLOT_COPY, /* bits: malloc'ed struct ct_copy: the bytes that were written */
    CT_SLOT_TREE, /* bits: malloc'ed struct ct_tree: a snapshot of a container */
    /* And these nothing. */
    CT_SLOT_MARK,   /* bits: the tag that stands in place of a value (redacted, omitted) */
    CT_SLOT_OBJECT, /* bits: address; aux: type id */
    CT_SLOT_KNOWN,  /* bits: address; aux: stamp (known.h) */
    CT_SLOT_STALE,  /* stated in an earlier chunk: must be stated again */
};

typedef struct {
    uint64_t bits;
    uint32_t kind : 8;
    uint32_t cost : 24; /* bytes of the value in trace.ct */
    uint32_t aux;
} ct_slot;

/* How an item of a unit is introduced: a tag byte, and behind some tags a number.  In one word: the
 * tag, from bit 8 whether there is a number, from bit 32 the number. */
typedef uint64_t ct_item;

static inline ct_item ct_item_numbered(uint8_t tag, uint32_t number)
{
    return tag | 1u << 8 | (uint64_t)number << 32;
}

static inline ct_item ct_item_of_slot(uint32_t slot)
{
    if (ct_likely(slot < CTJ_ITEM_GLOBAL - CTJ_ITEM_SLOT))
        return CTJ_ITEM_SLOT | slot;
    return ct_item_numbered(CTJ_ITEM_SLOT_WIDE, slot);
}

static inline uint8_t *ct_put_item(uint8_t *p, ct_item item)
{
    *p++ = (uint8_t)item;
    return ct_unlikely(item >> 8 != 0) ? ct_put_uv(p, item >> 32) : p;
}

/* Bytes that all snapshots take; when it passes CT_SNAPSHOT_LIMIT the tracer drops those of outer
 * frames. */
#define CT_SNAPSHOT_LIMIT ((size_t)2 << 20)
extern size_t ct_snapshot_bytes;

/* Free the bytes or the snapshot that the slot remembers. */
void ct_slot_free(ct_slot *slot);

/* Let go of what the slot remembers. */
static inline void ct_slot_drop(ct_slot *slot)
{
    if (slot->kind < CT_SLOT_INT || slot->kind > CT_SLOT_TREE)
        return;
    if (ct_likely(slot->kind <= CT_SLOT_HELD))
        Py_DECREF((PyObject *)(uintptr_t)slot->bits);
    else
        ct_slot_free(slot);
}

/* The slot's value must be stated again. */
static inline void ct_slot_make_stale(ct_slot *slot)
{
    ct_slot_drop(slot);
    if (slot->kind != CT_SLOT_NONE && slot->kind != CT_SLOT_UNSET)
        slot->kind = CT_SLOT_STALE;
}

/* The unit in which the slot was stated is given up: whatever was stated has to be stated again. */
static inline void ct_slot_undo(ct_slot *slot)
{
    ct_slot_drop(slot);
    if (slot->kind != CT_SLOT_NONE)
        slot->kind = CT_SLOT_STALE;
}

/* True when the slot remembers v (NULL: unbound) as it is.  False is no proof of the contrary: some
 * values are compared by their bytes once these are written. */
static inline bool ct_slot_is_same(const ct_slot *slot, PyObject *v)
{
    if (slot->bits == (uint64_t)(uintptr_t)v)
        return ct_likely(slot->kind <= CT_SLOT_HELD) ||
               (slot->kind == CT_SLOT_KNOWN && ct_known_is(v, slot->aux));
    return slot->kind == CT_SLOT_TREE && v != NULL &&
           ct_tree_same((const struct ct_tree *)(uintptr_t)slot->bits, v);
}

/* What ct_slot_state does about a value that may differ. */
uint8_t *ct_slot_restate(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v, uint32_t *cost,
                         ct_attributes *attributes);

/* State `v` (NULL: unbound) at p if it differs from what the slot remembers, and remember it.
 * `*cost` is the number of bytes that the step's variables take; past the step's limit the value is
 * stated as omitted.  `attributes` says which names inside it may be shown. */
static inline uint8_t *ct_slot_state(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v,
                                     uint32_t *cost, ct_attributes *attributes)
{
    return ct_slot_is_same(slot, v) ? p : ct_slot_restate(slot, p, item, v, cost, attributes);
}

/* The same at the first step of a frame, whose slot remembers nothing. */
static inline uint8_t *ct_slot_state_first(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v,
                                           uint32_t *cost, ct_attributes *attributes)
{
    int64_t number;
    if (v == NULL)
        return p;
    if (!PyLong_CheckExact(v) || !ct_int_fits(v, &number))
        return ct_slot_restate(slot, p, item, v, cost, attributes);
    *slot = (ct_slot){(uint64_t)(uintptr_t)Py_NewRef(v), CT_SLOT_INT, CT_COST_INT, 0};
    *cost += CT_COST_INT;
    return ct_put_int64(ct_put_item(p, item), number);
}

/* The same for a variable whose value a filter hides: it is stated as redacted, once. */
uint8_t *ct_slot_state_redacted(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v,
                                enum ct_kind kind, uint32_t *cost);

/* A variable that a filter drops is not stated at all; it is counted once. */
void ct_slot_count_dropped(ct_slot *slot, PyObject *v, enum ct_kind kind);

#endif
