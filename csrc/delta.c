#include "delta.h"

#include "field_names.h"
#include "repeats.h"
#include "reprs.h"
#include "scalars.h"
#include "secrets.h"

#define PATCH_MIN_KEPT                                                                             \
    4 /* items that must be the same before a patch is shorter than the whole                      \
       */

void ct_slot_free(ct_slot *slot)
{
    if (slot->kind == CT_SLOT_COPY)
        ct_copy_free((struct ct_copy *)(uintptr_t)slot->bits);
    else
        ct_tree_free((struct ct_tree *)(uintptr_t)slot->bits);
}

/* Remember a value in place of the one before. */
static inline void remember(ct_slot *slot, enum ct_slot_kind kind, uint64_t bits, uint32_t cost,
                            uint32_t *total)
{
    ct_slot_drop(slot);
    *total += cost - slot->cost;
    slot->kind = kind;
    slot->bits = bits;
    slot->cost = cost;
}

/* Remember an atom, which is kept alive. */
static inline void hold(ct_slot *slot, enum ct_slot_kind kind, PyObject *v, uint32_t cost,
                        uint32_t *total)
{
    remember(slot, kind, (uint64_t)(uintptr_t)Py_NewRef(v), cost, total);
}

/* State that the value is hidden, or left out. */
static uint8_t *state_mark(ct_slot *slot, uint8_t *p, ct_item item, uint8_t tag, uint32_t *total)
{
    if (slot->kind == CT_SLOT_MARK && slot->bits == tag)
        return p;
    p = ct_put_item(p, item);
    *p++ = tag;
    remember(slot, CT_SLOT_MARK, tag, CT_COST_CONST, total);
    return p;
}

/* State None, True or False. */
static uint8_t *state_const(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v, uint32_t *total)
{
    p = ct_put_item(p, item);
    *p++ = v == Py_None ? CTJ_NONE : v == Py_True ? CTJ_TRUE : CTJ_FALSE;
    hold(slot, CT_SLOT_HELD, v, CT_COST_CONST, total);
    return p;
}

static inline uint8_t *put_int(uint8_t *p, ct_item item, int64_t now)
{
    return ct_put_int64(ct_put_item(p, item), now);
}

/* An int that follows another one: their difference may be shorter. */
static inline uint8_t *put_next_int(uint8_t *p, ct_item item, int64_t now, int64_t before)
{
    uint64_t z = ct_zigzag(now),
             difference = ct_zigzag((int64_t)((uint64_t)now - (uint64_t)before));
    if (z < 0x80 || (difference >= 0x40 && difference >= z))
        return put_int(p, item, now);
    p = ct_put_item(p, item);
    if (difference < 0x40) {
        *p++ = CTJ_SMALL_DIFF | (uint8_t)difference;
        return p;
    }
    *p++ = CTJ_INT_DIFF;
    return ct_put_uv(p, difference);
}

/* State an int that is worth `now`. */
static inline uint8_t *state_int(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v, int64_t now,
                                 uint32_t *total)
{
    if (slot->kind != CT_SLOT_INT) {
        hold(slot, CT_SLOT_INT, v, CT_COST_INT, total);
        return put_int(p, item, now);
    }
    PyObject *old = (PyObject *)(uintptr_t)slot->bits;
    int64_t before;
    ct_int_fits(old, &before);
    slot->bits = (uint64_t)(uintptr_t)Py_NewRef(v);
    Py_DECREF(old);
    return before == now ? p : put_next_int(p, item, now, before);
}

/* The value of this item has been encoded at value..p: keep it if it differs from the copy that the
 * slot remembers. What was defined in it is lost otherwise. */
static uint8_t *keep_copy(ct_slot *slot, uint8_t *start, uint8_t *value, uint8_t *p, uint32_t cost,
                          uint32_t *total)
{
    struct ct_copy *old =
        slot->kind == CT_SLOT_COPY ? (struct ct_copy *)(uintptr_t)slot->bits : NULL;
    size_t length = (size_t)(p - value);
    if (old != NULL && old->length == length && memcmp(old->bytes, value, length) == 0)
        return start;
    uint32_t text_length = 0;
    uint8_t *same_text = NULL;
    if (value[0] == CTJ_STR_CUT) {
        /* Tag, characters in all, text: when a long str has grown, only its length is stated. */
        uint8_t *text = value + 1;
        while (*text++ & 0x80)
            ;
        text_length = (uint32_t)(p - text);
        if (old != NULL && old->text_length == text_length &&
            memcmp(old->bytes + old->length - text_length, text, text_length) == 0)
            same_text = text;
    }
    struct ct_copy *copy = ct_copy_make(value, length, text_length);
    remember(slot, copy != NULL ? CT_SLOT_COPY : CT_SLOT_STALE, (uint64_t)(uintptr_t)copy, cost,
             total);
    if (same_text != NULL) {
        value[0] = CTJ_STR_SAME;
        return same_text;
    }
    return p;
}

/* State a value that is compared by its encoding. */
static uint8_t *state_copy(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v, uint32_t *total)
{
    uint8_t *value = ct_put_item(p, item);
    ct_encoder e;
    ct_encoder_start(&e, NULL);
    uint8_t *end = ct_put_value(&e, value, v);
    return keep_copy(slot, p, value, end, ct_encoder_cost(&e), total);
}

static uint32_t atom_cost(PyObject *v)
{
    PyTypeObject *type = Py_TYPE(v);
    if (type == &PyUnicode_Type)
        return CT_COST_TEXT + 4 * (uint32_t)PyUnicode_GET_LENGTH(v);
    if (type == &PyBytes_Type)
        return CT_COST_TEXT + 4 * (uint32_t)PyBytes_GET_SIZE(v);
    if (type == &PyLong_Type && !PyUnstable_Long_IsCompact((PyLongObject *)v))
        return CT_COST_TEXT + 4096;
    return 2 * CT_COST_FLOAT;
}

/* Write only the tail of a list or tuple of atoms; NULL when that is impossible or not worth it. */
static uint8_t *put_patch(const struct ct_tree *tree, uint8_t *p, PyObject *v, uint32_t *cost)
{
    Py_ssize_t kept = ct_tree_common_start(tree, v);
    if (kept < PATCH_MIN_KEPT)
        return NULL;
    Py_ssize_t n;
    PyObject **items = ct_sequence_items(v, &n);
    Py_ssize_t shown = ct_items_shown(n, 0);
    ct_encoder e;
    ct_encoder_start(&e, NULL);
    e.left -= CT_COST_CONTAINER;
    for (Py_ssize_t i = 0; i < shown; i++) {
        if (i >= kept && !ct_is_atom(items[i]))
            return NULL;
        e.left -= (int32_t)atom_cost(items[i]);
    }
    if (e.left <= 0)
        return NULL;
    *cost = ct_encoder_cost(&e);
    *p++ = CTJ_PATCH;
    p = ct_put_uv(p, (uint64_t)n);
    p = ct_put_uv(p, (uint64_t)shown);
    p = ct_put_uv(p, (uint64_t)kept);
    e.cut = shown < n;
    ct_shot_push((uintptr_t)Py_TYPE(v) | CT_WORD_CONTAINER);
    ct_shot_push((uintptr_t)n);
    ct_shot_push((uintptr_t)shown << 2 | CT_FORM_FLAT);
    for (Py_ssize_t i = 0; i < shown; i++) {
        ct_shot_push_atom(items[i]);
        if (i >= kept)
            p = ct_put_value(&e, p, items[i]);
    }
    return p;
}

/* Definitions that were written last are lost. */
static void undefine(void)
{
    ct_types_undefine();
    ct_field_names_undefine();
    ct_known_undefine();
}

/* Words of new items in the snapshot that is being made. */
struct made {
    size_t from, to;
};

/* Take back what was written of an edit; its definitions are lost. */
static uint8_t *abandon_edit(const struct made *made, int count)
{
    for (int i = 0; i < count; i++)
        ct_shot_release(made[i].from, made[i].to);
    undefine();
    ct_shot_begin();
    return NULL;
}

/* Write items that have numbers in place of others that had some, and correct the snapshot; NULL
 * when there are other items among them. */
static uint8_t *put_numbers(ct_encoder *e, struct ct_tree *tree, uint8_t *p, PyObject *v,
                            const struct ct_change *changes, int count)
{
    for (int i = 0; i < count; i++)
        if ((tree->words[changes[i].start] & 0xFF) != CT_WORD_KNOWN)
            return NULL;
    PyObject **items = ct_sequence_items(v, &(Py_ssize_t){0});
    int32_t left = e->left;
    Py_ssize_t next = 0;
    bool fits = true;
    *p++ = CTJ_EDIT;
    p = ct_put_uv(p, (uint64_t)count);
    for (int i = 0; i < count; i++) {
        PyObject *item = items[changes[i].index];
        p = ct_put_uv(p, (uint64_t)(changes[i].index - next));
        p = !ct_tree_has_twice(tree, v, &changes[i]) ? ct_put_known(e, p, item) : NULL;
        if (p == NULL) {
            if (i > 0)
                undefine();
            e->left = left;
            return NULL;
        }
        fits = ct_tree_renumber(tree, item, &changes[i]) && fits;
        next = changes[i].index + 1;
    }
    if (!fits)
        ct_tree_drop_row(tree);
    return p;
}

/* Write only the items of a list or tuple that have changed; NULL when that is impossible or not
 * worth it.  `*corrected` says that the snapshot is that of the value already. */
static uint8_t *put_edit(struct ct_tree *tree, uint8_t *p, PyObject *v, uint32_t *cost,
                         ct_attributes *attributes, bool *corrected)
{
    struct ct_change changes[CT_CHANGES_LIMIT];
    struct made made[CT_CHANGES_LIMIT];
    if (*cost + CT_COST_OBJECT >= (uint32_t)ct_limits.value)
        return NULL;
    int count = ct_tree_changes(tree, v, changes);
    if (count <= 0 || 2 * count > Py_SIZE(v))
        return NULL;
    ct_encoder e;
    ct_encoder_start(&e, attributes);
    e.left -= (int32_t)*cost;
    e.open[e.depth++] = v;
    e.is_edit = true;
    e.start = p;
    uint32_t met = ct_met;
    uint8_t *end = put_numbers(&e, tree, p, v, changes, count);
    if (end != NULL) {
        *cost = ct_encoder_cost(&e);
        *corrected = true;
        return end;
    }
    ct_met_keep(met);
    ct_tree_meet(tree, v, changes, count);
    e.shot = true;
    PyObject **items = ct_sequence_items(v, &(Py_ssize_t){0});
    bool flat = tree->words[2] & CT_FORM_FLAT;
    size_t moved = 0;
    Py_ssize_t next = 0;
    *p++ = CTJ_EDIT;
    p = ct_put_uv(p, (uint64_t)count);
    for (int i = 0; i < count; i++) {
        PyObject *item = items[changes[i].index];
        flat = flat && ct_is_atom(item);
        ct_shot_move(tree, moved, changes[i].start);
        p = ct_put_uv(p, (uint64_t)(changes[i].index - next));
        made[i].from = ct_shot.used;
        p = ct_put_inside(&e, p, item);
        made[i].to = ct_shot.used;
        if (e.left <= 0 || ct_shot.failed || e.repeats)
            return abandon_edit(made, i + 1);
        moved = changes[i].end;
        next = changes[i].index + 1;
    }
    ct_shot_move(tree, moved, tree->used);
    if (ct_shot.failed)
        return abandon_edit(made, count);
    ct_shot.words[2] = (ct_shot.words[2] & ~(uintptr_t)CT_FORM_FLAT) | (flat ? CT_FORM_FLAT : 0);
    ct_tree_moved(tree, changes, count);
    if (e.cut)
        ct_count(&ct_value_counts.cuts);
    *cost = ct_encoder_cost(&e);
    return p;
}

/* put_edit for one item of a row that is the same object, which has changed; the snapshot is
 * corrected. */
static uint8_t *put_row_edit(struct ct_tree *tree, uint8_t *p, PyObject *v, uint32_t *cost,
                             const ct_attributes *attributes)
{
    int32_t left = ct_limits.value - (int32_t)*cost;
    struct ct_change change;
    if (left <= CT_COST_OBJECT || !ct_tree_one_changed(tree, v, &change))
        return NULL;
    *p++ = CTJ_EDIT;
    *p++ = 1;
    p = ct_put_uv(p, (uint64_t)change.index);
    PyObject *item = ct_sequence_items(v, &(Py_ssize_t){0})[change.index];
    struct ct_known *known = ct_known_place(item);
    p = ct_put_numbered(p, known, item, attributes, left);
    if (p == NULL)
        return NULL;
    *cost += (uint32_t)known->cost;
    if (!ct_tree_renumber(tree, item, &change))
        ct_tree_drop_row(tree);
    return p;
}

static uint8_t *state_container(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v,
                                uint32_t *total, ct_attributes *attributes)
{
    struct ct_tree *tree =
        slot->kind == CT_SLOT_TREE ? (struct ct_tree *)(uintptr_t)slot->bits : NULL;
    uint8_t *start = p, *value = ct_put_item(p, item);
    PyTypeObject *type = Py_TYPE(v);
    uint32_t cost = slot->cost;
    if (ct_likely(tree != NULL && tree->row != NULL)) {
        uint8_t *end = put_row_edit(tree, value, v, &cost, attributes);
        if (ct_likely(end != NULL)) {
            *total += cost - slot->cost;
            slot->cost = cost;
            return end;
        }
    }
    uint64_t definitions = ct_field_definitions;
    ct_shot_begin();
    p = NULL;
    if (tree != NULL && (type == &PyList_Type || type == &PyTuple_Type)) {
        bool corrected = false;
        p = put_edit(tree, value, v, &cost, attributes, &corrected);
        if (corrected) {
            *total += cost - slot->cost;
            slot->cost = cost;
            return p;
        }
        if (p == NULL)
            p = put_patch(tree, value, v, &cost);
    }
    ct_encoder e;
    ct_encoder_start(&e, attributes);
    if (p == NULL) {
        e.shot = true;
        p = ct_put_value(&e, value, v);
        cost = ct_encoder_cost(&e);
    }
    struct ct_tree *now = ct_tree_take(tree, v);
    if (tree != NULL)
        slot->kind = CT_SLOT_STALE; /* the old snapshot is reused or gone */
    if (ct_unlikely(now == NULL)) {
        if (e.has_references) {
            /* Bytes are compared next time, and numbers say nothing of what has them. */
            undefine();
            ct_encoder_start(&e, attributes);
            p = ct_put_value(&e, value, v);
            cost = ct_encoder_cost(&e);
        }
        p = keep_copy(slot, start, value, p, cost, total);
        if (p == start && ct_field_definitions != definitions)
            ct_field_names_undefine();
        return p;
    }
    remember(slot, CT_SLOT_TREE, (uint64_t)(uintptr_t)now, cost, total);
    return p;
}

static uint8_t *state_object(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v, ct_type *type,
                             uint32_t *total)
{
    if (slot->kind == CT_SLOT_OBJECT && slot->bits == (uint64_t)(uintptr_t)v &&
        slot->aux == type->id)
        return p;
    p = ct_put_item(p, item);
    p = ct_put_type(p, type);
    *p++ = CTJ_OBJECT;
    p = ct_put_uv(p, type->id);
    p = ct_put_uv(p, (uintptr_t)v);
    remember(slot, CT_SLOT_OBJECT, (uint64_t)(uintptr_t)v, CT_COST_OBJECT + ct_type_name_cost(type),
             total);
    slot->aux = type->id;
    return p;
}

/* The object has been stated by its number, at this cost. */
static inline void remember_known(ct_slot *slot, const struct ct_known *known, PyObject *v,
                                  uint32_t cost, uint32_t *total)
{
    ct_slot_drop(slot);
    *total += cost - slot->cost;
    *slot = (ct_slot){(uint64_t)(uintptr_t)v, CT_SLOT_KNOWN, cost, known->stamp};
}

/* State an object by a number that it may have to be given; NULL when it can have none. */
static uint8_t *state_known(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v, uint32_t *total,
                            ct_attributes *attributes)
{
    ct_encoder e;
    ct_encoder_start(&e, attributes);
    p = ct_put_known(&e, ct_put_item(p, item), v);
    if (p != NULL)
        remember_known(slot, ct_known_place(v), v, ct_encoder_cost(&e), total);
    return p;
}

static inline bool step_is_full(const ct_slot *slot, const uint8_t *p, const uint32_t *total)
{
    return *total - slot->cost >= (uint32_t)ct_limits.step || p > ct_out.hard;
}

/* State an object by the number that it has; NULL when it has none. */
static inline uint8_t *state_numbered(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v,
                                      uint32_t *total, const ct_attributes *attributes)
{
    if (ct_unlikely(step_is_full(slot, p, total)))
        return NULL;
    struct ct_known *known = ct_known_place(v);
    p = ct_put_numbered(ct_put_item(p, item), known, v, attributes, ct_limits.value);
    if (p != NULL)
        remember_known(slot, known, v, (uint32_t)known->cost, total);
    return p;
}

static uint8_t *state_omitted(ct_slot *slot, uint8_t *p, ct_item item, uint32_t *total)
{
    if (slot->kind != CT_SLOT_MARK || slot->bits != CTJ_OMITTED)
        ct_count(&ct_value_counts.omitted);
    return state_mark(slot, p, item, CTJ_OMITTED, total);
}

/* Values that are neither ints of 64 bits nor constants nor floats. */
static uint8_t *state_other(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v, uint32_t *total,
                            ct_attributes *attributes)
{
    if (ct_unlikely(step_is_full(slot, p, total)))
        return state_omitted(slot, p, item, total);
    PyTypeObject *type = Py_TYPE(v);
    if (type == &PyList_Type)
        return state_container(slot, p, item, v, total, attributes);
    if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
        uint8_t *end = state_known(slot, p, item, v, total, attributes);
        if (end != NULL)
            return end;
    }
    /* A str with one reference may be grown in place by its owner (s += x): a second reference
     * would force a copy. */
    if (ct_is_atom(v) && (Py_REFCNT(v) > 1 || type != &PyUnicode_Type)) {
        p = ct_put_item(p, item);
        ct_encoder e;
        ct_encoder_start(&e, NULL);
        p = ct_put_value(&e, p, v);
        hold(slot, CT_SLOT_HELD, v, ct_encoder_cost(&e), total);
        return p;
    }
    if (ct_is_exact_scalar(type))
        return state_copy(slot, p, item, v, total);
    if (ct_exact_container(type) == CT_SHAPE_OBJECT) {
        ct_type *entry = ct_type_of(type);
        if (entry != NULL && entry->shape == CT_SHAPE_OBJECT && !entry->has_fields &&
            !ct_reprs_wanted)
            return state_object(slot, p, item, v, entry, total);
    }
    return state_container(slot, p, item, v, total, attributes);
}

static inline uint64_t float_bits(PyObject *v)
{
    uint64_t bits;
    memcpy(&bits, &((PyFloatObject *)v)->ob_fval, sizeof bits);
    return bits;
}

static uint8_t *state_float(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v, uint32_t *total)
{
    uint64_t bits = float_bits(v);
    bool is_same =
        slot->kind == CT_SLOT_FLOAT && float_bits((PyObject *)(uintptr_t)slot->bits) == bits;
    hold(slot, CT_SLOT_FLOAT, v, CT_COST_FLOAT, total);
    if (is_same)
        return p;
    p = ct_put_item(p, item);
    *p++ = CTJ_FLOAT;
    memcpy(p, &bits, sizeof bits);
    return p + sizeof bits;
}

uint8_t *ct_slot_restate(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v, uint32_t *total,
                         ct_attributes *attributes)
{
    if (v == NULL) {
        p = ct_put_item(p, item);
        *p++ = CTJ_UNSET;
        remember(slot, CT_SLOT_UNSET, 0, 0, total);
        return p;
    }
    PyTypeObject *type = Py_TYPE(v);
    int64_t number;
    if (type == &PyLong_Type && ct_likely(ct_int_fits(v, &number)))
        return state_int(slot, p, item, v, number, total);
    if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
        uint8_t *end = state_numbered(slot, p, item, v, total, attributes);
        if (ct_likely(end != NULL))
            return end;
    }
    if (v == Py_None || type == &PyBool_Type)
        return state_const(slot, p, item, v, total);
    if (type == &PyFloat_Type)
        return state_float(slot, p, item, v, total);
    return state_other(slot, p, item, v, total, attributes);
}

uint8_t *ct_slot_state_redacted(ct_slot *slot, uint8_t *p, ct_item item, PyObject *v,
                                enum ct_kind kind, uint32_t *total)
{
    ct_secret(v);
    if (v == NULL)
        return slot->kind <= CT_SLOT_UNSET ? p : ct_slot_restate(slot, p, item, NULL, total, NULL);
    if (slot->kind == CT_SLOT_MARK && slot->bits == CTJ_REDACTED)
        return p;
    if (slot->kind != CT_SLOT_STALE)
        ct_count(&ct_value_counts.redacted[kind]);
    return state_mark(slot, p, item, CTJ_REDACTED, total);
}

void ct_slot_count_dropped(ct_slot *slot, PyObject *v, enum ct_kind kind)
{
    ct_secret(v);
    if (v == NULL || slot->kind != CT_SLOT_NONE)
        return;
    slot->kind = CT_SLOT_UNSET;
    ct_count(&ct_value_counts.dropped[kind]);
}
