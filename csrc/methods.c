#include "methods.h"

/* How a function takes its arguments; other flags do not matter to a caller. */
#define SIGNATURE                                                                                  \
    (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)

static PyMethodDef *checked(PyMethodDef *entry, int flags)
{
    return (entry->ml_flags & SIGNATURE) == flags ? entry : NULL;
}

PyMethodDef *ct_method_entry(PyTypeObject *type, const char *name, int flags)
{
    PyObject *found = type != NULL ? PyDict_GetItemString(type->tp_dict, name) : NULL;
    if (found == NULL || !Py_IS_TYPE(found, &PyMethodDescr_Type))
        return NULL;
    return checked(((PyMethodDescrObject *)found)->d_method, flags);
}

PyMethodDef *ct_function_entry(PyObject *function, int flags)
{
    if (function == NULL || !PyCFunction_CheckExact(function))
        return NULL;
    return checked(((PyCFunctionObject *)function)->m_ml, flags);
}

bool ct_method_hook(ct_method *method, PyMethodDef *entry, PyCFunction replacement)
{
    if (entry == NULL || entry->ml_meth == replacement)
        return false;
    *method = (ct_method){entry, entry->ml_meth, replacement};
    entry->ml_meth = replacement;
    return true;
}

bool ct_function_hook(ct_method *method, const char *module, const char *name, int flags,
                      PyCFunction replacement)
{
    PyObject *from = PyImport_ImportModule(module);
    PyObject *function = from != NULL ? PyObject_GetAttrString(from, name) : NULL;
    PyErr_Clear();
    bool is_hooked = ct_method_hook(method, ct_function_entry(function, flags), replacement);
    Py_XDECREF(function);
    Py_XDECREF(from);
    return is_hooked;
}

void ct_method_unhook(ct_method *method)
{
    if (method->entry != NULL && method->entry->ml_meth == method->replacement)
        method->entry->ml_meth = method->original;
    method->entry = NULL;
}
