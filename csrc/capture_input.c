/* The methods through which the program reads its standard input.  What it has got is recorded, not
 * what the layers below have read ahead. */
#include "capture.h"

#include "ct.h"

static PyObject *read_with(enum ct_hooked which, enum ct_layer layer, PyObject *self,
                           PyObject *const *arguments, Py_ssize_t count)
{
    _PyCFunctionFast original = CT_AS(_PyCFunctionFast, ct_hooks[which].original);
    int stream = ct_captured_stream(self, layer);
    if (stream != CTJ_STDIN)
        return original(self, arguments, count);
    uintptr_t before = ct_guard_enter();
    PyObject *result = original(self, arguments, count);
    ct_guard_leave(before);
    return result != NULL ? ct_output_put(CTJ_STDIN, result, result) : NULL;
}

#define READER(function, which, layer)                                                             \
    static PyObject *function(PyObject *self, PyObject *const *arguments, Py_ssize_t count)        \
    {                                                                                              \
        return read_with(which, layer, self, arguments, count);                                    \
    }

READER(text_read, CT_TEXT_READ, CT_LAYER_TEXT)
READER(text_readline, CT_TEXT_READLINE, CT_LAYER_TEXT)
READER(reader_read, CT_READER_READ, CT_LAYER_BUFFER)
READER(reader_read1, CT_READER_READ1, CT_LAYER_BUFFER)
READER(reader_readline, CT_READER_READLINE, CT_LAYER_BUFFER)

static PyObject *reader_readinto(PyObject *self, PyObject *buffer)
{
    int stream = ct_captured_stream(self, CT_LAYER_BUFFER);
    if (stream != CTJ_STDIN)
        return ct_hooks[CT_READER_READINTO].original(self, buffer);
    uintptr_t before = ct_guard_enter();
    PyObject *result = ct_hooks[CT_READER_READINTO].original(self, buffer);
    ct_guard_leave(before);
    return result != NULL ? ct_output_put(CTJ_STDIN, buffer, result) : NULL;
}

static PyObject *os_read(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    _PyCFunctionFast original = CT_AS(_PyCFunctionFast, ct_hooks[CT_OS_READ].original);
    bool is_input = count == 2 && PyLong_CheckExact(arguments[0]) && ct_output_wanted() &&
                    (ct_output_streams & 1 << CTJ_STDIN) != 0 && PyLong_AsLong(arguments[0]) == 0;
    PyErr_Clear(); /* no descriptor has such a number */
    PyObject *result = original(self, arguments, count);
    return result != NULL && is_input ? ct_output_put(CTJ_STDIN, result, result) : result;
}

/* input() of a terminal writes the prompt and reads the line past the streams. */
static PyObject *builtin_input(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    _PyCFunctionFast original = CT_AS(_PyCFunctionFast, ct_hooks[CT_INPUT].original);
    bool is_wanted = ct_output_wanted();
    uint64_t reads = ct_output_reads;
    PyObject *line = original(self, arguments, count);
    if (line == NULL || !is_wanted || reads != ct_output_reads || !PyUnicode_CheckExact(line))
        return line;
    PyObject *prompt = count > 0 ? arguments[0] : NULL;
    if (prompt != NULL && PyUnicode_Check(prompt) && ct_output_streams & 1 << CTJ_STDOUT)
        line = ct_output_put(CTJ_STDOUT, prompt, line);
    if (line == NULL || !(ct_output_streams & 1 << CTJ_STDIN))
        return line;
    PyObject *whole = PyUnicode_FromFormat("%U\n", line);
    if (whole == NULL) {
        PyErr_Clear();
        return line;
    }
    line = ct_output_put(CTJ_STDIN, whole, line);
    Py_DECREF(whole);
    return line;
}

/* ---- iteration, which does not go through a method table
 * -----------------------------------------------------------------------------------------------
 */

static iternextfunc text_next_original, reader_next_original;

static PyObject *next_with(iternextfunc original, enum ct_layer layer, PyObject *self)
{
    if (ct_captured_stream(self, layer) != CTJ_STDIN)
        return original(self);
    uintptr_t before = ct_guard_enter();
    PyObject *line = original(self);
    ct_guard_leave(before);
    return line != NULL ? ct_output_put(CTJ_STDIN, line, line) : NULL;
}

static PyObject *text_next(PyObject *self)
{
    return next_with(text_next_original, CT_LAYER_TEXT, self);
}

static PyObject *reader_next(PyObject *self)
{
    return next_with(reader_next_original, CT_LAYER_BUFFER, self);
}

static void hook_next(PyTypeObject *type, iternextfunc *original, iternextfunc replacement)
{
    if (type == NULL || type->tp_iternext == NULL || type->tp_iternext == replacement)
        return;
    *original = type->tp_iternext;
    type->tp_iternext = replacement;
}

static void unhook_next(PyTypeObject *type, iternextfunc original, iternextfunc replacement)
{
    if (type != NULL && type->tp_iternext == replacement)
        type->tp_iternext = original;
}

int ct_capture_input(PyObject *missing)
{
    PyObject *read = ct_builtin("posix", "read");
    PyObject *input = ct_builtin("builtins", "input");
    int status = CT_HOOK(CT_TEXT_READ, text, "read", METH_FASTCALL, text_read) +
                 CT_HOOK(CT_TEXT_READLINE, text, "readline", METH_FASTCALL, text_readline) +
                 CT_HOOK(CT_READER_READ, reader, "read", METH_FASTCALL, reader_read) +
                 CT_HOOK(CT_READER_READ1, reader, "read1", METH_FASTCALL, reader_read1) +
                 CT_HOOK(CT_READER_READLINE, reader, "readline", METH_FASTCALL, reader_readline) +
                 CT_HOOK(CT_READER_READINTO, reader, "readinto", METH_O, reader_readinto) +
                 ct_hook(CT_OS_READ, "os.read", ct_function_entry(read, METH_FASTCALL),
                         CT_AS(PyCFunction, os_read), missing) +
                 ct_hook(CT_INPUT, "input", ct_function_entry(input, METH_FASTCALL),
                         CT_AS(PyCFunction, builtin_input), missing);
    Py_XDECREF(read);
    Py_XDECREF(input);
    hook_next(ct_io_types.text, &text_next_original, text_next);
    hook_next(ct_io_types.reader, &reader_next_original, reader_next);
    return status < 0 ? -1 : 0;
}

void ct_capture_input_close(void)
{
    unhook_next(ct_io_types.text, text_next_original, text_next);
    unhook_next(ct_io_types.reader, reader_next_original, reader_next);
}
