#include "field_names.h"

#include "chunk.h"
#include "names.h"
#include "snapshot.h"

uint64_t ct_field_definitions;

/* The last CTJ_FIELD_NAMES names at most, each at the place that its address gives, or at one of
 * WAYS beside it where that is taken; the place is its number until another name takes it. */
#define WAYS 4
static struct {
    PyObject *name;      /* owned */
    uint64_t generation; /* of the chunk that holds the definition */
    int32_t cost;
} numbered[CTJ_FIELD_NAMES];

static bool is_defined(size_t at)
{
    return numbered[at].name != NULL && numbered[at].generation == ct_out.generation;
}

/* Where the name is that is not at its own place, or where it is to be. */
static size_t place_beside(size_t own, PyObject *name)
{
    size_t place = own;
    for (size_t way = WAYS; way-- > 0;) {
        size_t at = own ^ way;
        if (!is_defined(at))
            place = at;
        else if (numbered[at].name == name)
            return at;
    }
    return place;
}

uint8_t *ct_put_field_name(uint8_t *p, PyObject *name, int32_t *left)
{
    size_t at = ((uintptr_t)name >> 4) % CTJ_FIELD_NAMES;
    if (ct_likely(numbered[at].name == name && numbered[at].generation == ct_out.generation)) {
        *left -= numbered[at].cost;
        return ct_put_uv(p, CTJ_FIELD_NAMED + at);
    }
    at = place_beside(at, name);
    if (numbered[at].name == name && is_defined(at)) {
        *left -= numbered[at].cost;
        return ct_put_uv(p, CTJ_FIELD_NAMED + at);
    }
    Py_XSETREF(numbered[at].name, ct_is_atom(name) ? Py_NewRef(name) : NULL);
    numbered[at].generation = ct_out.generation;
    numbered[at].cost = (int32_t)ct_name_text_cost(name);
    *left -= numbered[at].cost;
    ct_field_definitions++;
    *p++ = CTJ_FIELD_DEFINE;
    p = ct_put_uv(p, at);
    return ct_put_name_text(p, name);
}

uint8_t *ct_put_field_label(uint8_t *p, const char *label)
{
    PyObject *name = PyUnicode_InternFromString(label);
    if (name == NULL) {
        PyErr_Clear();
        *p++ = CTJ_FIELD_STOP;
        return p;
    }
    p = ct_put_field_name(p, name, &(int32_t){0});
    Py_DECREF(name);
    return p;
}

void ct_field_names_undefine(void)
{
    for (int i = 0; i < CTJ_FIELD_NAMES; i++)
        numbered[i].generation = 0;
}

void ct_field_names_clear(void)
{
    for (int i = 0; i < CTJ_FIELD_NAMES; i++) {
        Py_CLEAR(numbered[i].name);
        numbered[i].generation = 0;
    }
}
