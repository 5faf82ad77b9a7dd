/* Places of code from which the next event of a line is reached without anything else running: what
 * a step shows after them differs in the variables that are assigned there, and in nothing else. */
#ifndef CT_QUIET_H
#define CT_QUIET_H

#include "delta.h"

#define CT_QUIET_PLACES 255 /* in a code object */
#define CT_QUIET_ENDS   4
#define CT_QUIET_NEEDS  6

/* What a variable must hold for a place to be quiet. */
enum ct_quiet_need {
    CT_NEEDS_ATOM,     /* a number, a text or the like, or nothing */
    CT_NEEDS_SEQUENCE, /* a list or tuple, and of no other class */
    CT_NEEDS_OWNER,    /* an atom, or what somebody else has, too: it gets another value */
};

/* A place, from the event of a line on. */
typedef struct {
    uint64_t assigned;            /* a bit for each variable that gets a value */
    uint16_t ends[CT_QUIET_ENDS]; /* the code units with the next event; 0: no more */
    bool iterates;                /* it takes an item of what must be a range */
    uint8_t count;
    struct {
        uint8_t variable;
        uint8_t what; /* enum ct_quiet_need */
    } needs[CT_QUIET_NEEDS];
} ct_quiet_place;

/* The places of a code object. */
typedef struct {
    uint8_t *numbers;        /* of the place that begins at a unit, 0: none does */
    uint8_t idle;            /* up to this number the places do nothing, such as `try:` */
    ct_quiet_place places[]; /* number 1 is the first */
} ct_quiet_places;

/* Find the places of a code object, owned by the caller (free); NULL when there are none, or
 * without memory; no exception is left. */
ct_quiet_places *ct_quiet_places_of(PyCodeObject *code);

/* True when the variables of a frame, which the slots remember, and its stack hold what the place
 * needs to be quiet. */
bool ct_quiet_holds(const ct_quiet_place *place, ct_iframe *frame, const ct_slot *slots);

/* True when a frame has come to the end of a place. */
static inline bool ct_quiet_has_ended(const ct_quiet_place *place, ct_iframe *frame)
{
    int at = ct_frame_unit(frame);
    for (int i = 0; i < CT_QUIET_ENDS; i++)
        if (place->ends[i] == at)
            return at != 0;
    return false;
}

#endif
