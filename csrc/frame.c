#include "frame.h"
#include "recorder.h"

bool ct_frame_is_public;

PyObject *ct_frame_variable_public(PyFrameObject *frame, PyCodeObject *code, int i)
{
    PyObject *v = PyFrame_GetVar(frame, PyTuple_GET_ITEM(code->co_localsplusnames, i));
    if (v == NULL)
        PyErr_Clear();
    return v;
}

/* Called by the test program's frame; answers whether both readings agree for each of its
 * variables. */
static PyObject *probe(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    PyFrameObject *object = PyEval_GetFrame();
    ct_iframe *f = ct_current_frame(ct_thread_state());
    PyCodeObject *code = PyFrame_GetCode(object);
    const char *kinds = PyBytes_AS_STRING(code->co_localspluskinds);
    bool same = !ct_frame_is_shim(f) && ct_frame_code(f) == code &&
                ct_frame_line(f) == PyFrame_GetLineNumber(object);
    for (int i = 0; same && i < code->co_nlocalsplus; i++) {
        bool cell = kinds[i] & (CO_FAST_CELL | CO_FAST_FREE);
        PyObject *public = ct_frame_variable_public(object, code, i);
        same = ct_frame_variable(f, i, cell ? CT_SLOT_IS_CELL : 0) == public;
        Py_XDECREF(public);
    }
    Py_DECREF(code);
    return PyBool_FromLong(same);
}

static const char program[] = "def outer(a, b=2, *rest, c=3, **more):\n"
                              "    seen = []\n"
                              "    def inner(x):\n"
                              "        y = (a, x)\n"
                              "        seen.append(probe())\n"
                              "        return y\n"
                              "    inner(a)\n"
                              "    seen.append(probe())\n"
                              "    if not seen:\n"
                              "        unbound = 1\n"
                              "    def generate():\n"
                              "        local = b\n"
                              "        yield probe()\n"
                              "    seen.extend(generate())\n"
                              "    return seen\n"
                              "result = outer(object(), 5, 6, z=7) == [True, True, True]\n";

int ct_frame_self_test(void)
{
    static PyMethodDef method = {"probe", probe, METH_NOARGS, NULL};
    PyObject *globals = PyDict_New(), *function = PyCFunction_New(&method, NULL), *done = NULL;
    int status = -1;
    if (globals != NULL && function != NULL &&
        PyDict_SetItemString(globals, "probe", function) == 0)
        done = PyRun_String(program, Py_file_input, globals, globals);
    if (done != NULL) {
        ct_frame_is_public = PyDict_GetItemString(globals, "result") != Py_True;
        status = 0;
    }
    Py_XDECREF(done);
    Py_XDECREF(function);
    Py_XDECREF(globals);
    return status;
}

int ct_frame_is_direct(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    int status = ct_frame_self_test();
    if (status < 0)
        PyErr_Clear();
    PyGILState_Release(gil);
    return status < 0 ? status : !ct_frame_is_public;
}
