/* Values: from the journal's encoding to the CBOR of a trace. */
#ifndef CT_EXPAND_VALUE_H
#define CT_EXPAND_VALUE_H

#include "expand_names.h"
#include "expand_patterns.h"
#include "expand_text.h"
#include "expand_vars.h"
#include "journal_read.h"

enum ct_builtin {
    CT_T_NONE,
    CT_T_BOOL,
    CT_T_INT,
    CT_T_FLOAT,
    CT_T_COMPLEX,
    CT_T_STR,
    CT_T_BYTES,
    CT_T_TUPLE,
    CT_T_LIST,
    CT_T_SET,
    CT_T_FROZENSET,
    CT_T_DICT,
    CT_T_CUT,
    CT_T_CYCLE,
    CT_T_REDACTED,
    CT_T_DROPPED,
    CT_T_OMITTED,
    CT_T_UNSUPPORTED,
    CT_T_COUNT,
};

/* What was left out of values, each counted where it was stated. */
struct ct_value_losses {
    uint64_t cut;
    uint64_t redacted;
    uint64_t dropped;
    uint64_t omitted;
    uint64_t unsupported;
};

struct ct_values {
    struct ct_names types;
    struct ct_ids type_ids;
    uint32_t
        builtin[CT_T_COUNT]; /* number of the type in the trace plus one; 0 before its first use */
    struct ct_powers powers;
    struct ct_buf value; /* the CBOR of the value read last */
    struct ct_buf text;  /* for texts that have to be composed */
    /* What a difference to that value could refer to. */
    struct ct_base base;
    struct ct_items items;
    struct ct_value_losses losses;
    /* How the pair of a field begins, up to its value: names as they were defined last. */
    struct ct_buf fields[CTJ_FIELD_NAMES];
    struct ct_buf field; /* the same of a name that is being defined */
    struct ct_patterns patterns;
    uint64_t
        context; /* how often something was read that gives, or asks for, what a number means */
    struct ct_numbered {
        struct ct_buf cbor;
        uint32_t type;
        struct ct_items fields; /* of an instance: where the value of each begins, and ends */
    } numbered[CTJ_NUMBERS];    /* values with numbers, the same */
    struct ct_items *marks;     /* of the instance that is read next, NULL when nobody asks */
    size_t marks_start;         /* in `value`, where the numbered value begins */
    bool is_numbering;          /* what is read belongs to a numbered value */
};

void ct_values_free(struct ct_values *values);

/* Read one value into `values->value` and return the number of its type.  An error is left in the
 * cursor. */
uint32_t ct_value_read(struct ct_values *values, struct ctj_cursor *in);

/* Read the value of an item, which may be a difference to the last value of `var`, and bind, change
 * or unbind `var`. */
void ct_value_read_item(struct ct_values *values, struct ctj_cursor *in, struct ct_vars *vars,
                        struct ct_var *var, uint32_t name);

/* Write what str() of the exception that was read last, of the type `type`, would give into
 * `values->text`, as far as its arguments tell, cut to `limit` bytes. */
void ct_value_message(struct ct_values *values, uint32_t type, size_t limit);

/* The number of a builtin type, or of one that stands for none. */
uint32_t ct_value_intern_type(struct ct_values *values, enum ct_builtin builtin);

static inline uint32_t ct_value_type(struct ct_values *values, enum ct_builtin builtin)
{
    uint32_t known = values->builtin[builtin];
    return known != 0 ? known - 1 : ct_value_intern_type(values, builtin);
}

#endif
