#include "attributes.h"

#include "guard.h"
#include "snapshot.h"

#define NAME_LIMIT    1024 /* characters of a name that a filter looks at */
#define DECIDED_LIMIT 8192 /* names; keys of mappings come without end */

bool ct_attributes_pending;
bool ct_attributes_conceal;

static struct {
    ct_attributes *all;
    ct_attributes *asking; /* whose names are pending */
    PyObject *names;       /* list of them */
} state;

ct_attributes *ct_attributes_of(PyObject *decide)
{
    for (ct_attributes *known = state.all; known != NULL; known = known->next)
        if (known->decide == decide)
            return known;
    ct_attributes *made = calloc(1, sizeof *made);
    PyObject *decided = made != NULL ? PyDict_New() : NULL;
    if (decided == NULL) {
        PyErr_Clear();
        free(made);
        return NULL;
    }
    made->decide = Py_NewRef(decide);
    made->decided = decided;
    made->next = state.all;
    return state.all = made;
}

static void forget_answers(ct_attributes *attributes)
{
    for (int i = 0; i < CT_ATTRIBUTE_CACHE; i++)
        Py_CLEAR(attributes->cache[i].name);
    PyDict_Clear(attributes->decided);
}

void ct_attributes_clear(void)
{
    while (state.all != NULL) {
        ct_attributes *gone = state.all;
        state.all = gone->next;
        forget_answers(gone);
        Py_DECREF(gone->decided);
        Py_DECREF(gone->decide);
        free(gone);
    }
    state.asking = NULL;
    Py_CLEAR(state.names);
    ct_attributes_pending = ct_attributes_conceal = false;
}

/* The name that a key is to a filter: a new exact str of at most NAME_LIMIT characters, NULL for a
 * key that is no text, or without memory.  Keys of os.environ are bytes. */
static PyObject *name_of(PyObject *key)
{
    if (PyBytes_Check(key)) {
        Py_ssize_t n = PyBytes_GET_SIZE(key);
        return PyUnicode_DecodeLatin1(PyBytes_AS_STRING(key), n < NAME_LIMIT ? n : NAME_LIMIT,
                                      NULL);
    }
    if (!PyUnicode_Check(key))
        return NULL;
    Py_ssize_t n = PyUnicode_GET_LENGTH(key);
    if (PyUnicode_CheckExact(key) && n <= NAME_LIMIT)
        return Py_NewRef(key);
    return PyUnicode_FromKindAndData(PyUnicode_KIND(key), PyUnicode_DATA(key),
                                     n < NAME_LIMIT ? n : NAME_LIMIT);
}

/* Note a name for the next settling; it is asked for once. */
static void note(ct_attributes *attributes, PyObject *name)
{
    if (ct_attributes_conceal)
        return;
    if (state.names == NULL) {
        int collects = ct_collect_nothing(); /* a value is being written */
        state.names = PyList_New(0);
        ct_collect_again(collects);
    }
    if (state.names == NULL || PyList_Append(state.names, name) < 0) {
        PyErr_Clear();
        return;
    }
    state.asking = attributes;
    ct_attributes_pending = true;
}

enum ct_action ct_attribute_look_up(ct_attributes *attributes, PyObject *key)
{
    if (!PyUnicode_Check(key) && !PyBytes_Check(key))
        return CT_ALLOW;
    PyObject *name = name_of(key);
    if (name == NULL) {
        PyErr_Clear();
        return CT_REDACT;
    }
    enum ct_action action = CT_REDACT;
    PyObject *known = PyDict_GetItemWithError(attributes->decided, name);
    if (known != NULL) {
        action = (enum ct_action)PyLong_AsLong(known);
        if (name == key && ct_is_atom(key)) {
            size_t at = ((uintptr_t)key >> 4) & (CT_ATTRIBUTE_CACHE - 1);
            Py_XSETREF(attributes->cache[at].name, Py_NewRef(key));
            attributes->cache[at].action = action;
        }
    } else {
        note(attributes, name);
    }
    Py_DECREF(name);
    return action;
}

int ct_attributes_settle(void)
{
    ct_attributes *attributes = state.asking;
    PyObject *names = state.names;
    state.names = NULL;
    ct_attributes_pending = false;
    if (attributes == NULL || names == NULL)
        return 0;
    /* The session may end meanwhile, and the policy with it. */
    PyObject *decide = Py_NewRef(attributes->decide), *decided = Py_NewRef(attributes->decided);
    if (PyDict_GET_SIZE(decided) >= DECIDED_LIMIT)
        forget_answers(attributes);
    int status = 0;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i);
        if (PyDict_GetItemWithError(decided, name) != NULL)
            continue;
        PyObject *answer = CT_RECORDERS_OWN(PyObject_CallOneArg(decide, name));
        status = answer != NULL ? PyDict_SetItem(decided, name, answer) : -1;
        Py_XDECREF(answer);
    }
    Py_DECREF(decide);
    Py_DECREF(decided);
    Py_DECREF(names);
    return status;
}
