#include "raised.h"

#include "chunk.h"
#include "instance.h"
#include "reprs.h"
#include "secrets.h"
#include "snapshot.h"

#define ARGS_LIMIT  4
#define BYTES_LIMIT 256
#define KEPT        16 /* a power of two */

/* An exception of builtin state and small atoms only, as it was written last.  What was written
 * depends on nothing else: neither on which exception it is, nor on the chunk, as long as the
 * chunk defines the type. */
struct kept {
    uint32_t type_id;
    uint32_t length; /* of the bytes, 0 when nothing is remembered */
    Py_ssize_t count;
    PyObject *args[ARGS_LIMIT]; /* owned */
    ct_attributes *attributes;
    uint8_t bytes[BYTES_LIMIT];
};

/* By the address of what an exception is about, its first argument. */
static struct kept all_kept[KEPT];

static struct kept *kept_for(PyObject *args)
{
    uintptr_t first = PyTuple_GET_SIZE(args) != 0 ? (uintptr_t)PyTuple_GET_ITEM(args, 0) : 0;
    return &all_kept[(first >> 4 ^ first >> 8) % KEPT];
}

static void forget(struct kept *kept)
{
    for (Py_ssize_t i = 0; i < kept->count; i++)
        Py_DECREF(kept->args[i]);
    kept->count = 0;
    kept->length = 0;
}

void ct_raised_clear(void)
{
    for (int i = 0; i < KEPT; i++)
        forget(&all_kept[i]);
}

/* The args of an exception that has nothing else to be shown, whose type this chunk defines; NULL
 * for others. */
static PyObject *plain_args(PyObject *v, const ct_type *type)
{
    if (type == NULL || type->shape != CT_SHAPE_EXCEPTION || type->layout != NULL ||
        type->is_open || type->generation != ct_out.generation || ct_reprs_wanted)
        return NULL;
    ct_fields f;
    if (type->has_fields && (ct_fields_open(&f, v, type), f.total != 0))
        return NULL;
    PyObject *args = ((PyBaseExceptionObject *)v)->args;
    bool is_plain = args != NULL && PyTuple_CheckExact(args) &&
                    PyTuple_GET_SIZE(args) <= ARGS_LIMIT && !ct_secrets_within(args);
    return is_plain ? args : NULL;
}

static bool is_kept(const struct kept *kept, const ct_encoder *e, const ct_type *type,
                    PyObject *args)
{
    if (kept->length == 0 || kept->type_id != type->id || kept->attributes != e->attributes ||
        kept->count != PyTuple_GET_SIZE(args))
        return false;
    for (Py_ssize_t i = 0; i < kept->count; i++)
        if (kept->args[i] != PyTuple_GET_ITEM(args, i))
            return false;
    return true;
}

static void keep(struct kept *kept, const ct_encoder *e, uint32_t type_id, PyObject *args,
                 const uint8_t *bytes, size_t length)
{
    forget(kept);
    if (length > BYTES_LIMIT || e->cut || ct_attributes_pending)
        return;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
        if (!ct_is_atom(PyTuple_GET_ITEM(args, i)))
            return;
    for (; kept->count < PyTuple_GET_SIZE(args); kept->count++)
        kept->args[kept->count] = Py_NewRef(PyTuple_GET_ITEM(args, kept->count));
    kept->type_id = type_id;
    kept->attributes = e->attributes;
    kept->length = (uint32_t)length;
    memcpy(kept->bytes, bytes, length);
}

uint8_t *ct_put_raised(ct_encoder *e, uint8_t *p, PyObject *v)
{
    const ct_type *type = ct_type_of(Py_TYPE(v));
    PyObject *args = plain_args(v, type);
    if (args == NULL)
        return ct_put_value(e, p, v);
    struct kept *kept = kept_for(args);
    if (is_kept(kept, e, type, args)) {
        memcpy(p, kept->bytes, kept->length);
        return p + kept->length;
    }
    uint32_t id = type->id; /* looking at others moves the table */
    uint64_t redacted = ct_value_counts.redacted[CT_KIND_ATTRIBUTE];
    uint8_t *end = ct_put_value(e, p, v);
    if (ct_value_counts.redacted[CT_KIND_ATTRIBUTE] == redacted)
        keep(kept, e, id, args, p, (size_t)(end - p));
    return end;
}
