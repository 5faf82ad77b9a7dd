/* The main module runs below no frame of ours and with the whole recursion limit: tracebacks,
 * sys._getframe, the stack levels of warnings and the depth at which RecursionError strikes are
 * those of `python`.
 *
 * The entry points are called through cffi, without the GIL, and take it. */
#include "compat.h"

#include <stdio.h>

#include "program.h"

/* What the thread state held before the frames below were hidden. */
struct hidden {
    PyThreadState *thread;
    ct_iframe *frame;
    int depth;
    int c_remaining; /* what the interpreter counts apart for C, where it does */
};

static struct hidden hide_frames(void)
{
    PyThreadState *thread = PyThreadState_Get();
    struct hidden saved = {
        .thread = thread,
        .frame = ct_current_frame(thread),
        .depth = CT_RECURSION(thread, limit) - CT_RECURSION(thread, remaining),
        .c_remaining = ct_exchange_c_recursion(thread, CT_C_RECURSION_LIMIT),
    };
    ct_set_current_frame(thread, NULL);
    CT_RECURSION(thread, remaining) = CT_RECURSION(thread, limit);
    return saved;
}

/* The program may have changed the recursion limit, so the depth is what comes back. */
static void show_frames(const struct hidden *saved)
{
    ct_set_current_frame(saved->thread, saved->frame);
    CT_RECURSION(saved->thread, remaining) = CT_RECURSION(saved->thread, limit) - saved->depth;
    ct_exchange_c_recursion(saved->thread, saved->c_remaining);
}

static void flush_stream(const char *name)
{
    PyObject *stream = PySys_GetObject(name);
    if (stream == NULL)
        return;
    Py_INCREF(stream);
    PyObject *result = PyObject_CallMethod(stream, "flush", NULL);
    if (result == NULL)
        PyErr_Clear();
    Py_XDECREF(result);
    Py_DECREF(stream);
}

/* Whether the interpreter goes on when the main module calls sys.exit, as for -i. */
static int goes_on(void)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *flags = PySys_GetObject("flags");
    PyObject *inspect = flags == NULL ? NULL : PyObject_GetAttrString(flags, "inspect");
    int result = inspect != NULL && PyObject_IsTrue(inspect) == 1;
    Py_XDECREF(inspect);
    PyErr_SetRaisedException(raised);
    return result;
}

/* Returns how the main module ended, with no exception set.  Steals `result`, which is NULL when
 * an exception is set.  A SystemExit is appended to the list `outcome`: the interpreter ends the
 * process by it later, or shows it where it goes on. */
static int conclude(PyObject *result, PyObject *outcome)
{
    if (result != NULL) {
        Py_DECREF(result);
        return CT_PROGRAM_FINISHED;
    }
    if (PyErr_ExceptionMatches(PyExc_SystemExit) && !goes_on()) {
        PyObject *exit = PyErr_GetRaisedException();
        if (PyList_Append(outcome, exit) < 0)
            PyErr_Clear();
        Py_DECREF(exit);
        return CT_PROGRAM_EXITED;
    }
    int end = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) ? CT_PROGRAM_INTERRUPTED
                                                              : CT_PROGRAM_FAILED;
    PyErr_Print();
    return end;
}

/* Runs the source text in `file`, which tracebacks call `name`, in the namespace `dict`.  Returns a
 * new reference, or NULL with an exception set, and closes `file` before the code runs. */
static PyObject *run_source(FILE *file, const char *name, PyObject *dict)
{
    PyObject *result = PyRun_FileExFlags(file, name, Py_file_input, dict, dict, 1, NULL);
    PyObject *raised = PyErr_GetRaisedException();
    flush_stream("stderr");
    flush_stream("stdout");
    PyErr_SetRaisedException(raised);
    return result;
}

/* Leaves out the first line of `file` but for its end, so that lines keep their numbers. */
static void skip_line(FILE *file)
{
    int c;
    while ((c = getc(file)) != EOF) {
        if (c == '\n') {
            ungetc(c, file);
            return;
        }
    }
}

/* Runs the source file `path`, in the encoding of the file system, in the namespace `globals`,
 * without its first line when `headless` is 1. */
int ct_program_file(const char *path, int headless, uintptr_t globals, uintptr_t outcome)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    struct hidden saved = hide_frames();
    FILE *file = fopen(path, "rb");
    PyObject *result = NULL;
    if (file == NULL)
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
    else {
        if (headless)
            skip_line(file);
        result = run_source(file, path, (PyObject *)globals);
    }
    int end = conclude(result, (PyObject *)outcome);
    show_frames(&saved);
    PyGILState_Release(gil);
    return end;
}

/* Runs the source text that stood on standard input, in the namespace `globals`.  The file that
 * `descriptor` holds is closed before the program runs. */
int ct_program_stream(int descriptor, uintptr_t globals, uintptr_t outcome)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    struct hidden saved = hide_frames();
    FILE *file = fdopen(descriptor, "rb");
    PyObject *result = NULL;
    if (file == NULL)
        PyErr_SetFromErrno(PyExc_OSError);
    else
        result = run_source(file, "<stdin>", (PyObject *)globals);
    int end = conclude(result, (PyObject *)outcome);
    show_frames(&saved);
    PyGILState_Release(gil);
    return end;
}

/* Calls what runs the main module: runpy for a module, exec for compiled code. */
int ct_program_call(uintptr_t callable, uintptr_t args, uintptr_t outcome)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    struct hidden saved = hide_frames();
    int end =
        conclude(PyObject_CallObject((PyObject *)callable, (PyObject *)args), (PyObject *)outcome);
    show_frames(&saved);
    PyGILState_Release(gil);
    return end;
}

/* Lets sys.exit end the process from now on, although PYTHONINSPECT is set: no interactive session
 * follows. */
void ct_program_forget_inspect(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    ((PyConfig *)_Py_GetConfig())->inspect = 0;
    PyGILState_Release(gil);
}
