/* What the readers of values and of objects need of each other. */
#ifndef CT_EXPAND_OBJECTS_H
#define CT_EXPAND_OBJECTS_H

#include "expand_value.h"

#define CT_NO_TEXT ((struct ct_span){(const uint8_t *)"", 0})

static inline struct ct_span ct_literal(const char *text)
{
    return (struct ct_span){(const uint8_t *)text, strlen(text)};
}

/* Read one value, behind what is in `values->value`, and return the number of its type: that of
 * `as` when it is the builtin part of a subclass. */
uint32_t ct_read_any(struct ct_values *values, struct ctj_cursor *in, uint32_t as, unsigned depth);

void ct_define_type(struct ct_values *values, struct ctj_cursor *in);
uint32_t ct_read_type(struct ct_values *values, struct ctj_cursor *in);

/* The text of a value under construction; ct_put_raw writes it as that value, of the type `as` or a
 * builtin one. */
struct ct_buf *ct_begin_text(struct ct_values *values);
uint32_t ct_put_raw(struct ct_values *values, enum ct_builtin builtin, uint32_t as);

/* Append what says that only a part of `total` units is shown. */
void ct_put_mark(struct ct_buf *out, uint64_t total, const char *unit);

/* Write the last element of a container of which `left` items are not shown. */
void ct_put_rest(struct ct_values *values, uint64_t left);

/* What follows the tag of an exception, an instance, an object in words. */
uint32_t ct_read_exception(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                           unsigned depth);
uint32_t ct_read_instance(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                          unsigned depth);
uint32_t ct_read_text_object(struct ct_values *values, struct ctj_cursor *in, uint32_t as);

/* What follows the tag of a value that is given a number, that has one, that has one and changes.
 */
uint32_t ct_read_numbered(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                          unsigned depth);
uint32_t ct_read_reference(struct ct_values *values, struct ctj_cursor *in);
uint32_t ct_read_changed(struct ct_values *values, struct ctj_cursor *in, unsigned depth);
void ct_numbered_free(struct ct_numbered *numbered);

#endif
