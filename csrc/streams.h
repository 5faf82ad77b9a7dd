/* Which objects are the program's standard streams. */
#ifndef CT_STREAMS_H
#define CT_STREAMS_H

#include "compat.h"
#include "journal_format.h"

/* The types of `io`, owned from the first session on; NULL where the module lacks one. */
extern struct ct_io_types {
    PyTypeObject *text, *writer, *reader, *random, *file;
} ct_io_types;

enum ct_layer { CT_LAYER_TEXT, CT_LAYER_BUFFER, CT_LAYER_RAW };

#define CT_NO_STREAM (-1)

/* Learn the streams of a session that is beginning: those of `sys`, and the buffers below them.
 * The GIL is held; -1: an exception is set. */
int ct_streams_open(void);
void ct_streams_close(void);

/* What stream (enum ctj_stream) an object is, CT_NO_STREAM when it is none.  Streams are those of
 * `sys` when the session began and those that it has now, if they are text over a file: what is
 * kept in memory, or handed to code of the program, is no output yet. */
int ct_stream_of(PyObject *object, enum ct_layer layer);

#endif
