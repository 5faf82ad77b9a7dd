/* What the parts that hook methods of `io` and `os` share. */
#ifndef CT_CAPTURE_H
#define CT_CAPTURE_H

#include "methods.h"
#include "output.h"
#include "streams.h"

enum ct_hooked {
    CT_TEXT_WRITE,
    CT_TEXT_FLUSH,
    CT_TEXT_TELL,
    CT_WRITER_WRITE,
    CT_WRITER_FLUSH,
    CT_FILE_WRITE,
    CT_OS_WRITE,
    CT_TEXT_READ,
    CT_TEXT_READLINE,
    CT_READER_READ,
    CT_READER_READ1,
    CT_READER_READLINE,
    CT_READER_READINTO,
    CT_OS_READ,
    CT_INPUT,
    CT_HOOKS,
};
extern ct_method ct_hooks[CT_HOOKS];

/* The stream that an object is, if this call of one of its methods is to be recorded. */
int ct_captured_stream(PyObject *object, enum ct_layer layer);

/* A function of a builtin module, new; NULL without an exception. */
PyObject *ct_builtin(const char *module, const char *name);

/* Hook one method; its name is appended to the list `missing` when it is not as expected.  -1: an
 * exception is set. */
int ct_hook(enum ct_hooked which, const char *name, PyMethodDef *entry, PyCFunction replacement,
            PyObject *missing);

#define CT_HOOK(which, type, name, flags, function)                                                \
    ct_hook(which, #type "." name, ct_method_entry(ct_io_types.type, name, flags),                 \
            CT_AS(PyCFunction, function), missing)

/* Hook what reads standard input; -1: an exception is set. */
int ct_capture_input(PyObject *missing);
/* Put back what is not in `ct_hooks`. */
void ct_capture_input_close(void);

#endif
