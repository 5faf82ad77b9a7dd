#include "raised.h"

#include "chunk.h"
#include "instance.h"
#include "reprs.h"
#include "secrets.h"
#include "snapshot.h"

#define ARGS_LIMIT  4
#define BYTES_LIMIT 256

/* An exception of builtin state and small atoms only, as it was written last.  What was written
 * depends on nothing else: neither on which exception it is, nor on the chunk, as long as the
 * chunk defines the type. */
static struct {
    uint32_t type_id;
    uint32_t length; /* of the bytes, 0 when nothing is remembered */
    Py_ssize_t count;
    PyObject *args[ARGS_LIMIT]; /* owned */
    ct_attributes *attributes;
    uint8_t bytes[BYTES_LIMIT];
} last;

void ct_raised_clear(void)
{
    for (Py_ssize_t i = 0; i < last.count; i++)
        Py_DECREF(last.args[i]);
    last.count = 0;
    last.length = 0;
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

static bool is_last(const ct_encoder *e, const ct_type *type, PyObject *args)
{
    if (last.length == 0 || last.type_id != type->id || last.attributes != e->attributes ||
        last.count != PyTuple_GET_SIZE(args))
        return false;
    for (Py_ssize_t i = 0; i < last.count; i++)
        if (last.args[i] != PyTuple_GET_ITEM(args, i))
            return false;
    return true;
}

static void remember(const ct_encoder *e, uint32_t type_id, PyObject *args, const uint8_t *bytes,
                     size_t length)
{
    ct_raised_clear();
    if (length > BYTES_LIMIT || e->cut || ct_attributes_pending)
        return;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
        if (!ct_is_atom(PyTuple_GET_ITEM(args, i)))
            return;
    for (; last.count < PyTuple_GET_SIZE(args); last.count++)
        last.args[last.count] = Py_NewRef(PyTuple_GET_ITEM(args, last.count));
    last.type_id = type_id;
    last.attributes = e->attributes;
    last.length = (uint32_t)length;
    memcpy(last.bytes, bytes, length);
}

uint8_t *ct_put_raised(ct_encoder *e, uint8_t *p, PyObject *v)
{
    const ct_type *type = ct_type_of(Py_TYPE(v));
    PyObject *args = plain_args(v, type);
    if (args == NULL)
        return ct_put_value(e, p, v);
    if (is_last(e, type, args)) {
        memcpy(p, last.bytes, last.length);
        return p + last.length;
    }
    uint32_t id = type->id; /* looking at others moves the table */
    uint64_t redacted = ct_value_counts.redacted[CT_KIND_ATTRIBUTE];
    uint8_t *end = ct_put_value(e, p, v);
    if (ct_value_counts.redacted[CT_KIND_ATTRIBUTE] == redacted)
        remember(e, id, args, p, (size_t)(end - p));
    return end;
}
