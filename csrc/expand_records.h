/* Writing the records of steps and of values. */
#ifndef CT_EXPAND_RECORDS_H
#define CT_EXPAND_RECORDS_H

#include "expand_units.h"

/* Tags of the records of steps. */
enum {
    CT_STEP_ABSOLUTE = 0,
    CT_STEP_DELTA = 1,
    CT_STEP_RAISE = 2,
    CT_STEP_CATCH = 3,
    CT_STEP_SWITCH = 4,
    CT_STEP_START = 5,
    CT_STEP_EXIT = 6
};

/* A step at a line, with the values of the frame, which may be NULL. */
void ct_record_step(struct ct_expander *e, uint32_t path, uint32_t line,
                    const struct ct_frame *frame);
/* A record of steps that has no position begins. */
void ct_record_mark(struct ct_expander *e, uint8_t tag, uint64_t number);
/* The record of values of one step; `frame` may be NULL. */
void ct_record_values(struct ct_expander *e, const struct ct_frame *frame);
/* A record of steps and one of values are complete. */
void ct_record_end(struct ct_expander *e);

#endif
