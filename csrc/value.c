#include "value.h"

#include "arrays.h"
#include "chunk.h"
#include "describe.h"
#include "field_names.h"
#include "frames.h"
#include "instance.h"
#include "known.h"
#include "ndarray.h"
#include "raised.h"
#include "repeats.h"
#include "reprs.h"
#include "scalars.h"
#include "secrets.h"
#include "snapshot.h"
#include "templates.h"

struct ct_limits ct_limits = {
    .depth = 6, .items = 100, .text = 1024, .value = 16384, .step = 262144};
struct ct_value_counts ct_value_counts;

/* The counts as they were before the unit that is being written counted anything. */
static struct {
    const uint8_t *unit;
    struct ct_value_counts counts;
} before;

void ct_count(uint64_t *counter)
{
    if (before.unit != ct_out.at) {
        before.unit = ct_out.at;
        before.counts = ct_value_counts;
    }
    ++*counter;
}

void ct_uncount(void)
{
    if (before.unit == ct_out.at)
        ct_value_counts = before.counts;
    before.unit = NULL;
}

static uint8_t *put_value(ct_encoder *e, uint8_t *p, PyObject *v);

static uint8_t *put_bytes(ct_encoder *e, uint8_t *p, PyObject *v)
{
    return ct_put_byte_text(e, p, PyBytes_AS_STRING(v), PyBytes_GET_SIZE(v));
}

static uint8_t *put_complex(ct_encoder *e, uint8_t *p, PyObject *v)
{
    Py_complex number = ((PyComplexObject *)v)->cval;
    return ct_put_complex(e, p, number.real, number.imag);
}

uint8_t *ct_put_head(ct_encoder *e, uint8_t *p, uint8_t tag, Py_ssize_t n, Py_ssize_t shown)
{
    e->left -= CT_COST_CONTAINER;
    if (shown < n) {
        *p++ = tag + (CTJ_TUPLE_CUT - CTJ_TUPLE);
        p = ct_put_uv(p, (uint64_t)n);
        e->cut = true;
    } else {
        *p++ = tag;
    }
    return ct_put_uv(p, (uint64_t)shown);
}

static inline void shoot(ct_encoder *e, uintptr_t word)
{
    if (e->shot)
        ct_shot_push(word);
}

/* True when the value's limit is used up: the container ends here. */
static bool stop(ct_encoder *e, uint8_t **p)
{
    if (ct_likely(e->left > 0))
        return false;
    *(*p)++ = CTJ_STOP;
    shoot(e, CT_WORD_STOP);
    e->cut = true;
    return true;
}

/* The place in the snapshot of the word that says how many items are shown, and whether all of them
 * are atoms: then the snapshot grows by one atom for each. */
typedef struct {
    size_t at;
    bool flat;
    bool pairs;
} shown_word;

static inline shown_word begin_items(ct_encoder *e, Py_ssize_t n, bool pairs)
{
    shoot(e, (uintptr_t)n);
    shown_word word = {ct_shot.used, true, pairs};
    shoot(e, 0);
    return word;
}

static inline void see_item(ct_encoder *e, shown_word *word, PyObject *v)
{
    word->flat = word->flat && e->shot && ct_is_atom(v);
}

static inline void end_items(ct_encoder *e, shown_word word, Py_ssize_t shown)
{
    if (e->shot && !ct_shot.failed)
        ct_shot.words[word.at] = (uintptr_t)shown << 2 | (word.pairs ? CT_FORM_PAIRS : 0) |
                                 (word.flat && e->left > 0 ? CT_FORM_FLAT : 0);
}

static uint8_t *put_sequence(ct_encoder *e, uint8_t *p, PyObject *v, uint8_t tag)
{
    Py_ssize_t n;
    PyObject **items = ct_sequence_items(v, &n);
    Py_ssize_t shown = ct_items_shown(n, e->depth);
    p = ct_put_head(e, p, tag, n, shown);
    shown_word word = begin_items(e, n, false);
    e->open[e->depth++] = v;
    for (Py_ssize_t i = 0; i < shown && !stop(e, &p); i++) {
        see_item(e, &word, items[i]);
        p = put_value(e, p, items[i]);
    }
    e->depth--;
    end_items(e, word, shown);
    return p;
}

/* A mark in the place of the value of a key or field. */
static uint8_t *put_redacted(ct_encoder *e, uint8_t *p)
{
    ct_count(&ct_value_counts.redacted[CT_KIND_ATTRIBUTE]);
    e->left -= CT_COST_TEXT;
    *p++ = CTJ_REDACTED;
    shoot(e, CT_WORD_REDACTED);
    return p;
}

/* What stands under a key that a filter hides. */
static uint8_t *put_hidden(ct_encoder *e, uint8_t *p, PyObject *value)
{
    ct_secret(value);
    return put_redacted(e, p);
}

/* Neither the key nor the value is written; the snapshot has the key. */
static uint8_t *put_dropped(ct_encoder *e, uint8_t *p, PyObject *key, PyObject *value, uint8_t mark)
{
    ct_secret(value);
    ct_count(&ct_value_counts.dropped[CT_KIND_ATTRIBUTE]);
    *p++ = mark;
    if (!e->shot)
        return p;
    if (ct_likely(ct_is_atom(key)))
        ct_shot_push_atom(key);
    else
        ct_shot.failed = true;
    ct_shot_push(CT_WORD_DROPPED);
    return p;
}

static uint8_t *put_pair(ct_encoder *e, uint8_t *p, PyObject *key, PyObject *value,
                         shown_word *word)
{
    enum ct_action action = ct_attribute_action(e->attributes, key);
    e->left -= CT_COST_PAIR;
    if (ct_likely(action == CT_ALLOW)) {
        see_item(e, word, key);
        see_item(e, word, value);
        p = put_value(e, p, key);
        return put_value(e, p, value);
    }
    word->flat = false;
    if (action == CT_DROP)
        return put_dropped(e, p, key, value, CTJ_DROPPED);
    p = put_value(e, p, key);
    return put_hidden(e, p, value);
}

/* The container has fewer items than it says: it is being changed. */
static uint8_t *put_end(ct_encoder *e, uint8_t *p)
{
    *p++ = CTJ_STOP;
    ct_shot.failed |= e->shot;
    e->cut = true;
    return p;
}

static uint8_t *put_dict(ct_encoder *e, uint8_t *p, PyObject *v)
{
    Py_ssize_t n = PyDict_GET_SIZE(v), shown = ct_items_shown(n, e->depth), at = 0;
    PyObject *key, *value;
    p = ct_put_head(e, p, CTJ_DICT, n, shown);
    shown_word word = begin_items(e, n, true);
    e->open[e->depth++] = v;
    for (Py_ssize_t i = 0; i < shown && !stop(e, &p); i++) {
        if (!PyDict_Next(v, &at, &key, &value)) {
            p = put_end(e, p);
            break;
        }
        p = put_pair(e, p, key, value, &word);
    }
    e->depth--;
    end_items(e, word, shown);
    return p;
}

/* The members of a set or the items of a deque. */
static uint8_t *put_members(ct_encoder *e, uint8_t *p, PyObject *v, uint8_t tag, bool is_deque)
{
    Py_ssize_t n = is_deque ? Py_SIZE(v) : PySet_GET_SIZE(v), at = 0;
    Py_ssize_t shown = ct_items_shown(n, e->depth);
    ct_deque_walk walk = {0};
    if (is_deque)
        ct_deque_open(&walk, v);
    p = ct_put_head(e, p, tag, n, shown);
    shown_word word = begin_items(e, n, false);
    word.flat = false;
    e->open[e->depth++] = v;
    for (Py_ssize_t i = 0; i < shown && !stop(e, &p); i++) {
        PyObject *member = is_deque ? ct_deque_next(&walk) : ct_set_next(v, &at);
        if (member == NULL) {
            p = put_end(e, p);
            break;
        }
        p = put_value(e, p, member);
    }
    e->depth--;
    end_items(e, word, shown);
    return p;
}

/* The container around this one that it is, as levels up; 0 for none. */
static int cycle(const ct_encoder *e, const PyObject *v)
{
    for (int i = e->depth - 1; i >= 0; i--)
        if (e->open[i] == v)
            return e->depth - i;
    return 0;
}

static uint8_t *put_bytearray(ct_encoder *e, uint8_t *p, PyObject *v)
{
    return ct_put_byte_text(e, p, PyByteArray_AS_STRING(v), PyByteArray_GET_SIZE(v));
}

static uint8_t *put_exception(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    static PyObject *label;
    if (label == NULL && (label = PyUnicode_InternFromString("args")) == NULL)
        PyErr_Clear();
    PyObject *args = ((PyBaseExceptionObject *)v)->args;
    e->left -= CT_COST_CONTAINER;
    *p++ = CTJ_EXCEPTION;
    p = ct_put_uv(p, type->id);
    if (args == NULL || e->depth >= CT_DEPTH_LIMIT - 1) {
        *p++ = CTJ_TUPLE;
        *p++ = 0;
        shoot(e, CT_WORD_NOTHING);
        return p;
    }
    if (label == NULL || ct_attribute_action(e->attributes, label) != CT_ALLOW)
        return put_hidden(e, p, args);
    if (ct_secrets_within(args)) { /* often as a part of a message */
        ct_shot.failed |= e->shot;
        return put_redacted(e, p);
    }
    e->open[e->depth++] = v; /* an exception may stand in its own args */
    p = put_value(e, p, args);
    e->depth--;
    return p;
}

uint8_t *ct_put_part(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    switch (type->shape) {
    case CT_SHAPE_INT:
        return ct_put_int(e, p, v);
    case CT_SHAPE_FLOAT:
        return ct_put_double(e, p, PyFloat_AS_DOUBLE(v));
    case CT_SHAPE_COMPLEX:
        return put_complex(e, p, v);
    case CT_SHAPE_STR:
        return ct_put_str(e, p, v);
    case CT_SHAPE_BYTES:
        return put_bytes(e, p, v);
    case CT_SHAPE_BYTEARRAY:
        return put_bytearray(e, p, v);
    case CT_SHAPE_TUPLE:
        return put_sequence(e, p, v, CTJ_TUPLE);
    case CT_SHAPE_LIST:
        return put_sequence(e, p, v, CTJ_LIST);
    case CT_SHAPE_SET:
        return put_members(e, p, v, CTJ_SET, false);
    case CT_SHAPE_FROZENSET:
        return put_members(e, p, v, CTJ_FROZENSET, false);
    case CT_SHAPE_DEQUE:
        return put_members(e, p, v, CTJ_LIST, true);
    case CT_SHAPE_DICT:
        return put_dict(e, p, v);
    case CT_SHAPE_EXCEPTION:
        return put_exception(e, p, v, type);
    case CT_SHAPE_ARRAY_SCALAR:
        return ct_put_array_scalar(e, p, v);
    case CT_SHAPE_MEMORYVIEW:
        return ct_put_memoryview(e, p, v, type);
    case CT_SHAPE_NDARRAY:
        return ct_put_ndarray(e, p, v, type);
    default:
        return ct_put_description(e, p, v, type);
    }
}

/* What an instance holds of its builtin base, with what a snapshot says of it. */
static uint8_t *put_base(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type)
{
    bool shot = e->shot;
    PyObject *name;
    switch (type->shape) {
    case CT_SHAPE_TUPLE:
    case CT_SHAPE_LIST:
    case CT_SHAPE_SET:
    case CT_SHAPE_FROZENSET:
    case CT_SHAPE_DEQUE:
    case CT_SHAPE_DICT:
        shoot(e, CT_WORD(CT_WORD_SUBCONTAINER, type->id));
        return ct_put_part(e, p, v, type);
    case CT_SHAPE_EXCEPTION:
        shoot(e, CT_WORD(CT_WORD_EXCEPTION, type->id));
        return ct_put_part(e, p, v, type);
    case CT_SHAPE_NAMED:
        name = ct_name_object(v);
        if (name != NULL) {
            shoot(e, CT_WORD(CT_WORD_NAMED, type->id));
            shoot(e, (uintptr_t)v);
            if (shot)
                ct_shot_push_atom(name);
            return ct_put_part(e, p, v, type);
        }
        break;
    default:
        break;
    }
    uint8_t *start = p;
    e->shot = false;
    p = ct_put_part(e, p, v, type);
    e->shot = shot;
    if (shot)
        ct_shot_push_encoding(CT_WORD_SUBATOM, type->id, start, (size_t)(p - start));
    return p;
}

static uint8_t *put_field(ct_encoder *e, uint8_t *p, PyObject *name, PyObject *value,
                          enum ct_action action)
{
    e->left -= CT_COST_PAIR;
    if (ct_unlikely(action == CT_DROP))
        return put_dropped(e, p, name, value, CTJ_FIELD_DROPPED);
    if (e->shot) {
        if (ct_likely(ct_is_atom(name)))
            ct_shot_push_atom(name);
        else
            ct_shot.failed = true;
    }
    e->left -= CT_COST_TEXT;
    p = ct_put_field_name(p, name, &e->left);
    return ct_likely(action == CT_ALLOW) ? put_value(e, p, value) : put_hidden(e, p, value);
}

static uint8_t *put_instance(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type,
                             ct_fields *f)
{
    Py_ssize_t total = f->total, shown = ct_items_shown(total, e->depth);
    PyObject *name, *value, *member = NULL;
    bool is_enum = type->layout != NULL && type->layout->kind == CT_LAYOUT_ENUM;
    bool is_interpolation = type->shape == CT_SHAPE_MEMBERS && ct_is_interpolation(Py_TYPE(v));
    bool is_exception = type->shape == CT_SHAPE_EXCEPTION;
    e->left -= CT_COST_CONTAINER;
    *p++ = CTJ_INSTANCE;
    p = ct_put_uv(p, type->id);
    shoot(e, CT_WORD(CT_WORD_INSTANCE, type->id));
    shoot(e, (uintptr_t)Py_TYPE(v));
    shoot(e, type->version);
    shoot(e, (uintptr_t)total);
    bool plain = type->dict == CT_DICT_MANAGED && type->layout == NULL && f->dict == NULL;
    shoot(e, (uintptr_t)shown << 1 | (plain && type->is_open));
    if (ct_type_has_part(type)) {
        e->left -= CT_COST_PAIR + CT_COST_TEXT + 16;
        p = put_base(e, p, v, type);
    } else {
        *p++ = CTJ_UNSET;
        shoot(e, CT_WORD_NOTHING);
    }
    p = ct_put_uv(p, (uint64_t)total);
    p = ct_put_uv(p, (uint64_t)shown);
    e->cut |= shown < total;
    e->open[e->depth++] = v;
    for (Py_ssize_t i = 0; i < shown; i++) {
        if (ct_unlikely(e->left <= 0) || !ct_fields_next(f, &name, &value)) {
            *p++ = CTJ_FIELD_STOP;
            shoot(e, CT_WORD_STOP);
            e->cut = true;
            break;
        }
        enum ct_action action = ct_attribute_action(e->attributes, name);
        if (ct_unlikely(is_enum)) {
            /* The value of a member is what stands under the member's name. */
            if (i == 0)
                member = value;
            else if (ct_attribute_action(e->attributes, member) > action)
                action = ct_attribute_action(e->attributes, member);
        }
        bool is_value = is_interpolation && i == 0;
        if (ct_unlikely(is_value) && action == CT_ALLOW)
            action = ct_interpolation_action(e->attributes, *f);
        if (ct_unlikely(is_value || is_exception) && action == CT_ALLOW &&
            ct_secrets_within(value)) { /* often as a part of a message or a note */
            ct_shot.failed |= e->shot;
            action = CT_REDACT;
        }
        p = put_field(e, p, name, value, action);
    }
    e->depth--;
    return p;
}

uint8_t *ct_put_object(ct_encoder *e, uint8_t *p, PyObject *v)
{
    ct_type *type = ct_type_of(Py_TYPE(v));
    if (type == NULL) {
        *p++ = CTJ_OMITTED;
        ct_shot.failed |= e->shot;
        return p;
    }
    /* Looking at other types moves the table. */
    ct_type known = *type;
    e->left -= (int32_t)ct_type_name_cost(type);
    p = ct_put_type(p, type);
    PyObject *words = ct_unlikely(ct_reprs_wanted) ? ct_repr_of(e, v, &known) : NULL;
    if (words != NULL) {
        ct_shot.failed |= e->shot; /* what it says next time cannot be told without asking it */
        return ct_put_words(e, p, words, &known);
    }
    if (ct_unlikely(known.shape >= CT_SHAPE_FRAME)) {
        uint8_t *end = ct_put_frame(e, p, v, &known);
        if (end != NULL)
            return end;
        known.shape = CT_SHAPE_OBJECT;
        ct_shot.failed |= e->shot;
    }
    if (known.has_fields) {
        ct_fields f;
        ct_fields_open(&f, v, &known);
        if (f.total != 0 || known.is_open)
            return put_instance(e, p, v, &known, &f);
    }
    if (known.shape <= CT_SHAPE_MEMBERS) {
        e->left -= CT_COST_OBJECT;
        *p++ = CTJ_OBJECT;
        p = ct_put_uv(p, known.id);
        shoot(e, CT_WORD(CT_WORD_OBJECT, known.id));
        shoot(e, (uintptr_t)v);
        return ct_put_uv(p, (uintptr_t)v);
    }
    if (known.shape < CT_SHAPE_EXCEPTION || known.shape == CT_SHAPE_BYTEARRAY ||
        known.shape == CT_SHAPE_DEQUE || known.shape == CT_SHAPE_ARRAY_SCALAR) {
        *p++ = CTJ_SUBCLASS;
        p = ct_put_uv(p, known.id);
    }
    return put_base(e, p, v, &known);
}

/* A str, bytes or int. */
static uint8_t *put_scalar(ct_encoder *e, uint8_t *p, PyObject *v, PyTypeObject *type)
{
    uint8_t *start = p;
    p = type == &PyLong_Type      ? ct_put_int(e, p, v)
        : type == &PyUnicode_Type ? ct_put_str(e, p, v)
                                  : put_bytes(e, p, v);
    if (!e->shot)
        return p;
    if (ct_likely(ct_is_atom(v)))
        ct_shot_push_atom(v);
    else
        ct_shot_push_encoding(CT_WORD_COPY, (uintptr_t)type, start, (size_t)(p - start));
    return p;
}

/* Write a container or an object. */
static uint8_t *put_compound(ct_encoder *e, uint8_t *p, PyObject *v, PyTypeObject *type)
{
    enum ct_shape shape = ct_exact_container(type);
    if (shape == CT_SHAPE_OBJECT) {
        uint8_t *end = e->shot ? ct_put_known(e, p, v) : NULL;
        if (end == NULL)
            return ct_put_object(e, p, v);
        e->has_references = true;
        ct_shot_push(CT_WORD(CT_WORD_KNOWN, ct_known_place(v)->stamp));
        ct_shot_push((uintptr_t)v);
        return end;
    }
    shoot(e, (uintptr_t)type | CT_WORD_CONTAINER);
    switch (shape) {
    case CT_SHAPE_LIST:
        return put_sequence(e, p, v, CTJ_LIST);
    case CT_SHAPE_TUPLE:
        return put_sequence(e, p, v, CTJ_TUPLE);
    case CT_SHAPE_DICT:
        return put_dict(e, p, v);
    case CT_SHAPE_SET:
        return put_members(e, p, v, CTJ_SET, false);
    default:
        return put_members(e, p, v, CTJ_FROZENSET, false);
    }
}

static uint8_t *put_value(ct_encoder *e, uint8_t *p, PyObject *v)
{
    PyTypeObject *type = Py_TYPE(v);
    if (ct_is_exact_scalar(type))
        return put_scalar(e, p, v, type);
    if (v == Py_None || type == &PyBool_Type || type == &PyFloat_Type || type == &PyComplex_Type) {
        if (e->shot)
            ct_shot_push_atom(v);
        return type == &PyComplex_Type ? put_complex(e, p, v) : ct_put_small(e, p, v);
    }
    int up = cycle(e, v);
    if (ct_unlikely(up > 0)) {
        e->left -= CT_COST_TEXT;
        shoot(e, CT_WORD(CT_WORD_CYCLE, up));
        *p++ = CTJ_CYCLE;
        return ct_put_uv(p, (uint64_t)up);
    }
    if (ct_likely(Py_REFCNT(v) == 1) || e->depth == 0 || e->is_again)
        return put_compound(e, p, v, type);
    p = ct_put_place(e, p, v);
    p = put_compound(e, p, v, type);
    e->is_again = false;
    return p;
}

uint8_t *ct_put_exception(ct_encoder *e, uint8_t *p, PyObject *v, uint8_t action, enum ct_kind kind)
{
    ct_type *type = action != CT_ALLOW ? ct_type_of(Py_TYPE(v)) : NULL;
    if (type == NULL)
        return ct_put_raised(e, p, v);
    ct_secret(((PyBaseExceptionObject *)v)->args);
    p = ct_put_type(p, type);
    *p++ = CTJ_EXCEPTION;
    p = ct_put_uv(p, type->id);
    *p++ = action == CT_DROP ? CTJ_DROPPED : CTJ_REDACTED;
    ct_count(&(action == CT_DROP ? ct_value_counts.dropped : ct_value_counts.redacted)[kind]);
    return p;
}

uint8_t *ct_put_inside(ct_encoder *e, uint8_t *p, PyObject *v)
{
    return put_value(e, p, v);
}

uint8_t *ct_put_value(ct_encoder *e, uint8_t *p, PyObject *v)
{
    ct_met_keep(0);
    e->start = p;
    p = put_value(e, p, v);
    if (ct_unlikely(e->cut))
        ct_count(&ct_value_counts.cuts);
    return p;
}
