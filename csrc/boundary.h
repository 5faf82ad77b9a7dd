/* Between two units anything may happen: Python code may run, the program may wait for the writer,
 * the session may end. Within a unit nothing may. */
#ifndef CT_BOUNDARY_H
#define CT_BOUNDARY_H

#include "gate.h"
#include "mirror.h"
#include "tracer.h"

/* What a callback returns for an event that can be disabled; None is immortal. */
static inline PyObject *ct_go_result(enum ct_go go)
{
    if (ct_likely(go <= CT_GO_AWAY))
        return Py_None;
    return go == CT_GO_SHUT ? ct_gate_answer() : NULL;
}

/* The same for an event that cannot be disabled. */
static inline PyObject *ct_go_result_always(enum ct_go go)
{
    return go == CT_GO_RAISE ? NULL : Py_None;
}

/* Stop recording and let Python apply the error policy. */
enum ct_go ct_fail(const char *code);

/* Python that we called has raised the exception that is set: Python tells ours from one of the
 * program, such as a signal handler's, which goes on to the program. */
enum ct_go ct_contain(void);
/* The unit about `frame` that was being written is given up: it has met names inside values that a
 * filter has to decide about, or objects that are asked for a text, and other code runs.  CT_GO_ON:
 * write it again. */
enum ct_go ct_give_up_unit(ct_thread *t, ct_shadow *frame, int round);

/* A round of writing a unit again is over, with this result. */
void ct_round_ends(enum ct_go go);

/* The same for the unit with which the innermost frame begins; it is taken off the stack. */
enum ct_go ct_give_up_entry(ct_thread *t, int round);

enum ct_go ct_boundary_slow(void);
/* Seal the live chunk, however full it is. */
enum ct_go ct_boundary_seal(void);
/* The same for the writer, when the program is idle: nothing is done unless chunk number `sequence`
 * says anything new and a slot is free. */
void ct_boundary_seal_idle(uint64_t sequence);
enum ct_go ct_announce(ct_thread *t);
void ct_put_switch(ct_thread *t);

/* Before each unit: a chunk with room, and the right thread. */
static inline enum ct_go ct_boundary(ct_thread *t)
{
    if (ct_unlikely(ct_mirror_count != 0)) {
        enum ct_go go = ct_mirror_look();
        if (go != CT_GO_ON)
            return go;
    }
    if (ct_likely(t == ct_session.current && !ct_chunk_is_full()))
        return CT_GO_ON;
    if (t != ct_session.current && !t->announced) {
        enum ct_go go = ct_announce(t);
        if (go != CT_GO_ON)
            return go;
    }
    if (ct_chunk_is_full()) {
        enum ct_go go = ct_boundary_slow();
        if (go != CT_GO_ON)
            return go;
    }
    if (t != ct_session.current) {
        ct_session.current = t;
        ct_put_switch(t);
    }
    return CT_GO_ON;
}

#endif
