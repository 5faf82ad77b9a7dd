/* A hash table from type objects to ids.  Nothing but names is owned, so no class lives longer for
 * being recorded. */
#include "types.h"

#include "chunk.h"
#include "value.h"

#define TABLE_START 256u
#define TABLE_LIMIT                                                                                \
    32768u             /* entries; a program that keeps making classes starts over with new ids */
#define NAME_LIMIT 200 /* characters of a class name */

static struct {
    ct_type *entries;
    uint32_t mask;
    uint32_t used;
    uint32_t next_id;
    ct_type *last; /* the entry asked for last: containers often hold objects of one class */
} table;

static uint32_t hash(const PyTypeObject *type)
{
    return (uint32_t)(((uintptr_t)type >> 4) * 2654435761u >> 7);
}

/* A heap type's name is a str, which the entry owns; others have a C string.  A name of a subclass
 * of str is not touched: it could run code when it goes. */
static const void *name_of(PyTypeObject *type, bool *owned)
{
    static const char unnamed[] = "(class)";
    *owned = false;
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0)
        return type->tp_name;
    PyObject *name = ((PyHeapTypeObject *)type)->ht_name;
    *owned = PyUnicode_CheckExact(name);
    return *owned ? (const void *)name : unnamed;
}

static enum ct_shape shape_of_static(PyTypeObject *type)
{
    static const struct {
        PyTypeObject *base;
        enum ct_shape shape;
    } shapes[] = {
        {&PyLong_Type, CT_SHAPE_INT},
        {&PyUnicode_Type, CT_SHAPE_STR},
        {&PyTuple_Type, CT_SHAPE_TUPLE},
        {&PyList_Type, CT_SHAPE_LIST},
        {&PyDict_Type, CT_SHAPE_DICT},
        {&PyBytes_Type, CT_SHAPE_BYTES},
        {&PyFloat_Type, CT_SHAPE_FLOAT},
        {&PySet_Type, CT_SHAPE_SET},
        {&PyFrozenSet_Type, CT_SHAPE_FROZENSET},
        {&PyComplex_Type, CT_SHAPE_COMPLEX},
    };
    if (type->tp_flags & Py_TPFLAGS_BASE_EXC_SUBCLASS)
        return CT_SHAPE_EXCEPTION;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (PyType_IsSubtype(type, shapes[i].base))
            return shapes[i].shape;
    return CT_SHAPE_OBJECT;
}

/* The layout of a class is that of the first static type among its bases.  It is looked up each
 * time: a class that is gone may have left its address, and the very str of its name, to another
 * one of another layout. */
static enum ct_shape shape_of(PyTypeObject *type)
{
    while (type->tp_flags & Py_TPFLAGS_HEAPTYPE)
        type = type->tp_base;
    if (ct_likely(type == &PyBaseObject_Type))
        return CT_SHAPE_OBJECT;
    ct_type *entry = ct_type_of(type);
    return entry != NULL ? (enum ct_shape)entry->shape : CT_SHAPE_OBJECT;
}

static void forget_entries(void)
{
    for (uint32_t i = 0; table.entries != NULL && i <= table.mask; i++)
        if (table.entries[i].type != NULL && table.entries[i].owned)
            Py_DECREF((PyObject *)table.entries[i].name);
    free(table.entries);
    table.entries = table.last = NULL;
    table.used = 0;
}

static bool resize(uint32_t size)
{
    ct_type *entries = calloc(size, sizeof *entries);
    if (entries == NULL)
        return false;
    for (uint32_t i = 0; table.entries != NULL && i <= table.mask; i++) {
        if (table.entries[i].type == NULL)
            continue;
        uint32_t at = hash(table.entries[i].type) & (size - 1);
        while (entries[at].type != NULL)
            at = (at + 1) & (size - 1);
        entries[at] = table.entries[i];
    }
    free(table.entries);
    table.entries = entries;
    table.last = NULL;
    table.mask = size - 1;
    return true;
}

ct_type *ct_type_of(PyTypeObject *type)
{
    bool owned;
    const void *name = name_of(type, &owned);
    unsigned int version = ct_type_version(type);
    ct_type *last = table.last;
    if (ct_likely(last != NULL && last->type == type && last->name == name && version != 0 &&
                  last->version == version))
        return last;
    /* A static type has one shape for ever: its entry says it. */
    bool heap = PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE);
    enum ct_shape shape = heap ? shape_of(type) : CT_SHAPE_OBJECT;
    if (ct_unlikely(table.entries == NULL)) {
        if (!resize(TABLE_START))
            return NULL;
    } else if (ct_unlikely(table.used * 2 > table.mask) && !resize((table.mask + 1) * 2)) {
        return NULL;
    }
    uint32_t at = hash(type) & table.mask;
    while (table.entries[at].type != NULL && table.entries[at].type != type)
        at = (at + 1) & table.mask;
    ct_type *entry = table.last = &table.entries[at];
    if (ct_likely(entry->type == type && entry->name == name && (!heap || entry->shape == shape))) {
        entry->version = version;
        return entry;
    }
    if (entry->type == NULL)
        table.used++;
    else if (entry->owned)
        Py_DECREF((PyObject *)entry->name);
    *entry = (ct_type){.type = type,
                       .name = owned ? (const void *)Py_NewRef((PyObject *)name) : name,
                       .version = version,
                       .id = table.next_id++,
                       .shape = (uint8_t)(heap ? shape : shape_of_static(type)),
                       .owned = owned};
    return entry;
}

/* A static type's name without its module. */
static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

uint32_t ct_type_name_cost(const ct_type *entry)
{
    if (!entry->owned) {
        size_t n = strlen(last_part(entry->name));
        return (uint32_t)(n < NAME_LIMIT ? n : NAME_LIMIT);
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH((PyObject *)entry->name);
    uint32_t width = PyUnicode_IS_ASCII((PyObject *)entry->name) ? 1 : 4;
    return (uint32_t)(n < NAME_LIMIT ? n : NAME_LIMIT) * width;
}

uint8_t *ct_put_type(uint8_t *p, ct_type *entry)
{
    if (ct_likely(entry->generation == ct_out.generation))
        return p;
    entry->generation = ct_out.generation;
    *p++ = CTJ_TYPE;
    p = ct_put_uv(p, entry->id);
    if (entry->owned)
        return ct_put_text(p, (PyObject *)entry->name, NAME_LIMIT);
    const char *name = last_part(entry->name);
    size_t n = strlen(name);
    n = n < NAME_LIMIT ? n : NAME_LIMIT;
    p = ct_put_uv(p, n);
    memcpy(p, name, n);
    return p + n;
}

void ct_types_trim(void)
{
    if (table.used >= TABLE_LIMIT)
        forget_entries();
}

void ct_types_clear(void)
{
    forget_entries();
    table.next_id = 0;
}
