#include "templates.h"

bool ct_is_interpolation(PyTypeObject *type)
{
    return !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) &&
           strcmp(type->tp_name, "string.templatelib.Interpolation") == 0;
}

static bool is_of_name(Py_UCS4 c)
{
    return c == '_' || Py_UNICODE_ISALNUM(c);
}

/* The strictest answer about the words of a text. */
static enum ct_action action_of_words(ct_attributes *attributes, PyObject *text)
{
    enum ct_action strictest = CT_ALLOW;
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    for (Py_ssize_t from = 0, to; from < n; from = to + 1) {
        for (to = from; to < n && is_of_name(PyUnicode_READ_CHAR(text, to)); to++)
            ;
        if (to == from)
            continue;
        PyObject *word = PyUnicode_Substring(text, from, to);
        enum ct_action action = CT_REDACT;
        if (word != NULL)
            action = ct_attribute_action(attributes, word);
        else
            PyErr_Clear();
        Py_XDECREF(word);
        strictest = action > strictest ? action : strictest;
    }
    return strictest;
}

enum ct_action ct_interpolation_action(ct_attributes *attributes, ct_fields rest)
{
    PyObject *name, *value;
    while (attributes != NULL && ct_fields_next(&rest, &name, &value))
        if (PyUnicode_CompareWithASCIIString(name, "expression") == 0 && PyUnicode_Check(value))
            return action_of_words(attributes, value);
    return CT_ALLOW;
}
