/* Units of output to records of events: each is a line, or what there was of one when the stream
 * was flushed, 5 ms had passed, another stream was written to, or the program went on. */
#ifndef CT_EXPAND_OUTPUT_H
#define CT_EXPAND_OUTPUT_H

#include "expand_stack.h"

#define CT_EVENTS_PER_CHUNK 64

struct ct_expander;

struct ct_output {
    struct ct_buf line;   /* what is gathered */
    uint8_t stream;       /* of it */
    bool bytes;           /* it was written as bytes, not as text */
    bool mirror;          /* it was seen on its way to the descriptor */
    bool after_call;      /* the last step was made for the output to come */
    struct ct_span extra; /* further members of the metadata */
    struct ct_span rest;  /* of the unit: lines that are not looked at yet */
    uint8_t what;         /* the first byte of that unit */
    struct ct_buf records;
    struct ct_buf metadata;
    struct ct_buf content;
    uint32_t chunk_events;
};

void ct_output_free(struct ct_output *output);

/* A unit of output begins. */
void ct_output_unit(struct ct_expander *e, uint8_t what, struct ct_span bytes);
/* Whether lines of the last unit are left. */
static inline bool ct_output_goes_on(const struct ct_output *output)
{
    return output->rest.length != 0;
}
/* Look at the next of them; it gives one event at most. */
void ct_output_line(struct ct_expander *e);
/* Something else happens: what is gathered is an event. */
void ct_output_break(struct ct_expander *e);

/* Keep a name, as it stands in JSON, for the metadata of events. */
void ct_output_name(struct ct_buf *out, struct ct_span text);

#endif
