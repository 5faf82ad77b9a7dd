/* The methods through which the program reaches its standard streams, and what is recorded of a
 * call: always after the original has done its work, and only if it could. */
#include "capture.h"

#include "ct.h"
#include "inject.h"
#include "logging.h"
#include "mirror.h"
#include "secrets.h"

/* How FileIO.write takes its argument. */
#if CT_HAS_MONITORING
#define FILE_WRITE (METH_METHOD | METH_FASTCALL | METH_KEYWORDS)
#else
#define FILE_WRITE METH_O
#endif

ct_method ct_hooks[CT_HOOKS];
static PyMethodDef *file_descriptor; /* FileIO.fileno */

static bool is_recorded(int stream)
{
    return stream != CT_NO_STREAM && (ct_output_streams & 1 << stream) != 0;
}

int ct_captured_stream(PyObject *object, enum ct_layer layer)
{
    int stream = ct_output_wanted() ? ct_stream_of(object, layer) : CT_NO_STREAM;
    return is_recorded(stream) ? stream : CT_NO_STREAM;
}

/* The same for a descriptor. */
static int stream_of_descriptor(long number)
{
    int stream = number == 1 ? CTJ_STDOUT : number == 2 ? CTJ_STDERR : CT_NO_STREAM;
    return is_recorded(stream) ? stream : CT_NO_STREAM;
}

static PyObject *pass(enum ct_hooked which, PyObject *self, PyObject *argument)
{
    uintptr_t before = ct_guard_enter();
    PyObject *result = ct_hooks[which].original(self, argument);
    ct_guard_leave(before);
    return result;
}

static PyObject *put(int stream, PyObject *content, PyObject *result)
{
    return result != NULL ? ct_output_put((uint8_t)stream, content, result) : NULL;
}

static PyObject *text_write(PyObject *self, PyObject *text)
{
    int stream = ct_captured_stream(self, CT_LAYER_TEXT);
    if (stream == CT_NO_STREAM)
        return ct_hooks[CT_TEXT_WRITE].original(self, text);
    return put(stream, text, pass(CT_TEXT_WRITE, self, text));
}

static PyObject *writer_write(PyObject *self, PyObject *bytes)
{
    int stream = ct_captured_stream(self, CT_LAYER_BUFFER);
    if (stream == CT_NO_STREAM)
        return ct_hooks[CT_WRITER_WRITE].original(self, bytes);
    return put(stream, bytes, pass(CT_WRITER_WRITE, self, bytes));
}

static PyObject *flush(enum ct_hooked which, enum ct_layer layer, PyObject *self, PyObject *nothing)
{
    int stream = ct_captured_stream(self, layer);
    if (stream == CT_NO_STREAM)
        return ct_hooks[which].original(self, nothing);
    PyObject *result = pass(which, self, nothing);
    return result != NULL ? ct_output_flushed((uint8_t)stream, result) : NULL;
}

static PyObject *text_flush(PyObject *self, PyObject *nothing)
{
    return flush(CT_TEXT_FLUSH, CT_LAYER_TEXT, self, nothing);
}

static PyObject *writer_flush(PyObject *self, PyObject *nothing)
{
    return flush(CT_WRITER_FLUSH, CT_LAYER_BUFFER, self, nothing);
}

/* Hands what is pending to the buffer. */
static PyObject *text_tell(PyObject *self, PyObject *nothing)
{
    return pass(CT_TEXT_TELL, self, nothing);
}

/* Whether the bytes are what a buffer has gathered: a view of memory that no object owns. */
static bool is_of_buffer(PyObject *bytes)
{
    return PyMemoryView_Check(bytes) && PyMemoryView_GET_BASE(bytes) == NULL;
}

/* A write to a descriptor. */
struct target {
    int stream; /* that it is recorded for, CT_NO_STREAM when it is not */
    int mirror; /* that has to be told of it, CT_NO_MIRROR when there is none */
    uint64_t began;
};

static void begin_write(struct target *target, long number, bool is_recorded_above)
{
    target->stream =
        ct_output_wanted() && !is_recorded_above ? stream_of_descriptor(number) : CT_NO_STREAM;
    target->mirror = CT_NO_MIRROR;
    if (ct_likely(ct_mirror_count == 0) || !ct_guard_is_main())
        return;
    if (is_recorded_above || target->stream != CT_NO_STREAM || !ct_output_is_of_program())
        target->mirror = ct_mirror_of_descriptor((int)number);
    if (target->mirror != CT_NO_MIRROR)
        target->began = ct_mirror_write_begins(target->mirror);
}

/* The original has given `result`. */
static PyObject *end_write(const struct target *target, PyObject *bytes, PyObject *result)
{
    if (target->mirror != CT_NO_MIRROR) {
        ct_output_account(target->mirror, target->began, bytes, result);
        if (!ct_output_is_readable(bytes))
            return result; /* the mirror has the bytes */
    }
    return target->stream == CT_NO_STREAM ? result : put(target->stream, bytes, result);
}

/* Files on the descriptors of the standard streams, whoever has opened them.  What comes through
 * the buffer of a stream was recorded when it was written there. */
static void begin_file_write(struct target *target, PyObject *file, PyObject *bytes)
{
    *target = (struct target){.stream = CT_NO_STREAM, .mirror = CT_NO_MIRROR};
    bool is_above = is_of_buffer(bytes) && ct_stream_of(file, CT_LAYER_RAW) != CT_NO_STREAM;
    if (ct_mirror_count == 0 && (is_above || !ct_output_wanted()))
        return;
    PyObject *number = file_descriptor->ml_meth(file, NULL);
    if (number != NULL)
        begin_write(target, PyLong_AsLong(number), is_above);
    PyErr_Clear(); /* it is closed */
    Py_XDECREF(number);
}

#if CT_HAS_MONITORING
static PyObject *file_write(PyObject *self, PyTypeObject *type, PyObject *const *arguments,
                            Py_ssize_t count, PyObject *names)
{
    PyCMethod original = CT_AS(PyCMethod, ct_hooks[CT_FILE_WRITE].original);
    if (count != 1)
        return original(self, type, arguments, (size_t)count, names);
    struct target target;
    begin_file_write(&target, self, arguments[0]);
    PyObject *result = original(self, type, arguments, (size_t)count, names);
    return end_write(&target, arguments[0], result);
}
#else /* CPython 3.11 hands the argument over alone */
static PyObject *file_write(PyObject *self, PyObject *bytes)
{
    struct target target;
    begin_file_write(&target, self, bytes);
    return end_write(&target, bytes, ct_hooks[CT_FILE_WRITE].original(self, bytes));
}
#endif

static PyObject *os_write(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    _PyCFunctionFast original = CT_AS(_PyCFunctionFast, ct_hooks[CT_OS_WRITE].original);
    if (count != 2 || !PyLong_CheckExact(arguments[0]))
        return original(self, arguments, count);
    struct target target;
    begin_write(&target, PyLong_AsLong(arguments[0]), false);
    PyErr_Clear(); /* no descriptor has such a number */
    PyObject *result = original(self, arguments, count);
    return end_write(&target, arguments[1], result);
}

/* ---- hooking
 * ------------------------------------------------------------------------------------------------
 */

PyObject *ct_builtin(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *function = module != NULL ? PyObject_GetAttrString(module, name) : NULL;
    PyErr_Clear();
    Py_XDECREF(module);
    return function;
}

int ct_hook(enum ct_hooked which, const char *name, PyMethodDef *entry, PyCFunction replacement,
            PyObject *missing)
{
    if (ct_method_hook(&ct_hooks[which], entry, replacement))
        return 0;
    PyObject *text = PyUnicode_FromString(name);
    int status = text != NULL ? PyList_Append(missing, text) : -1;
    Py_XDECREF(text);
    return status;
}

static int hook_output(PyObject *missing)
{
    PyObject *write = ct_builtin("posix", "write");
    file_descriptor = ct_method_entry(ct_io_types.file, "fileno", METH_NOARGS);
    int status =
        CT_HOOK(CT_TEXT_WRITE, text, "write", METH_O, text_write) +
        CT_HOOK(CT_TEXT_FLUSH, text, "flush", METH_NOARGS, text_flush) +
        CT_HOOK(CT_TEXT_TELL, text, "tell", METH_NOARGS, text_tell) +
        CT_HOOK(CT_WRITER_WRITE, writer, "write", METH_O, writer_write) +
        CT_HOOK(CT_WRITER_FLUSH, writer, "flush", METH_NOARGS, writer_flush) +
        ct_hook(CT_FILE_WRITE, "file.write",
                file_descriptor != NULL ? ct_method_entry(ct_io_types.file, "write", FILE_WRITE)
                                        : NULL,
                CT_AS(PyCFunction, file_write), missing) +
        ct_hook(CT_OS_WRITE, "os.write", ct_function_entry(write, METH_FASTCALL),
                CT_AS(PyCFunction, os_write), missing);
    Py_XDECREF(write);
    return status < 0 ? -1 : 0;
}

int ct_capture_open(int streams, int hide_secrets, int logging, uintptr_t missing, uintptr_t errors)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    int status = ct_injected("capture") ? (PyErr_NoMemory(), -1) : ct_streams_open();
    if (status == 0 && streams != 0)
        status = hook_output((PyObject *)missing);
    if (status == 0 && (streams & 1 << CTJ_STDIN) != 0)
        status = ct_capture_input((PyObject *)missing);
    if (status == 0)
        ct_output_streams = (uint8_t)streams;
    ct_secrets_in_output = hide_secrets != 0;
    ct_logging_wanted = status == 0 && logging != 0;
    PyObject *error = PyErr_GetRaisedException();
    if (error != NULL)
        PyList_Append((PyObject *)errors, error);
    Py_XDECREF(error);
    PyGILState_Release(gil);
    if (status < 0)
        ct_capture_close();
    return status;
}

void ct_capture_close(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    ct_output_streams = 0;
    for (int i = 0; i < CT_HOOKS; i++)
        ct_method_unhook(&ct_hooks[i]);
    ct_capture_input_close();
    ct_streams_close();
    ct_logging_close();
    ct_secrets_in_output = false;
    PyGILState_Release(gil);
}
