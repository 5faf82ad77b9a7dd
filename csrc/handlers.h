/* Where a code object catches exceptions: a table made from its instructions. */
#ifndef CT_HANDLERS_H
#define CT_HANDLERS_H

#include "compat.h"

enum ct_handler_mark {
    CT_DECIDES = 1,  /* a branch that tells whether the exception is caught here */
    CT_BODY = 2,     /* what runs when it is: the body of an `except`, the end of a `with` */
    CT_LOOP_END = 4, /* StopIteration or StopAsyncIteration ends a loop or an await here */
};

typedef struct {
    int32_t offset; /* of the instruction, in bytes, as sys.monitoring gives it */
    int32_t line;   /* CT_BODY: of the step with which the body begins, 0 when there is none because
                       what decides is on the same line */
    uint8_t mark;
} ct_handler;

typedef struct {
    int count;
    bool decides;      /* there is a CT_DECIDES */
    bool told_by_line; /* there is a body that no CT_DECIDES leads to: its first step tells */
    ct_handler of[];
} ct_handlers;

/* The table of a code object, owned by the caller (free); NULL without memory, no exception is
 * left. */
ct_handlers *ct_handlers_of(PyCodeObject *code);

/* Where an exception goes that is raised at an instruction, both in bytes; CT_NO_HANDLER when it
 * leaves the frame. */
#define CT_NO_HANDLER (-1)
int ct_handler_of(PyCodeObject *code, int offset);

/* What the table says of an instruction, NULL when that is nothing. */
static inline const ct_handler *ct_handler_at(const ct_handlers *handlers, int offset)
{
    for (int i = 0; i < handlers->count; i++)
        if (handlers->of[i].offset == offset)
            return &handlers->of[i];
    return NULL;
}

/* True when a step on this line can be the first of a body. */
static inline bool ct_handlers_have_body_on(const ct_handlers *handlers, int32_t line)
{
    for (int i = 0; i < handlers->count; i++)
        if (handlers->of[i].mark == CT_BODY && handlers->of[i].line == line)
            return true;
    return false;
}

#endif
