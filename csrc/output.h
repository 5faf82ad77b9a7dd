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
 * returned says. */
PyObject *ct_output_put(uint8_t stream, PyObject *content, PyObject *result);

/* The stream was flushed. */
PyObject *ct_output_flushed(uint8_t stream, PyObject *result);

#endif
