/* Objects and exceptions, by their fields, and the values that have numbers, to CBOR. */
#include "expand_objects.h"

#include <stdlib.h>

/* The number of fields is known when they have been read; a head for more than this is longer. */
#define CT_FIELDS_GUESS 8

void ct_numbered_free(struct ct_numbered *numbered)
{
    ct_buf_free(&numbered->cbor);
    free(numbered->fields.ends);
}

/* Where a value lies in `value`. */
struct ct_extent {
    size_t start, end;
};

/* How the pair of a field begins. */
static void put_field_name(struct ct_values *values, struct ct_buf *out, struct ct_span name)
{
    ct_cbor_open(out, CT_CBOR_TUPLE, 2);
    ct_cbor_text(out, CT_CBOR_STRING, name, CT_NO_TEXT, ct_value_type(values, CT_T_STR));
}

/* The value of a field, and the end of the pair. */
static struct ct_extent read_field_value(struct ct_values *values, struct ctj_cursor *in,
                                         unsigned depth)
{
    struct ct_buf *out = &values->value;
    size_t start = out->length;
    ct_read_any(values, in, CT_NO_ID, depth + 1);
    struct ct_extent extent = {start, out->length};
    ct_cbor_close_tuple(out, ct_value_type(values, CT_T_TUPLE));
    return extent;
}

static void read_field(struct ct_values *values, struct ctj_cursor *in, struct ct_span name,
                       unsigned depth)
{
    put_field_name(values, &values->value, name);
    read_field_value(values, in, depth);
}

/* An exception is shown as its fields, of which the arguments are known. */
uint32_t ct_read_exception(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                           unsigned depth)
{
    uint32_t type = ct_read_type(values, in);
    struct ct_cbor_array fields = ct_cbor_open(&values->value, CT_CBOR_SEQUENCE, 1);
    read_field(values, in, ct_literal("args"), depth);
    type = as != CT_NO_ID ? as : type;
    ct_cbor_close(&values->value, fields, 1, type);
    return type;
}

static void define_field(struct ct_values *values, struct ctj_cursor *in, uint64_t number)
{
    struct ct_span text = ctj_text(in);
    if (number >= CTJ_FIELD_NAMES)
        ctj_fail(in, CTJ_E_LIMIT);
    if (in->error)
        return;
    struct ct_buf *escaped = ct_begin_text(values);
    struct ct_buf *before = &values->fields[number], *name = &values->field;
    ct_text_escape(escaped, text);
    name->length = 0;
    put_field_name(values, name, ct_buf_span(escaped));
    if (name->failed || escaped->failed)
        ctj_fail(in, CTJ_E_MEMORY);
    values->context++;
    if (name->length == before->length && memcmp(name->data, before->data, name->length) == 0)
        return;
    if (before->length != 0)
        ct_patterns_forget(&values->patterns);
    struct ct_buf old = *before;
    *before = *name;
    *name = old;
}

/* The number of the next field's name; CTJ_FIELD_NAMES when a field stands there that is not shown,
 * and *stop set when none follows. */
static uint64_t read_field_name(struct ct_values *values, struct ctj_cursor *in, bool *stop)
{
    uint64_t code = ctj_uv(in);
    *stop = code == CTJ_FIELD_STOP || in->error;
    if (code < CTJ_FIELD_DEFINE)
        return CTJ_FIELD_NAMES;
    uint64_t number = code - CTJ_FIELD_NAMED;
    if (code == CTJ_FIELD_DEFINE) {
        number = ctj_uv(in);
        define_field(values, in, number);
    } else if (number >= CTJ_FIELD_NAMES || values->fields[number].length == 0) {
        ctj_fail(in, CTJ_E_UNDEFINED);
    }
    return in->error ? CTJ_FIELD_NAMES : number;
}

/* What the builtin part of an instance is called among its fields. */
static struct ct_span part_name(uint8_t tag)
{
    static const char *const containers[] = {"tuple", "list", "set", "frozenset", "dict"};
    if (tag >= CTJ_TUPLE && tag <= CTJ_DICT_CUT && (tag & 7) < 5)
        return ct_literal(containers[tag & 7]);
    switch (tag) {
    case CTJ_INT:
    case CTJ_INT_BIG:
    case CTJ_INT_CUT:
        return ct_literal("int");
    case CTJ_FLOAT:
        return ct_literal("float");
    case CTJ_COMPLEX:
        return ct_literal("complex");
    case CTJ_STR:
    case CTJ_STR_CUT:
        return ct_literal("str");
    case CTJ_BYTES:
    case CTJ_BYTES_CUT:
        return ct_literal("bytes");
    default:
        return ct_literal(tag >= CTJ_SMALL_INT ? "int" : "value");
    }
}

/* The builtin part of an instance becomes its first field; returns how many fields that makes. */
static uint64_t read_part(struct ct_values *values, struct ctj_cursor *in, unsigned depth)
{
    while (in->p != in->end && *in->p == CTJ_TYPE) {
        ctj_u8(in);
        ct_define_type(values, in);
    }
    uint8_t tag = in->p != in->end ? *in->p : CTJ_UNSET;
    if (tag == CTJ_UNSET) {
        ctj_u8(in);
        return 0;
    }
    if (tag == CTJ_EXCEPTION) {
        ctj_u8(in);
        ct_read_type(values, in);
        read_field(values, in, ct_literal("args"), depth);
    } else {
        read_field(values, in, part_name(tag), depth);
    }
    return 1;
}

/* Fields that a numbered instance may have: more than this may move its content when it is closed.
 */
#define MARKED_FIELDS 16

/* Note where the value of a field lies in the numbered value. */
static void mark_field(struct ct_values *values, struct ct_items *marks, struct ct_extent extent)
{
    ct_items_add(marks, &values->value, extent.start - values->marks_start);
    ct_items_add(marks, &values->value, extent.end - values->marks_start);
}

uint32_t ct_read_instance(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                          unsigned depth)
{
    uint32_t type = ct_read_type(values, in);
    struct ct_cbor_array fields = ct_cbor_open(&values->value, CT_CBOR_SEQUENCE, CT_FIELDS_GUESS);
    struct ct_items *marks = values->marks;
    values->marks = NULL;
    uint64_t n = read_part(values, in, depth);
    uint64_t total = ctj_uv(in), shown = ctj_uv(in), seen = 0;
    bool stop = false;
    struct ct_fields_read read;
    /* Where each value lies in a numbered instance is asked of all its fields. */
    ct_fields_begin(&read, values, in, type, marks == NULL ? shown : 0, depth);
    while (seen < shown && !in->error && !values->value.failed) {
        uint32_t same = ct_fields_copy(&read, values, in);
        seen += same;
        n += same;
        if (same != 0)
            continue;
        uint64_t number = read_field_name(values, in, &stop);
        if (stop)
            break;
        seen++;
        if (number == CTJ_FIELD_NAMES) {
            values->losses.dropped++;
            ct_fields_add(&read, values, in);
            continue;
        }
        const struct ct_buf *name = &values->fields[number];
        ct_buf_put(&values->value, name->data, name->length);
        struct ct_extent extent = read_field_value(values, in, depth);
        if (marks != NULL)
            mark_field(values, marks, extent);
        ct_fields_add(&read, values, in);
        n++;
    }
    if (in->error)
        return type;
    ct_fields_end(&read, values);
    if (total > seen) {
        ct_put_rest(values, total - seen);
        n++;
    }
    type = as != CT_NO_ID ? as : type;
    ct_cbor_close(&values->value, fields, n, type);
    return type;
}

/* An object in words. */
uint32_t ct_read_text_object(struct ct_values *values, struct ctj_cursor *in, uint32_t as)
{
    uint32_t type = ct_read_type(values, in);
    uint64_t total = ctj_uv(in);
    struct ct_span text = ctj_text(in);
    if (in->error)
        return type;
    type = as != CT_NO_ID ? as : type;
    uint64_t characters;
    bool is_valid = ct_text_measure(text, &characters);
    if (is_valid && total <= characters) {
        ct_cbor_text(&values->value, CT_CBOR_RAW, text, CT_NO_TEXT, type);
        return type;
    }
    struct ct_buf *out = ct_begin_text(values);
    ct_text_escape(out, text);
    if (total > characters) {
        ct_put_mark(out, total, " characters in all)");
        values->losses.cut++;
    }
    return ct_put_raw(values, CT_T_NONE, type);
}

/* The value at the end of `value` has this number from now on. */
static void set_number(struct ct_values *values, struct ctj_cursor *in,
                       struct ct_numbered *numbered, size_t start, uint32_t type)
{
    struct ct_buf *out = &values->value;
    if (out->length - start > CTJ_NUMBERED_MAX)
        ctj_fail(in, CTJ_E_LIMIT);
    numbered->cbor.length = 0;
    if (!in->error && !out->failed)
        ct_buf_put(&numbered->cbor, out->data + start, out->length - start);
    numbered->type = type;
    if (numbered->cbor.failed)
        ctj_fail(in, CTJ_E_MEMORY);
}

/* The number that follows, or NULL; nothing with a number stands inside something that has one. */
static struct ct_numbered *read_number(struct ct_values *values, struct ctj_cursor *in,
                                       bool is_defined)
{
    uint64_t number = ctj_uv(in);
    values->context++;
    if (!in->error && number < CTJ_NUMBERS && !values->is_numbering &&
        (!is_defined || values->numbered[number].cbor.length != 0))
        return &values->numbered[number];
    ctj_fail(in, CTJ_E_REFERENCE);
    return NULL;
}

uint32_t ct_read_numbered(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                          unsigned depth)
{
    struct ct_numbered *numbered = read_number(values, in, false);
    if (numbered == NULL)
        return CT_NO_ID;
    size_t start = values->marks_start = values->value.length;
    numbered->fields.count = 0;
    values->marks = &numbered->fields;
    values->is_numbering = true;
    uint32_t type = ct_read_any(values, in, as, depth + 1);
    values->is_numbering = false;
    values->marks = NULL;
    if (numbered->fields.count > 2 * MARKED_FIELDS)
        numbered->fields.count = 0;
    set_number(values, in, numbered, start, type);
    return type;
}

uint32_t ct_read_reference(struct ct_values *values, struct ctj_cursor *in)
{
    const struct ct_numbered *numbered = read_number(values, in, true);
    if (numbered == NULL)
        return CT_NO_ID;
    ct_buf_put(&values->value, numbered->cbor.data, numbered->cbor.length);
    return numbered->type;
}

/* Copy the bytes of a numbered instance from `from` up to the value of the field `index`; those of
 * the fields from `at` on are among them. */
static void keep_fields(struct ct_values *values, struct ct_numbered *numbered, size_t start,
                        size_t from, uint64_t at, uint64_t index)
{
    uint32_t *marks = numbered->fields.ends;
    size_t moved = values->value.length - start - from;
    size_t to = index < numbered->fields.count / 2 ? marks[2 * index] : numbered->cbor.length;
    for (uint64_t i = 2 * at; i < 2 * index; i++)
        marks[i] += (uint32_t)moved;
    ct_buf_put(&values->value, numbered->cbor.data + from, to - from);
}

/* A numbered instance of which some fields are replaced. */
uint32_t ct_read_changed(struct ct_values *values, struct ctj_cursor *in, unsigned depth)
{
    struct ct_numbered *numbered = read_number(values, in, true);
    if (numbered == NULL)
        return CT_NO_ID;
    uint32_t *marks = numbered->fields.ends;
    size_t start = values->value.length, from = 0;
    uint64_t edits = ctj_uv(in), fields = numbered->fields.count / 2, at = 0;
    for (uint64_t i = 0; i < edits && !in->error && !values->value.failed; i++) {
        uint64_t kept = ctj_uv(in);
        if (kept >= fields - at) {
            ctj_fail(in, CTJ_E_REFERENCE);
            break;
        }
        keep_fields(values, numbered, start, from, at, at + kept);
        at += kept + 1;
        from = marks[2 * at - 1];
        marks[2 * at - 2] = (uint32_t)(values->value.length - start);
        values->is_numbering = true;
        ct_read_any(values, in, CT_NO_ID, depth + 1);
        values->is_numbering = false;
        marks[2 * at - 1] = (uint32_t)(values->value.length - start);
    }
    if (!in->error && !values->value.failed)
        keep_fields(values, numbered, start, from, at, fields);
    else
        numbered->fields.count = 0;
    set_number(values, in, numbered, start, numbered->type);
    return numbered->type;
}
