/* A hash table from type objects to ids.  Nothing but names is owned, so no class lives longer for
 * being recorded. */
#include "types.h"

#include "arrays.h"
#include "chunk.h"
#include "dates.h"
#include "describe.h"
#include "frames.h"
#include "instance.h"
#include "names.h"
#include "ndarray.h"
#include "value.h"

#define TABLE_START 256u
#define TABLE_LIMIT                                                                                \
    32768u /* entries; a program that keeps making classes starts over with new ids */

#define RECENT     16 /* a power of two */
#define TAGS_LIMIT 8  /* versions of a class that we ask for: the interpreter has so many only */

static struct {
    ct_type *entries;
    uint32_t mask;
    uint32_t used;
    uint32_t next_id;
    ct_type *recent[RECENT]; /* entries asked for lately, by the address of their type */
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

static const struct {
    const char *name;      /* as C code calls it: no class of Python is immutable */
    Py_ssize_t basic_size; /* of the structure that we know; 0 where any will do */
    enum ct_shape shape;
} foreign_shapes[] = {
    {"range", 0, CT_SHAPE_MEMBERS},
    {"slice", 0, CT_SHAPE_MEMBERS},
    {"string.templatelib.Interpolation", 0, CT_SHAPE_MEMBERS}, /* CPython 3.14 */
    {"string.templatelib.Template", 0, CT_SHAPE_MEMBERS},
    {"collections.deque", sizeof(ct_deque), CT_SHAPE_DEQUE},
    {"datetime.datetime", sizeof(PyDateTime_DateTime), CT_SHAPE_DATETIME},
    {"datetime.date", sizeof(PyDateTime_Date), CT_SHAPE_DATE},
    {"datetime.time", sizeof(PyDateTime_Time), CT_SHAPE_TIME},
    {"datetime.timedelta", sizeof(PyDateTime_Delta), CT_SHAPE_TIMEDELTA},
    {"decimal.Decimal", sizeof(ct_decimal), CT_SHAPE_DECIMAL},
    {"memoryview", 0, CT_SHAPE_MEMORYVIEW},
    {"numpy.ndarray", 0, CT_SHAPE_NDARRAY},
};

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
    {&PyByteArray_Type, CT_SHAPE_BYTEARRAY},
    {&PyFunction_Type, CT_SHAPE_NAMED},
    {&PyType_Type, CT_SHAPE_NAMED},
    {&PyModule_Type, CT_SHAPE_NAMED},
    {&PyCFunction_Type, CT_SHAPE_NAMED},
    {&PyMethod_Type, CT_SHAPE_NAMED},
    {&PyGen_Type, CT_SHAPE_NAMED},
    {&PyCoro_Type, CT_SHAPE_NAMED},
    {&PyAsyncGen_Type, CT_SHAPE_NAMED},
    {&PyMethodDescr_Type, CT_SHAPE_NAMED},
    {&PyWrapperDescr_Type, CT_SHAPE_NAMED},
};

static enum ct_shape shape_of_immutable(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_BASE_EXC_SUBCLASS)
        return CT_SHAPE_EXCEPTION;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (PyType_IsSubtype(type, shapes[i].base))
            return shapes[i].shape;
    for (PyTypeObject *base = type; base != NULL; base = base->tp_base)
        for (size_t i = 0; i < sizeof foreign_shapes / sizeof *foreign_shapes; i++)
            if (strcmp(base->tp_name, foreign_shapes[i].name) == 0 &&
                PyType_HasFeature(base, Py_TPFLAGS_IMMUTABLETYPE) &&
                (foreign_shapes[i].basic_size == 0 ||
                 base->tp_basicsize == foreign_shapes[i].basic_size))
                return foreign_shapes[i].shape;
    return ct_is_array_scalar(type) ? CT_SHAPE_ARRAY_SCALAR : CT_SHAPE_OBJECT;
}

/* The shape of a class is that of the first type among its bases that C code has made for good.  It
 * is looked up each time: a class that is gone may have left its address, and the very str of its
 * name, to another one of another layout. */
static enum ct_shape shape_of(PyTypeObject *type)
{
    PyTypeObject *made = type;
    while (!PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE) && type->tp_base != NULL)
        type = type->tp_base;
    if (ct_likely(type == &PyBaseObject_Type))
        return ct_frame_shape(made);
    if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
        return shape_of_immutable(type);
    ct_type *entry = ct_type_of(type);
    return entry != NULL ? (enum ct_shape)entry->shape : CT_SHAPE_OBJECT;
}

static enum ct_dict dict_of(PyTypeObject *type, enum ct_shape shape)
{
    if (shape == CT_SHAPE_NAMED || ct_instances_are_unknown)
        return CT_DICT_NONE;
    if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT))
        return CT_DICT_MANAGED;
    return CT_DICT_OFFSET_IS_KNOWN(type) ? CT_DICT_AT_OFFSET : CT_DICT_NONE;
}

static void forget(ct_type *entry)
{
    if (entry->type != NULL && entry->owned)
        Py_DECREF((PyObject *)entry->name);
    ct_layout_free(entry->layout);
}

static void forget_entries(void)
{
    for (uint32_t i = 0; table.entries != NULL && i <= table.mask; i++)
        forget(&table.entries[i]);
    free(table.entries);
    table.entries = NULL;
    memset(table.recent, 0, sizeof table.recent);
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
    memset(table.recent, 0, sizeof table.recent);
    table.mask = size - 1;
    return true;
}

/* A class can be renamed without becoming another version. */
static inline bool has_name(PyTypeObject *type, const ct_type *entry)
{
    return !entry->owned || ((PyHeapTypeObject *)type)->ht_name == (PyObject *)entry->name;
}

/* The place of a type in the table, which is empty when the type is new. */
static ct_type *find(const PyTypeObject *type)
{
    uint32_t at = hash(type) & table.mask;
    while (table.entries[at].type != NULL && table.entries[at].type != type)
        at = (at + 1) & table.mask;
    return &table.entries[at];
}

ct_type *ct_type_of(PyTypeObject *type)
{
    unsigned int version = ct_type_version(type);
    ct_type **recent = &table.recent[((uintptr_t)type >> 4 ^ (uintptr_t)type >> 10) % RECENT];
    if (ct_likely(*recent != NULL && (*recent)->type == type && version != 0 &&
                  (*recent)->version == version && has_name(type, *recent)))
        return *recent;
    bool owned;
    const void *name = name_of(type, &owned);
    if (ct_unlikely(table.entries == NULL)) {
        if (!resize(TABLE_START))
            return NULL;
    } else if (ct_unlikely(table.used * 2 > table.mask) && !resize((table.mask + 1) * 2)) {
        return NULL;
    }
    ct_type *entry = find(type);
    if (entry->type == type && entry->name == name && version != 0 && entry->version == version)
        return *recent = entry;
    /* A static type is the same for ever. */
    bool heap = PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE);
    if (version == 0 && entry->type == type && entry->tagged < TAGS_LIMIT) {
        entry->tagged++;
        version = PyUnstable_Type_AssignVersionTag(type) ? ct_type_version(type) : 0;
    }
    if (!heap && entry->type == type)
        return *recent = entry;
    enum ct_shape shape = heap ? shape_of(type) : shape_of_immutable(type);
    ct_layout *layout = ct_layout_of(type, shape);
    entry = find(type); /* looking at a base may have moved it */
    if (entry->type == type && entry->name == name && entry->shape == shape) {
        /* Somebody may be walking along the one that is known. */
        layout = ct_layout_keep(entry->layout, layout);
    } else {
        forget(entry);
        table.used += entry->type == NULL;
        *entry = (ct_type){.type = type,
                           .name = owned ? (const void *)Py_NewRef((PyObject *)name) : name,
                           .id = table.next_id++,
                           .shape = (uint8_t)shape,
                           .owned = owned};
    }
    entry->version = version;
    entry->layout = layout;
    entry->dict = (uint8_t)dict_of(type, shape);
    entry->has_fields = entry->dict != CT_DICT_NONE || layout != NULL;
    entry->is_open = entry->has_fields && !ct_type_has_part(entry) &&
                     !PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE);
    return *recent = entry;
}

/* A static type's name without its module. */
static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

uint32_t ct_type_name_cost(const ct_type *entry)
{
    if (entry->owned)
        return ct_name_text_cost((PyObject *)entry->name);
    size_t n = strlen(last_part(entry->name));
    return (uint32_t)(n < CT_NAME_LIMIT ? n : CT_NAME_LIMIT);
}

uint8_t *ct_put_type(uint8_t *p, ct_type *entry)
{
    if (ct_likely(entry->generation == ct_out.generation))
        return p;
    entry->generation = ct_out.generation;
    *p++ = CTJ_TYPE;
    p = ct_put_uv(p, entry->id);
    if (entry->owned)
        return ct_put_name_text(p, (PyObject *)entry->name);
    const char *name = last_part(entry->name);
    size_t n = strlen(name);
    n = n < CT_NAME_LIMIT ? n : CT_NAME_LIMIT;
    p = ct_put_uv(p, n);
    memcpy(p, name, n);
    return p + n;
}

void ct_types_undefine(void)
{
    for (uint32_t i = 0; table.entries != NULL && i <= table.mask; i++)
        table.entries[i].generation = 0;
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
