/* Journal values to CBOR. */
#include "expand_value.h"

#include <stdlib.h>

/* Deeper nesting than any policy allows: the reader calls itself once a level. */
#define DEPTH_LIMIT 200

/* The number of fields is known when they have been read; a head for more than this is longer. */
#define CT_FIELDS_GUESS 8

static const char *const BUILTIN_NAMES[CT_T_COUNT] = {
    "NoneType", "bool",  "int",      "float",   "complex",   "str",
    "bytes",    "tuple", "list",     "set",     "frozenset", "dict",
    "cut",      "Cycle", "Redacted", "Dropped", "Omitted",   "Unsupported",
};

static struct ct_span literal(const char *text)
{
    return (struct ct_span){(const uint8_t *)text, strlen(text)};
}

static const struct ct_span NOTHING = {(const uint8_t *)"", 0};

static void numbered_free(struct ct_numbered *numbered)
{
    ct_buf_free(&numbered->cbor);
    free(numbered->fields.ends);
}

void ct_values_free(struct ct_values *values)
{
    ct_names_free(&values->types);
    ct_ids_free(&values->type_ids);
    ct_buf_free(&values->value);
    ct_buf_free(&values->text);
    free(values->items.ends);
    for (size_t i = 0; i < CTJ_FIELD_NAMES; i++)
        ct_buf_free(&values->fields[i]);
    for (size_t i = 0; i < CTJ_NUMBERS; i++)
        numbered_free(&values->numbered[i]);
}

uint32_t ct_value_type(struct ct_values *values, enum ct_builtin builtin)
{
    if (values->builtin[builtin] == 0)
        values->builtin[builtin] =
            ct_names_intern(&values->types, literal(BUILTIN_NAMES[builtin])) + 1;
    return values->builtin[builtin] - 1;
}

/* The type `as` of a subclass, or the builtin one. */
static uint32_t typed(struct ct_values *values, enum ct_builtin builtin, uint32_t as)
{
    return as != CT_NO_ID ? as : ct_value_type(values, builtin);
}

static void define_type(struct ct_values *values, struct ctj_cursor *in)
{
    uint64_t id = ctj_uv(in);
    struct ct_span text = ctj_text(in);
    if (in->error)
        return;
    uint32_t number = ct_names_intern(&values->types, text);
    if (number == CT_NO_ID)
        ctj_fail(in, CTJ_E_MEMORY);
    else if (!ct_ids_set(&values->type_ids, id, number))
        ctj_fail(in, id < CT_ID_LIMIT ? CTJ_E_MEMORY : CTJ_E_LIMIT);
}

static uint32_t read_type(struct ct_values *values, struct ctj_cursor *in)
{
    uint32_t number = ct_ids_get(&values->type_ids, ctj_uv(in));
    if (number == CT_NO_ID)
        ctj_fail(in, CTJ_E_UNDEFINED);
    return number;
}

static uint32_t put_raw(struct ct_values *values, enum ct_builtin builtin, uint32_t as)
{
    uint32_t type = typed(values, builtin, as);
    ct_cbor_text(&values->value, CT_CBOR_RAW, ct_buf_span(&values->text), NOTHING, type);
    return type;
}

static uint32_t put_error(struct ct_values *values, enum ct_builtin builtin, const char *text)
{
    uint32_t type = ct_value_type(values, builtin);
    ct_cbor_text(&values->value, CT_CBOR_ERROR, literal(text), NOTHING, type);
    return type;
}

static struct ct_buf *begin_text(struct ct_values *values)
{
    values->text.length = 0;
    return &values->text;
}

static uint32_t put_int(struct ct_values *values, int64_t number, uint32_t as)
{
    uint32_t type = typed(values, CT_T_INT, as);
    ct_cbor_int(&values->value, number, type);
    return type;
}

static void put_bit_count(struct ct_values *values, uint64_t bits, bool negative)
{
    struct ct_buf *text = begin_text(values);
    ct_buf_literal(text, negative ? "<negative int of " : "<int of ");
    ct_buf_decimal(text, bits);
    ct_buf_literal(text, " bits>");
    values->losses.cut++;
}

static uint32_t read_big_int(struct ct_values *values, struct ctj_cursor *in, uint32_t as)
{
    struct ct_span bytes = ctj_text(in);
    if (bytes.length <= CT_INT_TEXT_BYTES)
        ct_int_text(begin_text(values), bytes);
    else
        put_bit_count(values, ct_int_bits(bytes), bytes.data[bytes.length - 1] >> 7);
    return put_raw(values, CT_T_INT, as);
}

static void put_mark(struct ct_buf *out, uint64_t total, const char *unit)
{
    ct_buf_literal(out, "\xE2\x80\xA6 (");
    ct_buf_decimal(out, total);
    ct_buf_literal(out, unit);
}

/* A str of `total` characters, of which `text` is shown. */
static uint32_t put_str(struct ct_values *values, struct ct_span text, bool escaped,
                        uint64_t characters, uint64_t total, uint32_t as)
{
    struct ct_buf *mark = begin_text(values);
    if (total > characters) {
        put_mark(mark, total, " characters in all)");
        values->losses.cut++;
    }
    uint32_t type = typed(values, CT_T_STR, as);
    size_t start = ct_cbor_text(&values->value, escaped ? CT_CBOR_RAW : CT_CBOR_STRING, text,
                                ct_buf_span(mark), type);
    values->base =
        (struct ct_base){characters, (uint32_t)start, (uint32_t)text.length, CT_BASE_STR, escaped};
    return type;
}

static uint32_t read_str(struct ct_values *values, struct ctj_cursor *in, bool cut, uint32_t as)
{
    uint64_t total = cut ? ctj_uv(in) : 0;
    struct ct_span text = ctj_text(in);
    uint64_t characters = ct_text_characters(text);
    if (ct_text_valid(text))
        return put_str(values, text, false, characters, total, as);
    struct ct_buf escaped = {0};
    ct_text_escape(&escaped, text);
    uint32_t type = put_str(values, ct_buf_span(&escaped), true, characters, total, as);
    values->value.failed |= escaped.failed;
    ct_buf_free(&escaped);
    return type;
}

static uint32_t read_bytes(struct ct_values *values, struct ctj_cursor *in, bool cut, uint32_t as)
{
    uint64_t total = cut ? ctj_uv(in) : 0;
    struct ct_span bytes = ctj_text(in);
    struct ct_buf *text = begin_text(values);
    ct_bytes_text(text, bytes);
    if (total > bytes.length) {
        put_mark(text, total, " bytes in all)");
        values->losses.cut++;
    }
    return put_raw(values, CT_T_BYTES, as);
}

static uint32_t read_float(struct ct_values *values, struct ctj_cursor *in, uint32_t as)
{
    char text[CT_FLOAT_TEXT];
    size_t length = ct_float_text(&values->powers, ctj_f64(in), text);
    ct_buf_put(begin_text(values), text, length);
    return put_raw(values, CT_T_FLOAT, as);
}

static uint32_t read_complex(struct ct_values *values, struct ctj_cursor *in, uint32_t as)
{
    char text[CT_COMPLEX_TEXT];
    double real = ctj_f64(in);
    size_t length = ct_complex_text(&values->powers, real, ctj_f64(in), text);
    ct_buf_put(begin_text(values), text, length);
    return put_raw(values, CT_T_COMPLEX, as);
}

static uint32_t read_object(struct ct_values *values, struct ctj_cursor *in)
{
    uint32_t type = read_type(values, in);
    uint64_t address = ctj_uv(in);
    if (in->error)
        return type;
    struct ct_buf *text = begin_text(values);
    char digits[16];
    size_t n = 0;
    do {
        digits[sizeof digits - ++n] = "0123456789abcdef"[address & 15];
        address >>= 4;
    } while (address);
    ct_buf_literal(text, "<");
    ct_text_escape(text, ct_names_text(&values->types, type));
    ct_buf_literal(text, " at 0x");
    ct_buf_put(text, digits + sizeof digits - n, n);
    ct_buf_literal(text, ">");
    return put_raw(values, CT_T_NONE, type);
}

/* The last element of a container of which `left` items are not shown. */
static void put_rest(struct ct_values *values, uint64_t left)
{
    struct ct_buf *text = begin_text(values);
    ct_buf_literal(text, "\xE2\x80\xA6 ");
    ct_buf_decimal(text, left);
    ct_buf_literal(text, " more");
    put_raw(values, CT_T_CUT, CT_NO_ID);
    values->losses.cut++;
}

static uint32_t read_value(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                           unsigned depth);

/* Read up to `shown` items of a container that has `total`, and close it.  `items`, when given,
 * learns where they end; `before` of them are in the buffer already, the first at `start`. */
static uint32_t read_items(struct ct_values *values, struct ctj_cursor *in,
                           struct ct_cbor_array array, uint64_t total, uint64_t shown,
                           uint64_t before, struct ct_items *items, bool pairs, uint32_t type,
                           unsigned depth)
{
    struct ct_buf *out = &values->value;
    size_t start = array.head + ct_cbor_head_size(array.expected);
    uint64_t n = before;
    while (n < shown && !in->error && !out->failed) {
        if (in->p != in->end && *in->p == CTJ_STOP) {
            in->p++;
            break;
        }
        if (pairs && in->p != in->end && *in->p == CTJ_DROPPED) {
            in->p++;
            values->losses.dropped++;
            shown--;
            total -= total != 0;
            continue;
        }
        n++;
        if (pairs) {
            struct ct_cbor_array pair = ct_cbor_open(out, CT_CBOR_TUPLE, 2);
            read_value(values, in, CT_NO_ID, depth + 1);
            read_value(values, in, CT_NO_ID, depth + 1);
            ct_cbor_close(out, pair, 2, ct_value_type(values, CT_T_TUPLE));
        } else {
            read_value(values, in, CT_NO_ID, depth + 1);
        }
        if (items)
            ct_items_add(items, out, out->length - start);
    }
    if (in->error)
        return type;
    bool cut = total > n;
    if (cut)
        put_rest(values, total - n);
    ct_cbor_close(out, array, n + cut, type);
    values->base.content = (uint32_t)(array.head + ct_cbor_head_size(n + cut));
    return type;
}

static uint64_t expected_items(uint64_t total, uint64_t shown)
{
    return shown < total ? shown + 1 : shown;
}

static uint32_t read_container(struct ct_values *values, struct ctj_cursor *in, uint8_t tag,
                               uint32_t as, unsigned depth)
{
    static const enum ct_builtin BUILTINS[] = {CT_T_TUPLE, CT_T_LIST, CT_T_SET, CT_T_FROZENSET,
                                               CT_T_DICT};
    uint64_t total = ctj_uv(in);
    uint64_t shown = tag >= CTJ_TUPLE_CUT ? ctj_uv(in) : total;
    enum ct_builtin builtin = BUILTINS[tag & 7];
    uint32_t type = typed(values, builtin, as);
    struct ct_items *items = NULL;
    if (depth == 0 && as == CT_NO_ID && (builtin == CT_T_TUPLE || builtin == CT_T_LIST)) {
        items = &values->items;
        items->count = 0;
    }
    struct ct_cbor_array array =
        ct_cbor_open(&values->value, builtin == CT_T_TUPLE ? CT_CBOR_TUPLE : CT_CBOR_SEQUENCE,
                     expected_items(total, shown));
    return read_items(values, in, array, total, shown, 0, items, builtin == CT_T_DICT, type, depth);
}

/* Where a value lies in `value`. */
struct ct_extent {
    size_t start, end;
};

/* A field and its value, as a pair. */
static struct ct_extent read_field(struct ct_values *values, struct ctj_cursor *in, struct ct_span name,
                       unsigned depth)
{
    struct ct_buf *out = &values->value;
    struct ct_cbor_array field = ct_cbor_open(out, CT_CBOR_TUPLE, 2);
    ct_cbor_text(out, CT_CBOR_STRING, name, NOTHING, ct_value_type(values, CT_T_STR));
    size_t start = out->length;
    read_value(values, in, CT_NO_ID, depth + 1);
    struct ct_extent extent = {start, out->length};
    ct_cbor_close(out, field, 2, ct_value_type(values, CT_T_TUPLE));
    return extent;
}

/* An exception is shown as its fields, of which the arguments are known. */
static uint32_t read_exception(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                               unsigned depth)
{
    uint32_t type = read_type(values, in);
    struct ct_cbor_array fields = ct_cbor_open(&values->value, CT_CBOR_SEQUENCE, 1);
    read_field(values, in, literal("args"), depth);
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
    struct ct_buf *name = &values->fields[number];
    name->length = 0;
    ct_buf_grow(name, 1); /* that there is a name shows in its memory */
    ct_text_escape(name, text);
    if (name->failed)
        ctj_fail(in, CTJ_E_MEMORY);
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
    } else if (number >= CTJ_FIELD_NAMES || values->fields[number].data == NULL) {
        ctj_fail(in, CTJ_E_UNDEFINED);
    }
    return in->error ? CTJ_FIELD_NAMES : number;
}

/* What the builtin part of an instance is called among its fields. */
static struct ct_span part_name(uint8_t tag)
{
    static const char *const containers[] = {"tuple", "list", "set", "frozenset", "dict"};
    if (tag >= CTJ_TUPLE && tag <= CTJ_DICT_CUT && (tag & 7) < 5)
        return literal(containers[tag & 7]);
    switch (tag) {
    case CTJ_INT:
    case CTJ_INT_BIG:
    case CTJ_INT_CUT:
        return literal("int");
    case CTJ_FLOAT:
        return literal("float");
    case CTJ_COMPLEX:
        return literal("complex");
    case CTJ_STR:
    case CTJ_STR_CUT:
        return literal("str");
    case CTJ_BYTES:
    case CTJ_BYTES_CUT:
        return literal("bytes");
    default:
        return literal(tag >= CTJ_SMALL_INT ? "int" : "value");
    }
}

/* The builtin part of an instance becomes its first field; returns how many fields that makes. */
static uint64_t read_part(struct ct_values *values, struct ctj_cursor *in, unsigned depth)
{
    while (in->p != in->end && *in->p == CTJ_TYPE) {
        ctj_u8(in);
        define_type(values, in);
    }
    uint8_t tag = in->p != in->end ? *in->p : CTJ_UNSET;
    if (tag == CTJ_UNSET) {
        ctj_u8(in);
        return 0;
    }
    if (tag == CTJ_EXCEPTION) {
        ctj_u8(in);
        read_type(values, in);
        read_field(values, in, literal("args"), depth);
    } else {
        read_field(values, in, part_name(tag), depth);
    }
    return 1;
}

/* Fields that a numbered instance may have: more than this may move its content when it is closed. */
#define MARKED_FIELDS 16

/* Note where the value of a field lies in the numbered value. */
static void mark_field(struct ct_values *values, struct ct_items *marks, struct ct_extent extent)
{
    ct_items_add(marks, &values->value, extent.start - values->marks_start);
    ct_items_add(marks, &values->value, extent.end - values->marks_start);
}

static uint32_t read_instance(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                              unsigned depth)
{
    uint32_t type = read_type(values, in);
    struct ct_cbor_array fields = ct_cbor_open(&values->value, CT_CBOR_SEQUENCE, CT_FIELDS_GUESS);
    struct ct_items *marks = values->marks;
    values->marks = NULL;
    uint64_t n = read_part(values, in, depth);
    uint64_t total = ctj_uv(in), shown = ctj_uv(in), dropped = 0, seen = 0;
    bool stop = false;
    while (seen < shown && !in->error && !values->value.failed) {
        uint64_t number = read_field_name(values, in, &stop);
        if (stop)
            break;
        seen++;
        if (number == CTJ_FIELD_NAMES) {
            dropped++;
            values->losses.dropped++;
            continue;
        }
        struct ct_extent extent =
            read_field(values, in, ct_buf_span(&values->fields[number]), depth);
        if (marks != NULL)
            mark_field(values, marks, extent);
        n++;
    }
    if (in->error)
        return type;
    if (total > seen) {
        put_rest(values, total - seen);
        n++;
    }
    type = as != CT_NO_ID ? as : type;
    ct_cbor_close(&values->value, fields, n, type);
    return type;
}

/* An object in words. */
static uint32_t read_text_object(struct ct_values *values, struct ctj_cursor *in, uint32_t as)
{
    uint32_t type = read_type(values, in);
    uint64_t total = ctj_uv(in);
    struct ct_span text = ctj_text(in);
    if (in->error)
        return type;
    uint64_t characters = ct_text_characters(text);
    struct ct_buf *out = begin_text(values);
    ct_text_escape(out, text);
    if (total > characters) {
        put_mark(out, total, " characters in all)");
        values->losses.cut++;
    }
    return put_raw(values, CT_T_NONE, as != CT_NO_ID ? as : type);
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
    if (!in->error && number < CTJ_NUMBERS && !values->is_numbering &&
        (!is_defined || values->numbered[number].cbor.length != 0))
        return &values->numbered[number];
    ctj_fail(in, CTJ_E_REFERENCE);
    return NULL;
}

static uint32_t read_numbered(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                              unsigned depth)
{
    struct ct_numbered *numbered = read_number(values, in, false);
    if (numbered == NULL)
        return CT_NO_ID;
    size_t start = values->marks_start = values->value.length;
    numbered->fields.count = 0;
    values->marks = &numbered->fields;
    values->is_numbering = true;
    uint32_t type = read_value(values, in, as, depth + 1);
    values->is_numbering = false;
    values->marks = NULL;
    if (numbered->fields.count > 2 * MARKED_FIELDS)
        numbered->fields.count = 0;
    set_number(values, in, numbered, start, type);
    return type;
}

static uint32_t read_reference(struct ct_values *values, struct ctj_cursor *in)
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
static uint32_t read_changed(struct ct_values *values, struct ctj_cursor *in, unsigned depth)
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
        read_value(values, in, CT_NO_ID, depth + 1);
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

static uint32_t read_tagged(struct ct_values *values, struct ctj_cursor *in, uint8_t tag,
                            uint32_t as, unsigned depth)
{
    struct ct_value_losses *losses = &values->losses;
    uint32_t type;
    switch (tag) {
    case CTJ_NONE:
        type = typed(values, CT_T_NONE, as);
        ct_cbor_none(&values->value, type);
        return type;
    case CTJ_TRUE:
    case CTJ_FALSE:
        type = typed(values, CT_T_BOOL, as);
        ct_cbor_bool(&values->value, tag == CTJ_TRUE, type);
        return type;
    case CTJ_INT:
        return put_int(values, ctj_unzigzag(ctj_uv(in)), as);
    case CTJ_INT_BIG:
        return read_big_int(values, in, as);
    case CTJ_INT_CUT: {
        uint64_t bits = ctj_uv(in);
        put_bit_count(values, bits, ctj_u8(in));
        return put_raw(values, CT_T_INT, as);
    }
    case CTJ_FLOAT:
        return read_float(values, in, as);
    case CTJ_COMPLEX:
        return read_complex(values, in, as);
    case CTJ_STR:
    case CTJ_STR_CUT:
        return read_str(values, in, tag == CTJ_STR_CUT, as);
    case CTJ_BYTES:
    case CTJ_BYTES_CUT:
        return read_bytes(values, in, tag == CTJ_BYTES_CUT, as);
    case CTJ_TUPLE:
    case CTJ_LIST:
    case CTJ_SET:
    case CTJ_FROZENSET:
    case CTJ_DICT:
    case CTJ_TUPLE_CUT:
    case CTJ_LIST_CUT:
    case CTJ_SET_CUT:
    case CTJ_FROZENSET_CUT:
    case CTJ_DICT_CUT:
        return read_container(values, in, tag, as, depth);
    case CTJ_SUBCLASS:
        type = read_type(values, in);
        return read_value(values, in, as != CT_NO_ID ? as : type, depth + 1);
    case CTJ_OBJECT:
        return read_object(values, in);
    case CTJ_EXCEPTION:
        return read_exception(values, in, as, depth);
    case CTJ_INSTANCE:
        return read_instance(values, in, as, depth);
    case CTJ_TEXT:
        return read_text_object(values, in, as);
    case CTJ_NUMBERED:
        return read_numbered(values, in, as, depth);
    case CTJ_REFERENCE:
        return read_reference(values, in);
    case CTJ_CHANGED:
        return read_changed(values, in, depth);
    case CTJ_CYCLE:
        ctj_uv(in);
        return put_error(values, CT_T_CYCLE, "<cycle>");
    case CTJ_REDACTED:
        losses->redacted++;
        return put_error(values, CT_T_REDACTED, "<redacted>");
    case CTJ_DROPPED:
        losses->dropped++;
        return put_error(values, CT_T_DROPPED, "<dropped>");
    case CTJ_OMITTED:
        losses->omitted++;
        return put_error(values, CT_T_OMITTED, "<omitted: step size limit>");
    default:
        if (tag >= CTJ_VALUE_EXTENSION && tag <= CTJ_VALUE_EXTENSION_LAST) {
            ctj_text(in);
            losses->unsupported++;
            return put_error(values, CT_T_UNSUPPORTED, "<recorded by a newer version>");
        }
        ctj_fail(in, CTJ_E_TAG);
        return CT_NO_ID;
    }
}

static uint32_t read_value(struct ct_values *values, struct ctj_cursor *in, uint32_t as,
                           unsigned depth)
{
    uint8_t tag = ctj_u8(in);
    if (tag >= CTJ_SMALL_INT)
        return put_int(values, ctj_unzigzag(tag & 0x7F), as);
    while (tag == CTJ_TYPE) {
        define_type(values, in);
        tag = ctj_u8(in);
    }
    if (tag >= CTJ_SMALL_INT)
        return put_int(values, ctj_unzigzag(tag & 0x7F), as);
    if (depth > DEPTH_LIMIT) {
        ctj_fail(in, CTJ_E_DEPTH);
        return CT_NO_ID;
    }
    return read_tagged(values, in, tag, as, depth);
}

/* Memory that ran out on the way is an error of the cursor, too: nothing that was read then counts.
 */
static void check(struct ct_values *values, struct ctj_cursor *in)
{
    if (values->value.failed || values->text.failed)
        ctj_fail(in, values->value.length > CT_BUF_LIMIT / 2 ? CTJ_E_LIMIT : CTJ_E_MEMORY);
}

uint32_t ct_value_read(struct ct_values *values, struct ctj_cursor *in)
{
    values->value.length = 0;
    uint32_t type = read_value(values, in, CT_NO_ID, 0);
    check(values, in);
    return type;
}

/* Bind `var` to the value that has just been read, and remember what a difference to it may refer
 * to. */
static void bind(struct ct_values *values, struct ctj_cursor *in, struct ct_vars *vars,
                 struct ct_var *var, uint32_t name, enum ct_base_kind kind)
{
    check(values, in);
    if (in->error)
        return;
    if (!ct_vars_bind(vars, var, name, ct_buf_span(&values->value)))
        ctj_fail(in, CTJ_E_MEMORY);
    var->base = values->base;
    var->base.kind = (uint8_t)kind;
    if (kind == CT_BASE_LIST || kind == CT_BASE_TUPLE) {
        struct ct_items items = var->items;
        var->items = values->items;
        values->items = items;
    }
}

static void bind_int(struct ct_values *values, struct ctj_cursor *in, struct ct_vars *vars,
                     struct ct_var *var, uint32_t name, uint64_t number)
{
    put_int(values, (int64_t)number, CT_NO_ID);
    values->base.number = number;
    bind(values, in, vars, var, name, CT_BASE_INT);
}

static bool refers_to(struct ctj_cursor *in, const struct ct_var *var, enum ct_base_kind kind)
{
    if (in->error)
        return false;
    if (var->size && var->base.kind == kind)
        return true;
    ctj_fail(in, CTJ_E_REFERENCE);
    return false;
}

static void read_same_str(struct ct_values *values, struct ctj_cursor *in, struct ct_vars *vars,
                          struct ct_var *var, uint32_t name)
{
    uint64_t total = ctj_uv(in);
    if (!refers_to(in, var, CT_BASE_STR))
        return;
    struct ct_span text = ct_vars_value(vars, var);
    text = (struct ct_span){text.data + var->base.content, var->base.content_size};
    put_str(values, text, var->base.escaped, var->base.number, total, CT_NO_ID);
    bind(values, in, vars, var, name, CT_BASE_STR);
}

/* A list or tuple of which the first items stay. */
static void read_patch(struct ct_values *values, struct ctj_cursor *in, struct ct_vars *vars,
                       struct ct_var *var, uint32_t name)
{
    uint64_t total = ctj_uv(in);
    uint64_t shown = ctj_uv(in);
    uint64_t kept = ctj_uv(in);
    bool list = var->base.kind == CT_BASE_LIST;
    if (!refers_to(in, var, list ? CT_BASE_LIST : CT_BASE_TUPLE))
        return;
    if (kept > var->items.count || kept > shown) {
        ctj_fail(in, CTJ_E_REFERENCE);
        return;
    }
    struct ct_buf *out = &values->value;
    struct ct_cbor_array array =
        ct_cbor_open(out, list ? CT_CBOR_SEQUENCE : CT_CBOR_TUPLE, expected_items(total, shown));
    values->items.count = 0;
    for (uint64_t i = 0; i < kept; i++)
        ct_items_add(&values->items, out, var->items.ends[i]);
    struct ct_span cbor = ct_vars_value(vars, var);
    ct_buf_put(out, cbor.data + var->base.content, kept ? var->items.ends[kept - 1] : 0);
    uint32_t type = ct_value_type(values, list ? CT_T_LIST : CT_T_TUPLE);
    read_items(values, in, array, total, shown, kept, &values->items, false, type, 0);
    bind(values, in, vars, var, name, list ? CT_BASE_LIST : CT_BASE_TUPLE);
}

/* Copy the items from *at up to `index` of the value before, whose items stay. */
static void keep_items(struct ct_values *values, const struct ct_items *items, struct ct_span cbor,
                       uint64_t at, uint64_t index)
{
    struct ct_buf *out = &values->value;
    uint32_t from = at ? items->ends[at - 1] : 0;
    size_t moved = out->length - values->base.content - from;
    for (uint64_t i = at; i < index; i++)
        ct_items_add(&values->items, out, items->ends[i] + moved);
    uint32_t to = index ? items->ends[index - 1] : 0;
    ct_buf_put(out, cbor.data + values->base.content + from, to - from);
}

/* A list or tuple of which some items are replaced. */
static void read_edit(struct ct_values *values, struct ctj_cursor *in, struct ct_vars *vars,
                      struct ct_var *var, uint32_t name)
{
    uint64_t edits = ctj_uv(in), at = 0;
    bool list = var->base.kind == CT_BASE_LIST;
    if (!refers_to(in, var, list ? CT_BASE_LIST : CT_BASE_TUPLE))
        return;
    struct ct_buf *out = &values->value;
    struct ct_span cbor = ct_vars_value(vars, var);
    const struct ct_items *items = &var->items;
    uint32_t content = var->base.content;
    values->items.count = 0;
    values->base.content = content;
    ct_buf_put(out, cbor.data, content);
    for (uint64_t i = 0; i < edits && !in->error && !out->failed; i++) {
        uint64_t kept = ctj_uv(in);
        if (kept >= items->count - at) {
            ctj_fail(in, CTJ_E_REFERENCE);
            return;
        }
        keep_items(values, items, cbor, at, at + kept);
        at += kept + 1;
        read_value(values, in, CT_NO_ID, 1);
        values->base.content = content;
        ct_items_add(&values->items, out, out->length - content);
    }
    if (in->error || out->failed)
        return;
    keep_items(values, items, cbor, at, items->count);
    uint32_t last = items->count ? items->ends[items->count - 1] : 0;
    ct_buf_put(out, cbor.data + content + last, cbor.length - content - last);
    bind(values, in, vars, var, name, list ? CT_BASE_LIST : CT_BASE_TUPLE);
}

static enum ct_base_kind base_kind(uint8_t tag)
{
    switch (tag) {
    case CTJ_STR:
    case CTJ_STR_CUT:
        return CT_BASE_STR;
    case CTJ_LIST:
    case CTJ_LIST_CUT:
        return CT_BASE_LIST;
    case CTJ_TUPLE:
    case CTJ_TUPLE_CUT:
        return CT_BASE_TUPLE;
    default:
        return CT_BASE_NONE;
    }
}

void ct_value_read_item(struct ct_values *values, struct ctj_cursor *in, struct ct_vars *vars,
                        struct ct_var *var, uint32_t name)
{
    values->value.length = 0;
    uint8_t tag = ctj_u8(in);
    while (tag == CTJ_TYPE) {
        define_type(values, in);
        tag = ctj_u8(in);
    }
    if (tag >= CTJ_SMALL_INT) {
        bind_int(values, in, vars, var, name, (uint64_t)ctj_unzigzag(tag & 0x7F));
    } else if (tag >= CTJ_SMALL_DIFF || tag == CTJ_INT_DIFF) {
        uint64_t change = tag == CTJ_INT_DIFF ? ctj_uv(in) : tag & 0x3Fu;
        if (refers_to(in, var, CT_BASE_INT))
            bind_int(values, in, vars, var, name,
                     var->base.number + (uint64_t)ctj_unzigzag(change));
    } else if (tag == CTJ_INT) {
        bind_int(values, in, vars, var, name, (uint64_t)ctj_unzigzag(ctj_uv(in)));
    } else if (tag == CTJ_UNSET) {
        ct_vars_unbind(vars, var);
        var->name = name;
    } else if (tag == CTJ_STR_SAME) {
        read_same_str(values, in, vars, var, name);
    } else if (tag == CTJ_PATCH) {
        read_patch(values, in, vars, var, name);
    } else if (tag == CTJ_EDIT) {
        read_edit(values, in, vars, var, name);
    } else {
        read_tagged(values, in, tag, CT_NO_ID, 0);
        bind(values, in, vars, var, name, base_kind(tag));
    }
}
