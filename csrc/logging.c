/* The record is looked at when `Logger.callHandlers` returns: a handler that has formatted it has
 * left the message in it, and no method of the program has to be called for that.  Messages that
 * nobody has formatted are formatted here if their arguments are plain. */
#include "logging.h"

#include "frame.h"
#include "instance.h"
#include "output.h"

#define RECORD       1 /* the variable that has the record: callHandlers(self, record) */
#define ARGUMENTS    2
#define LOCAL_RETURN 4L /* PY_RETURN of sys.monitoring.events, as set_local_events() takes it */

bool ct_logging_wanted;
PyObject *ct_logging_code;

static bool ends_with(PyObject *text, const char *end)
{
    PyObject *tail = PyUnicode_FromString(end);
    bool answer = tail != NULL && PyUnicode_Tailmatch(text, tail, 0, PY_SSIZE_T_MAX, 1) == 1;
    Py_XDECREF(tail);
    PyErr_Clear();
    return answer;
}

static bool set_events(PyObject *code, long events)
{
    PyObject *number = PyLong_FromLong(events);
    bool done = number != NULL && ct_set_local_events(code, number);
    if (!done)
        PyErr_Clear();
    Py_XDECREF(number);
    return done;
}

void ct_logging_see(PyCodeObject *code)
{
    if (!ct_logging_wanted || ct_logging_code != NULL || code->co_argcount != ARGUMENTS ||
        PyUnicode_CompareWithASCIIString(code->co_qualname, "Logger.callHandlers") != 0 ||
        !ends_with(code->co_filename, "/logging/__init__.py"))
        return;
    if (set_events((PyObject *)code, LOCAL_RETURN))
        ct_logging_code = Py_NewRef(code);
}

void ct_logging_close(void)
{
    ct_logging_wanted = false;
    if (ct_logging_code != NULL)
        set_events(ct_logging_code, 0);
    Py_CLEAR(ct_logging_code);
}

/* What is told of a record; borrowed. */
struct record {
    PyObject *name, *levelname, *msg, *args, *message;
};

static void read_record(PyObject *object, struct record *record)
{
    static const char *const names[] = {"name", "levelname", "msg", "args", "message"};
    PyObject **values[] = {&record->name, &record->levelname, &record->msg, &record->args,
                           &record->message};
    ct_type *type = ct_type_of(Py_TYPE(object));
    ct_fields fields;
    PyObject *name, *value;
    if (type == NULL || ct_instances_are_unknown)
        return;
    for (ct_fields_open(&fields, object, type); ct_fields_next(&fields, &name, &value);)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0)
                *values[i] = value;
}

/* Whether formatting it calls nothing of the program. */
static bool is_plain(PyObject *value)
{
    return value == Py_None || PyUnicode_CheckExact(value) || PyLong_CheckExact(value) ||
           PyFloat_CheckExact(value) || PyBool_Check(value) || PyBytes_CheckExact(value);
}

static bool are_plain(PyObject *args)
{
    if (PyTuple_CheckExact(args)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
            if (!is_plain(PyTuple_GET_ITEM(args, i)))
                return false;
        return true;
    }
    if (!PyDict_CheckExact(args))
        return false;
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (PyDict_Next(args, &at, &key, &value))
        if (!PyUnicode_CheckExact(key) || !is_plain(value))
            return false;
    return true;
}

static bool is_empty(PyObject *args)
{
    return args == NULL || args == Py_None ||
           (PyTuple_CheckExact(args) && PyTuple_GET_SIZE(args) == 0);
}

/* The message, new; its pattern where it cannot be formatted.  NULL without an exception. */
static PyObject *message_of(const struct record *record)
{
    if (record->message != NULL && PyUnicode_CheckExact(record->message))
        return Py_NewRef(record->message);
    PyObject *pattern = record->msg;
    if (pattern == NULL || !PyUnicode_CheckExact(pattern))
        return PyUnicode_FromFormat("<%s>", pattern != NULL ? Py_TYPE(pattern)->tp_name : "");
    if (is_empty(record->args) || !are_plain(record->args))
        return Py_NewRef(pattern);
    PyObject *text = PyUnicode_Format(pattern, record->args);
    if (text == NULL) {
        PyErr_Clear();
        text = Py_NewRef(pattern);
    }
    return text;
}

static PyObject *text_or_empty(PyObject *value)
{
    return value != NULL && PyUnicode_CheckExact(value) ? Py_NewRef(value)
                                                        : PyUnicode_FromString("");
}

/* The record that the innermost frame has, new; NULL when it has none. */
static PyObject *record_of_frame(void)
{
    ct_iframe *iframe = ct_current_frame(ct_thread_state());
    if (!ct_frame_is_public)
        return Py_XNewRef(ct_frame_slot(iframe, RECORD));
    PyFrameObject *frame = PyEval_GetFrame();
    return frame != NULL ? ct_frame_variable_public(frame, (PyCodeObject *)ct_logging_code, RECORD)
                         : NULL;
}

enum ct_go ct_logging_handled(void)
{
    PyObject *object = record_of_frame();
    if (object == NULL)
        return CT_GO_AWAY;
    struct record record = {0};
    read_record(object, &record);
    PyObject *level = text_or_empty(record.levelname), *logger = text_or_empty(record.name);
    PyObject *message = message_of(&record);
    Py_DECREF(object);
    PyObject *text = NULL;
    if (level != NULL && logger != NULL && message != NULL)
        text = PyUnicode_FromFormat("%U%c%U%c%U", level, 1, logger, 1, message);
    Py_XDECREF(level);
    Py_XDECREF(logger);
    Py_XDECREF(message);
    PyErr_Clear();
    enum ct_go go = text != NULL ? ct_output_logged(text) : CT_GO_AWAY;
    Py_XDECREF(text);
    return go;
}
