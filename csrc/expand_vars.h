/* The variables of a frame, kept as the bytes that a step's record repeats. */
#ifndef CT_EXPAND_VARS_H
#define CT_EXPAND_VARS_H

#include "cbor.h"

/* Where the items of a list or tuple end, counted from the first item. */
struct ct_items {
    uint32_t *ends;
    uint32_t count;
    uint32_t capacity;
};

void ct_items_add(struct ct_items *items, struct ct_buf *owner, size_t end);

/* What a later difference may refer to. */
enum ct_base_kind { CT_BASE_NONE, CT_BASE_INT, CT_BASE_STR, CT_BASE_LIST, CT_BASE_TUPLE };

struct ct_base {
    uint64_t number;       /* INT: the value; STR: characters shown */
    uint32_t content;      /* in the CBOR: STR: the text shown; LIST, TUPLE: the first item */
    uint32_t content_size; /* STR: bytes of the text shown */
    uint8_t kind;
    bool escaped; /* STR: the text shown is escaped, for it is not valid UTF-8 */
};

struct ct_var {
    uint32_t at;    /* where the entry begins in the run */
    uint32_t size;  /* bytes of the entry; 0 while the variable is unbound */
    uint32_t value; /* bytes of the entry before its CBOR */
    uint32_t name;  /* in the trace */
    struct ct_base base;
    struct ct_items items; /* of a list or tuple */
};

/* Entries `uv name, uv length, CBOR` of the bound variables, in the variables' order, without gaps.
 */
struct ct_vars {
    struct ct_buf run;
    struct ct_var *of;
    uint32_t count; /* variables that were ever stated, or lie before one that was */
    uint32_t capacity;
    uint32_t bound;
};

/* More variables in one scope than any code object has. */
#define CT_VARS_LIMIT (1u << 20)

/* The variable `index`, which is made unbound when it is new.  NULL when memory is out; a pointer
 * from before is stale. */
struct ct_var *ct_vars_at(struct ct_vars *vars, uint64_t index);
/* The variable called `name`, which becomes the last one when it is new. */
struct ct_var *ct_vars_named(struct ct_vars *vars, uint32_t name);
/* Bind `var` of `vars` to the value `cbor`.  What differences refer to is the caller's to set. */
bool ct_vars_bind(struct ct_vars *vars, struct ct_var *var, uint32_t name, struct ct_span cbor);
void ct_vars_unbind(struct ct_vars *vars, struct ct_var *var);
/* Forget the variables but keep some memory for the next frame. */
void ct_vars_reset(struct ct_vars *vars);
void ct_vars_free(struct ct_vars *vars);

/* The CBOR of a bound variable; stale after the next change of `vars`. */
static inline struct ct_span ct_vars_value(const struct ct_vars *vars, const struct ct_var *var)
{
    return (struct ct_span){vars->run.data + var->at + var->value, var->size - var->value};
}

#endif
