/* Items of arrays as they lie in memory: of memory views, arrays and numbers of numpy. */
#ifndef CT_ARRAY_ITEMS_H
#define CT_ARRAY_ITEMS_H

#include "value.h"

/* How to read one item. */
typedef struct {
    const char *name; /* of the dtype or the format */
    char kind;       /* i, u, f, c, b, S, U, O, M, m, V as numpy calls them; 0: it cannot be read */
    int size;        /* bytes */
    bool is_swapped; /* the bytes of a number stand in the other order */
    int unit, times; /* of M and m: of how many of which unit an item is a number */
    const void *dtype; /* of V: what has the fields */
} ct_item_type;

/* Write the item at `at`. */
uint8_t *ct_put_element(ct_encoder *e, uint8_t *p, const char *at, const ct_item_type *type);

/* Write a C string as a str. */
uint8_t *ct_put_literal(ct_encoder *e, uint8_t *p, const char *text);

uint8_t *ct_put_integer(ct_encoder *e, uint8_t *p, int64_t number);

/* Units of dates, as numpy numbers them. */
enum ct_unit { CT_UNIT_DAY = 4, CT_UNIT_GENERIC = 14, CT_UNITS };
extern const char *const ct_unit_names[CT_UNITS];

#endif
