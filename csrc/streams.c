/* Streams are known by weak references, so that none is kept open and no address is mistaken for an
 * earlier one's.  Those of `sys` are looked up again when its dict has changed. */
#include "streams.h"

#include "watched.h"

#define KNOWN 48

struct ct_io_types ct_io_types;

static struct known {
    PyObject *object;    /* borrowed, only compared */
    PyObject *reference; /* owned, weak */
    uint8_t layer;
    uint8_t stream;
} known[KNOWN];

static int known_count;
static int known_at_start;
static PyObject *sys_dict; /* borrowed: as old as the interpreter */
static uint64_t sys_version;

static const struct {
    const char *name;
    uint8_t stream;
} NAMES[] = {
    {"stdout", CTJ_STDOUT},     {"stderr", CTJ_STDERR},     {"stdin", CTJ_STDIN},
    {"__stdout__", CTJ_STDOUT}, {"__stderr__", CTJ_STDERR}, {"__stdin__", CTJ_STDIN},
};

static bool is_alive(const struct known *entry)
{
    return ((PyWeakReference *)entry->reference)->wr_object == entry->object;
}

static void add(PyObject *object, enum ct_layer layer, uint8_t stream)
{
    for (int i = 0; i < known_count; i++)
        if (known[i].object == object && is_alive(&known[i]))
            return;
    if (known_count == KNOWN)
        return;
    int collects = ct_collect_nothing(); /* nobody else looks up streams meanwhile */
    PyObject *reference = PyWeakref_NewRef(object, NULL);
    ct_collect_again(collects);
    if (reference == NULL) {
        PyErr_Clear();
        return;
    }
    known[known_count++] = (struct known){object, reference, (uint8_t)layer, stream};
}

static void forget(int kept)
{
    while (known_count > kept) {
        known_count--; /* not inside the macro, which CPython 3.11 evaluates twice */
        Py_CLEAR(known[known_count].reference);
    }
}

/* The attribute of a builtin type that a C member holds; NULL when there is none.  New. */
static PyObject *member(PyObject *object, PyTypeObject *type, const char *name)
{
    PyObject *descriptor = PyDict_GetItemString(type->tp_dict, name);
    if (descriptor == NULL || !Py_IS_TYPE(descriptor, &PyMemberDescr_Type))
        return NULL;
    PyObject *value =
        PyMember_GetOne((char *)object, ((PyMemberDescrObject *)descriptor)->d_member);
    if (value == NULL)
        PyErr_Clear();
    return value;
}

/* Whether a text stream on top of the object writes to, or reads from, a file. */
static bool is_over_file(PyObject *buffer)
{
    const PyTypeObject *type = Py_TYPE(buffer);
    return type == ct_io_types.writer || type == ct_io_types.reader || type == ct_io_types.random ||
           type == ct_io_types.file;
}

static void learn(const char *name, uint8_t stream)
{
    PyObject *text = PyDict_GetItemString(sys_dict, name);
    if (text == NULL || !PyObject_TypeCheck(text, ct_io_types.text))
        return;
    Py_INCREF(text);
    PyObject *buffer = member(text, ct_io_types.text, "buffer");
    if (buffer != NULL && is_over_file(buffer)) {
        add(text, CT_LAYER_TEXT, stream);
        add(buffer, CT_LAYER_BUFFER, stream);
        PyObject *raw = member(buffer, Py_TYPE(buffer), "raw");
        if (raw != NULL)
            add(raw, CT_LAYER_RAW, stream);
        Py_XDECREF(raw);
    }
    Py_XDECREF(buffer);
    Py_DECREF(text);
}

/* Look up what are the streams of `sys` now. */
static void refresh(uint64_t version)
{
    sys_version = version;
    forget(known_at_start);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        learn(NAMES[i].name, NAMES[i].stream);
}

static int find(PyObject *object, enum ct_layer layer)
{
    for (int i = 0; i < known_count; i++)
        if (known[i].object == object && known[i].layer == layer && is_alive(&known[i]))
            return known[i].stream;
    return CT_NO_STREAM;
}

int ct_stream_of(PyObject *object, enum ct_layer layer)
{
    int stream = find(object, layer);
    uint64_t version = ct_watched_version(sys_dict);
    if (ct_likely(version != 0 && version == sys_version))
        return stream;
    refresh(version);
    return find(object, layer);
}

static PyTypeObject *type_named(PyObject *module, const char *name)
{
    PyObject *type = PyObject_GetAttrString(module, name);
    if (type == NULL || !PyType_Check(type))
        Py_CLEAR(type);
    PyErr_Clear();
    return (PyTypeObject *)type;
}

int ct_streams_open(void)
{
    PyObject *sys = PyImport_ImportModule("sys");
    PyObject *io = sys != NULL ? PyImport_ImportModule("_io") : NULL;
    if (io != NULL && ct_io_types.text == NULL)
        ct_io_types = (struct ct_io_types){
            .text = type_named(io, "TextIOWrapper"),
            .writer = type_named(io, "BufferedWriter"),
            .reader = type_named(io, "BufferedReader"),
            .random = type_named(io, "BufferedRandom"),
            .file = type_named(io, "FileIO"),
        };
    Py_XDECREF(io);
    if (io != NULL && ct_io_types.text != NULL) {
        sys_dict = PyModule_GetDict(sys);
        known_at_start = 0;
        refresh(ct_watched_version(sys_dict));
        known_at_start = known_count;
    }
    Py_XDECREF(sys);
    return io == NULL ? -1 : 0;
}

void ct_streams_close(void)
{
    forget(0);
    known_at_start = 0;
}
