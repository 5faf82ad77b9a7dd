/* Units of output.  They follow the unit of the step that runs in the innermost frame of the
 * thread, and say by that which line has written. */
#include "output.h"

#include <time.h>

#include "boundary.h"
#include "frame.h"
#include "inject.h"
#include "secrets.h"
#include "stack.h"

#define PIECE    ((size_t)64 << 10) /* bytes of a unit */
#define PAUSE_NS 5000000ull

_Thread_local struct ct_guard ct_guard;
uint8_t ct_output_streams;
_Thread_local uint64_t ct_output_reads;

/* What was written to a stream since its last newline. */
static struct {
    uint64_t at_ns;
    bool is_open;
} lines[CTJ_STREAM];

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* The thread whose output it is; NULL when it is not to be recorded. */
static ct_thread *thread_of_output(void)
{
    PyThreadState *state = ct_thread_state();
    ct_thread *t = ct_session.active ? ct_thread_of(state) : NULL;
    if (t == NULL || t->ignored)
        return NULL;
    if (ct_gate_exists && ct_gate_is_shut(t, ct_current_frame(state)))
        return NULL;
    return t;
}

/* The thread whose line has most likely caused what somebody else has written.  That thread may be
 * busy with the end of the session by now, which records nothing else of it. */
static ct_thread *thread_of_mirror(void)
{
    ct_thread *t = ct_session.active ? ct_session.current : NULL;
    if (t == NULL || !t->announced)
        for (t = ct_session.active ? ct_session.threads : NULL; t != NULL && !t->announced;
             t = t->next)
            ;
    return t != NULL && (!ct_gate_exists || t->depth != 0) ? t : NULL;
}

/* What failures of a unit are asked for by. */
static inline const char *stage_of(uint8_t what)
{
    if (what == CTJ_LOG)
        return "log";
    if (what & CTJ_OUTPUT_MIRROR)
        return "mirror";
    return (what & CTJ_STREAM) == CTJ_STDIN ? "input" : "output";
}

static enum ct_go put_unit(ct_thread *t, uint8_t what, const uint8_t *bytes, size_t length)
{
    if (ct_injected(stage_of(what)))
        return ct_fail("ERR_TRACE_INCOMPLETE");
    enum ct_go go = ct_boundary(t);
    if (ct_unlikely(go != CT_GO_ON))
        return go;
    uint8_t *unit = ct_out.at, *p = unit + 1;
    *p++ = what;
    p = ct_put_uv(p, length);
    memcpy(p, bytes, length);
    ct_secrets_written(what & CTJ_STREAM, p, length);
    ct_commit(unit, p + length, CTJ_OUTPUT);
    return CT_GO_ON;
}

/* How many of the first bytes of a text make whole characters. */
static size_t whole(const uint8_t *bytes, size_t length)
{
    size_t end = length;
    while (end > length - 4 && (bytes[end] & 0xC0) == 0x80)
        end--;
    return end;
}

static enum ct_go put_pieces(uint8_t stream, uint8_t flags, const uint8_t *bytes, size_t length)
{
    uint8_t what = stream | flags;
    bool is_mirrored = flags & CTJ_OUTPUT_MIRROR;
    if (lines[stream].is_open && now_ns() - lines[stream].at_ns >= PAUSE_NS)
        what |= CTJ_OUTPUT_PAUSE;
    lines[stream].is_open = bytes[length - 1] != '\n' && stream != CTJ_STDIN;
    if (lines[stream].is_open)
        lines[stream].at_ns = now_ns();
    uint64_t session = ct_session.number;
    enum ct_go go = CT_GO_ON;
    while (length > PIECE && go == CT_GO_ON) {
        ct_thread *t = is_mirrored ? thread_of_mirror() : thread_of_output();
        if (t == NULL || ct_session.number != session)
            return CT_GO_AWAY;
        size_t piece = whole(bytes, PIECE);
        go = put_unit(t, what | CTJ_OUTPUT_GOES_ON, bytes, piece);
        what &= (uint8_t)~CTJ_OUTPUT_PAUSE;
        bytes += piece;
        length -= piece;
    }
    ct_thread *t = go != CT_GO_ON ? NULL : is_mirrored ? thread_of_mirror() : thread_of_output();
    if (t == NULL || ct_session.number != session)
        return go;
    return put_unit(t, what, bytes, length);
}

/* Secrets are replaced in the whole text: afterwards one may be in two pieces. */
static enum ct_go put_bytes(uint8_t stream, uint8_t flags, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = ct_secrets_hide(bytes, &length);
    enum ct_go go = put_pieces(stream, flags, copy != NULL ? copy : bytes, length);
    free(copy);
    return go;
}

/* The UTF-8 of a str; lone surrogates like any other code point.  False: an exception is set. */
static bool utf8_of(PyObject *text, const uint8_t **bytes, size_t *length, PyObject **keeper)
{
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        *bytes = PyUnicode_1BYTE_DATA(text);
        *length = (size_t)PyUnicode_GET_LENGTH(text);
        return true;
    }
    *keeper = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (*keeper == NULL)
        return false;
    *bytes = (const uint8_t *)PyBytes_AS_STRING(*keeper);
    *length = (size_t)PyBytes_GET_SIZE(*keeper);
    return true;
}

/* How many bytes the original has taken of `length`. */
static size_t taken(PyObject *result, size_t length)
{
    if (!PyLong_CheckExact(result))
        return length;
    size_t count = PyLong_AsSize_t(result);
    PyErr_Clear();
    return count < length ? count : length;
}

/* What a class has as slots whose __buffer__ and __release_buffer__ are written in Python. */
static PyBufferProcs python_slots;

static bool knows_python_slots(void)
{
    if (python_slots.bf_getbuffer != NULL)
        return true;
    PyObject *type = PyObject_CallFunction((PyObject *)&PyType_Type, "s(){sOsO}", "buffer",
                                           "__buffer__", Py_None, "__release_buffer__", Py_None);
    if (type != NULL)
        python_slots = *((PyTypeObject *)type)->tp_as_buffer;
    PyErr_Clear();
    Py_XDECREF(type);
    return type != NULL;
}

bool ct_output_is_readable(PyObject *content)
{
    if (PyBytes_CheckExact(content) || PyMemoryView_Check(content) ||
        PyByteArray_CheckExact(content))
        return true;
    const PyBufferProcs *slots = Py_TYPE(content)->tp_as_buffer;
    return slots != NULL && slots->bf_getbuffer != NULL && knows_python_slots() &&
           slots->bf_getbuffer != python_slots.bf_getbuffer &&
           slots->bf_releasebuffer != python_slots.bf_releasebuffer;
}

/* Of an object whose bytes only the program's code can give: how many were written. */
static enum ct_go put_size(uint8_t stream, PyObject *content, PyObject *result)
{
    const uint8_t *bytes;
    size_t length;
    PyObject *keeper = NULL, *text = NULL;
    if (PyLong_CheckExact(result))
        text = PyUnicode_FromFormat("<%S bytes of %s>", result, Py_TYPE(content)->tp_name);
    enum ct_go go = CT_GO_AWAY;
    if (text != NULL && utf8_of(text, &bytes, &length, &keeper))
        go = put_bytes(stream, CTJ_OUTPUT_BYTES, bytes, length);
    else
        PyErr_Clear();
    Py_XDECREF(keeper);
    Py_XDECREF(text);
    return go;
}

static enum ct_go put_object(uint8_t stream, PyObject *content, PyObject *result)
{
    const uint8_t *bytes;
    size_t length;
    enum ct_go go = CT_GO_ON;
    if (PyUnicode_Check(content)) {
        PyObject *keeper = NULL;
        if (!utf8_of(content, &bytes, &length, &keeper)) {
            PyErr_Clear();
            return CT_GO_AWAY;
        }
        if (length != 0)
            go = put_bytes(stream, 0, bytes, length);
        Py_XDECREF(keeper);
        return go;
    }
    if (!ct_output_is_readable(content))
        return put_size(stream, content, result);
    Py_buffer view;
    if (PyObject_GetBuffer(content, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return CT_GO_AWAY;
    }
    length = taken(result, (size_t)view.len);
    if (length != 0)
        go = put_bytes(stream, CTJ_OUTPUT_BYTES, view.buf, length);
    PyBuffer_Release(&view);
    return go;
}

static PyObject *give_back(PyObject *result, enum ct_go go)
{
    if (ct_likely(go != CT_GO_RAISE))
        return result;
    Py_DECREF(result);
    return NULL;
}

PyObject *ct_output_put(uint8_t stream, PyObject *content, PyObject *result)
{
    ct_output_reads += stream == CTJ_STDIN;
    if (thread_of_output() == NULL)
        return result;
    return give_back(result, put_object(stream, content, result));
}

bool ct_output_is_of_program(void)
{
    if (!ct_guard_is_open())
        return false;
    const ct_thread *t = ct_session.active ? ct_thread_of(ct_thread_state()) : NULL;
    return t == NULL || !t->ignored;
}

void ct_output_account(int mirror, uint64_t began, PyObject *bytes, PyObject *result)
{
    PyObject *error = PyErr_GetRaisedException();
    Py_buffer view;
    size_t length = 0;
    bool is_known = result != NULL && PyLong_CheckExact(result) && ct_output_is_readable(bytes) &&
                    PyObject_GetBuffer(bytes, &view, PyBUF_SIMPLE) == 0;
    if (is_known)
        length = taken(result, (size_t)view.len);
    ct_mirror_write_ends(mirror, began, is_known ? view.buf : NULL, length);
    if (is_known)
        PyBuffer_Release(&view);
    PyErr_SetRaisedException(error);
}

bool ct_output_can_be_mirrored(void)
{
    return thread_of_mirror() != NULL;
}

enum ct_go ct_output_mirrored(uint8_t stream, const uint8_t *bytes, size_t length)
{
    return put_bytes(stream, CTJ_OUTPUT_BYTES | CTJ_OUTPUT_MIRROR, bytes, length);
}

enum ct_go ct_output_logged(PyObject *text)
{
    const uint8_t *bytes;
    size_t length;
    PyObject *keeper = NULL;
    ct_thread *t = ct_guard.recorder == 0 ? thread_of_output() : NULL;
    if (t == NULL)
        return CT_GO_AWAY;
    if (!utf8_of(text, &bytes, &length, &keeper)) {
        PyErr_Clear();
        return CT_GO_AWAY;
    }
    uint8_t *copy = ct_secrets_hide(bytes, &length);
    bytes = copy != NULL ? copy : bytes;
    enum ct_go go = put_unit(t, CTJ_LOG, bytes, length > PIECE ? whole(bytes, PIECE) : length);
    free(copy);
    Py_XDECREF(keeper);
    return go;
}

PyObject *ct_output_flushed(uint8_t stream, PyObject *result)
{
    ct_thread *t = lines[stream].is_open ? thread_of_output() : NULL;
    if (t == NULL)
        return result;
    lines[stream].is_open = false;
    return give_back(result, put_unit(t, stream | CTJ_OUTPUT_FLUSH, (const uint8_t *)"", 0));
}
