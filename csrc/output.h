/* What the program writes to its standard streams and reads from them, as OUTPUT units. */
#ifndef CT_OUTPUT_H
#define CT_OUTPUT_H

#include "guard.h"
#include "tracer.h"

/* A bit for each enum ctj_stream that is recorded. */
extern uint8_t ct_output_streams;

/* How often the calling thread has recorded what it has read. */
extern _Thread_local uint64_t ct_output_reads;

/* Whether a call of a hooked method is to be recorded for its own sake. */
static inline bool ct_output_wanted(void)
{
    return ct_output_streams != 0 && ct_session.active && ct_guard_is_open();
}

/* Record a str, or an object with bytes, that was written to a stream or read from it.  Takes what
 * the original has returned, and gives it back; NULL with an exception of the error policy, or of
 * the program's signal handlers, that is set.  Of bytes as many are recorded as an int that was
 * returned says, and that number alone where the object is not readable. */
PyObject *ct_output_put(uint8_t stream, PyObject *content, PyObject *result);

/* Whether the bytes of an object that was written can be had without running the program's code. */
bool ct_output_is_readable(PyObject *content);

/* Record what a logger was given: level, logger and message, separated by CTJ_LOG_SEPARATOR. */
enum ct_go ct_output_logged(PyObject *text);

/* Whether a write is the program's own: not the recorder's, nor part of one that was recorded. */
bool ct_output_is_of_program(void);

/* Tell a mirror (mirror.h) of bytes that were written, as far as the original has; `began` is what
 * ct_mirror_write_begins() has returned. */
void ct_output_account(int mirror, uint64_t began, PyObject *bytes, PyObject *result);

/* Whether there is a thread to which output can be given that nobody knows the writer of. */
bool ct_output_can_be_mirrored(void);

/* Record bytes that others have written to a stream, for the thread that has made the last record.
 */
enum ct_go ct_output_mirrored(uint8_t stream, const uint8_t *bytes, size_t length);

/* The stream was flushed. */
PyObject *ct_output_flushed(uint8_t stream, PyObject *result);

#endif
