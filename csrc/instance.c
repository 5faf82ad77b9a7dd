#include "instance.h"

bool ct_instances_are_unknown;

#define LAYOUT_LIMIT 256 /* slots of a class that are looked at */

/* ---- walking */

/* The value of an attribute of a member of an enum, NULL when it has none. */
static PyObject *enum_attribute(const ct_fields *f, PyObject *wanted)
{
    for (int i = 0; i < f->held.count; i++) {
        uint8_t at = f->held.order[CT_INLINE_ORDER_STEP * i];
        if (f->held.names[at].me_key == wanted)
            return f->held.values[at];
    }
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (f->dict != NULL && PyDict_Next(f->dict, &at, &name, &value))
        if (name == wanted)
            return value;
    return NULL;
}

void ct_fields_open_layout(ct_fields *f, PyObject *v, const ct_layout *layout)
{
    f->layout = layout;
    f->slot = 0;
    switch (layout->kind) {
    case CT_LAYOUT_NAMEDTUPLE:
        f->total += PyTuple_GET_SIZE(v);
        return;
    case CT_LAYOUT_ENUM:
        f->total = 0;
        for (int i = 0; i < layout->count; i++)
            f->total += enum_attribute(f, layout->fields[layout->count + i].name) != NULL;
        return;
    default:
        for (int i = 0; i < layout->count; i++)
            f->total += *(PyObject **)((char *)v + layout->fields[i].offset) != NULL;
    }
}

static bool next_of_enum(ct_fields *f, PyObject **name, PyObject **value)
{
    /* Fields come in pairs: the name that is shown, then the name that it is stored under. */
    while (f->slot < f->layout->count) {
        *name = f->layout->fields[f->slot].name;
        *value = enum_attribute(f, f->layout->fields[f->layout->count + f->slot].name);
        f->slot++;
        if (*value != NULL)
            return true;
    }
    f->held.count = 0; /* what else is stored says how enums work */
    f->dict = NULL;
    return false;
}

bool ct_fields_next_slot(ct_fields *f, PyObject **name, PyObject **value)
{
    const ct_layout *layout = f->layout;
    if (layout->kind == CT_LAYOUT_ENUM)
        return next_of_enum(f, name, value);
    while (f->slot < layout->count) {
        const ct_slot_field *field = &layout->fields[f->slot++];
        *name = field->name;
        *value = layout->kind == CT_LAYOUT_SLOTS ? *(PyObject **)((char *)f->object + field->offset)
                 : f->slot <= PyTuple_GET_SIZE(f->object) ? PyTuple_GET_ITEM(f->object, f->slot - 1)
                                                          : NULL;
        if (*value != NULL)
            return true;
    }
    f->layout = NULL;
    return false;
}

/* ---- layouts */

static PyObject *interned(PyObject **place, const char *text)
{
    if (*place == NULL)
        *place = PyUnicode_InternFromString(text);
    return *place;
}

static ct_layout *layout_new(enum ct_layout_kind kind, int room)
{
    ct_layout *layout = malloc(sizeof *layout + (size_t)room * sizeof(ct_slot_field));
    if (layout != NULL)
        *layout = (ct_layout){.kind = kind};
    return layout;
}

void ct_layout_free(ct_layout *layout)
{
    if (layout == NULL)
        return;
    int names = layout->kind == CT_LAYOUT_ENUM ? 2 * layout->count : layout->count;
    for (int i = 0; i < names; i++)
        Py_DECREF(layout->fields[i].name);
    free(layout);
}

ct_layout *ct_layout_keep(ct_layout *known, ct_layout *found)
{
    bool same = known != NULL && found != NULL && known->kind == found->kind &&
                known->count == found->count;
    for (int i = 0; same && i < known->count; i++)
        same =
            known->fields[i].name == found->fields[i].name &&
            (known->kind != CT_LAYOUT_SLOTS || known->fields[i].offset == found->fields[i].offset);
    ct_layout_free(same ? found : known);
    return same ? known : found;
}

/* The members that a class adds to its base; those that hold an object are fields. */
static const PyMemberDef *members_of(PyTypeObject *type, Py_ssize_t *count)
{
    *count = 0;
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
        const PyMemberDef *members = type->tp_members;
        while (members != NULL && members[*count].name != NULL)
            ++*count;
        return members;
    }
    const PyMemberDef *members = PyObject_GetItemData((PyObject *)type);
    if (members == NULL)
        PyErr_Clear(); /* a metaclass of C that keeps something else there */
    else
        *count = Py_SIZE(type);
    return members;
}

static bool is_field(const PyMemberDef *member)
{
    return member->type == Py_T_OBJECT_EX || member->type == _Py_T_OBJECT;
}

static int find_slot(const ct_layout *layout, PyObject *name)
{
    for (int i = 0; i < layout->count; i++)
        if (layout->fields[i].name == name)
            return i;
    return -1;
}

/* Add the slots of a class behind those of its bases; one of the same name hides that of a base. */
static void add_slots(ct_layout *layout, PyTypeObject *type, int room)
{
    Py_ssize_t count;
    const PyMemberDef *members = members_of(type, &count);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!is_field(&members[i]))
            continue;
        PyObject *name = PyUnicode_InternFromString(members[i].name);
        if (name == NULL) {
            PyErr_Clear();
            return;
        }
        int at = find_slot(layout, name);
        if (at >= 0 || layout->count == room) {
            Py_DECREF(name);
            if (at >= 0)
                layout->fields[at].offset = members[i].offset;
            continue;
        }
        layout->fields[layout->count++] = (ct_slot_field){name, members[i].offset};
    }
}

static bool has_slots(PyTypeObject *type)
{
    Py_ssize_t count;
    const PyMemberDef *members = members_of(type, &count);
    for (Py_ssize_t i = 0; i < count; i++)
        if (is_field(&members[i]))
            return true;
    return false;
}

/* Types that C code has made for good show their members only where types.c says so: those of a
 * function, say, are its whole module. */
static bool adds_fields(PyTypeObject *type, enum ct_shape shape)
{
    if (PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE)
            ? shape != CT_SHAPE_MEMBERS
            : !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
        return false;
    return has_slots(type);
}

static ct_layout *slots_of(PyTypeObject *type, enum ct_shape shape)
{
    PyTypeObject *chain[64];
    int n = 0;
    for (; type != NULL && n < 64; type = type->tp_base)
        if (adds_fields(type, shape))
            chain[n++] = type;
    ct_layout *layout = n != 0 ? layout_new(CT_LAYOUT_SLOTS, LAYOUT_LIMIT) : NULL;
    while (layout != NULL && n > 0)
        add_slots(layout, chain[--n], LAYOUT_LIMIT);
    if (layout != NULL) {
        size_t used = sizeof *layout + (size_t)layout->count * sizeof(ct_slot_field);
        ct_layout *smaller = realloc(layout, used);
        layout = smaller != NULL ? smaller : layout;
    }
    return layout;
}

/* An attribute of a class as the first class of its order holds it; dicts with keys that are no
 * strs, which could run code, are passed over. */
static PyObject *class_attribute(PyTypeObject *type, PyObject *name)
{
    PyObject *order = type->tp_mro;
    for (Py_ssize_t i = 0; order != NULL && i < PyTuple_GET_SIZE(order); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(order, i);
        if (!PyType_Check(base) || !PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE) ||
            base->tp_dict == NULL || !ct_dict_has_str_keys(base->tp_dict))
            continue;
        PyObject *value = PyDict_GetItemWithError(base->tp_dict, name);
        if (value != NULL)
            return value;
    }
    return NULL;
}

static ct_layout *namedtuple_of(PyTypeObject *type)
{
    static PyObject *key;
    if (interned(&key, "_fields") == NULL)
        return PyErr_Clear(), NULL;
    PyObject *names = class_attribute(type, key);
    if (names == NULL || !PyTuple_CheckExact(names) || PyTuple_GET_SIZE(names) > LAYOUT_LIMIT)
        return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
        if (!PyUnicode_CheckExact(PyTuple_GET_ITEM(names, i)))
            return NULL;
    int count = (int)PyTuple_GET_SIZE(names);
    ct_layout *layout = count != 0 ? layout_new(CT_LAYOUT_NAMEDTUPLE, count) : NULL;
    for (int i = 0; layout != NULL && i < count; i++)
        layout->fields[layout->count++].name = Py_NewRef(PyTuple_GET_ITEM(names, i));
    return layout;
}

/* A class is an enum when its metaclass is enum.EnumType or made from it. */
static bool is_enum(PyTypeObject *type)
{
    for (PyTypeObject *meta = Py_TYPE(type); meta != &PyType_Type && meta != NULL;
         meta = meta->tp_base)
        if (PyType_HasFeature(meta, Py_TPFLAGS_HEAPTYPE) && strcmp(meta->tp_name, "EnumType") == 0)
            return true;
    return false;
}

static ct_layout *enum_layout(void)
{
    static PyObject *names[4];
    static const char *const texts[] = {"name", "value", "_name_", "_value_"};
    ct_layout *layout = layout_new(CT_LAYOUT_ENUM, 4);
    for (int i = 0; layout != NULL && i < 4; i++) {
        if (interned(&names[i], texts[i]) == NULL) {
            PyErr_Clear();
            free(layout);
            return NULL;
        }
        layout->fields[i].name = names[i];
    }
    if (layout == NULL)
        return NULL;
    for (int i = 0; i < 4; i++)
        Py_INCREF(names[i]);
    layout->count = 2;
    return layout;
}

ct_layout *ct_layout_of(PyTypeObject *type, enum ct_shape shape)
{
    if (shape == CT_SHAPE_NAMED || ct_instances_are_unknown)
        return NULL;
    if (is_enum(type))
        return enum_layout();
    ct_layout *layout = NULL;
    if (shape == CT_SHAPE_TUPLE && PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
        layout = namedtuple_of(type);
    return layout != NULL ? layout : slots_of(type, shape);
}

/* ---- the self-test */

/* Called by the test program: the fields of an object, as a list of pairs. */
static PyObject *probe(PyObject *self, PyObject *object)
{
    (void)self;
    ct_type *type = ct_type_of(Py_TYPE(object));
    PyObject *found = type != NULL ? PyList_New(0) : PyErr_NoMemory(), *name, *value;
    if (found == NULL)
        return NULL;
    ct_fields f;
    ct_fields_open(&f, object, type);
    while (ct_fields_next(&f, &name, &value)) {
        PyObject *pair = PyTuple_Pack(2, name, value);
        if (pair == NULL || PyList_Append(found, pair) < 0)
            PyErr_Clear();
        Py_XDECREF(pair);
    }
    return found;
}

static const char program[] = "class Plain:\n"
                              "    def __init__(self):\n"
                              "        self.b, self.a = 2, 1\n"
                              "        self.c = self\n"
                              "class Slotted:\n"
                              "    __slots__ = ('x', 'y')\n"
                              "class Both(Slotted):\n"
                              "    __slots__ = ('z', '__dict__')\n"
                              "class Sized(tuple):\n"
                              "    pass\n"
                              "plain, other, both, sized = Plain(), Plain(), Both(), Sized((1,))\n"
                              "expect = [([('b', 2), ('a', 1), ('c', plain)], probe(plain))]\n"
                              "del plain.b\n"
                              "plain.b = 5\n"
                              "plain.d = 4\n"
                              "read = probe(plain)\n"
                              "expect += [(list(plain.__dict__.items()), read),\n"
                              "           (list(plain.__dict__.items()), probe(plain)),\n"
                              "           ([('b', 2), ('a', 1), ('c', other)], probe(other)),\n"
                              "           ([], probe(both))]\n"
                              "both.z = both.y = both.more = 7\n"
                              "sized.kept = 8\n"
                              "expect += [([('y', 7), ('z', 7), ('more', 7)], probe(both)),\n"
                              "           ([('kept', 8)], probe(sized))]\n"
                              "result = all(wanted == found for wanted, found in expect)\n";

int ct_instance_self_test(void)
{
    static bool is_done;
    if (is_done)
        return 0;
    static PyMethodDef method = {"probe", probe, METH_O, NULL};
    PyObject *globals = PyDict_New(), *function = PyCFunction_New(&method, NULL), *done = NULL;
    int status = -1;
    if (globals != NULL && function != NULL &&
        PyDict_SetItemString(globals, "probe", function) == 0)
        done = PyRun_String(program, Py_file_input, globals, globals);
    if (done != NULL) {
        ct_instances_are_unknown = PyDict_GetItemString(globals, "result") != Py_True;
        is_done = true;
        status = 0;
    }
    Py_XDECREF(done);
    Py_XDECREF(function);
    Py_XDECREF(globals);
    ct_types_clear();
    return status;
}
