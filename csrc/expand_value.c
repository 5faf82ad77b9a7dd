/* Journal values to CBOR. */
#include "expand_objects.h"

#include <stdlib.h>

/* Deeper nesting than any policy allows: the reader calls itself once a level. */
#define DEPTH_LIMIT 200

static const char *const BUILTIN_NAMES[CT_T_COUNT] = {
    "NoneType", "bool",  "int",      "float",   "complex",   "str",
    "bytes",    "tuple", "list",     "set",     "frozenset", "dict",
    "cut",      "Cycle", "Redacted", "Dropped", "Omitted",   "Unsupported",
};

void ct_values_free(struct ct_values *values)
{
    ct_names_free(&values->types);
    ct_ids_free(&values->type_ids);
    ct_buf_free(&values->value);
    ct_buf_free(&values->text);
    ct_patterns_free(&values->patterns);
    ct_buf_free(&values->field);
    free(values->items.ends);
    for (size_t i = 0; i < CTJ_FIELD_NAMES; i++)
        ct_buf_free(&values->fields[i]);
    for (size_t i = 0; i < CTJ_NUMBERS; i++)
        ct_numbered_free(&values->numbered[i]);
}

uint32_t ct_value_intern_type(struct ct_values *values, enum ct_builtin builtin)
{
    values->builtin[builtin] =
        ct_names_intern(&values->types, ct_literal(BUILTIN_NAMES[builtin])) + 1;
    return values->builtin[builtin] - 1;
}

/* The type `as` of a subclass, or the builtin one. */
static inline uint32_t ct_typed(struct ct_values *values, enum ct_builtin builtin, uint32_t as)
{
    return as != CT_NO_ID ? as : ct_value_type(values, builtin);
}

void ct_define_type(struct ct_values *values, struct ctj_cursor *in)
{
    uint64_t id = ctj_uv(in);
    struct ct_span text = ctj_text(in);
    if (in->error)
        return;
    values->context++;
    uint32_t number = ct_names_intern(&values->types, text);
    if (number != ct_ids_get(&values->type_ids, id))
        ct_patterns_forget(&values->patterns);
    if (number == CT_NO_ID)
        ctj_fail(in, CTJ_E_MEMORY);
    else if (!ct_ids_set(&values->type_ids, id, number))
        ctj_fail(in, id < CT_ID_LIMIT ? CTJ_E_MEMORY : CTJ_E_LIMIT);
}

uint32_t ct_read_type(struct ct_values *values, struct ctj_cursor *in)
{
    uint32_t number = ct_ids_get(&values->type_ids, ctj_uv(in));
    if (number == CT_NO_ID)
        ctj_fail(in, CTJ_E_UNDEFINED);
    return number;
}

uint32_t ct_put_raw(struct ct_values *values, enum ct_builtin builtin, uint32_t as)
{
    uint32_t type = ct_typed(values, builtin, as);
    ct_cbor_text(&values->value, CT_CBOR_RAW, ct_buf_span(&values->text), CT_NO_TEXT, type);
    return type;
}

static uint32_t put_error(struct ct_values *values, enum ct_builtin builtin, const char *text)
{
    uint32_t type = ct_value_type(values, builtin);
    ct_cbor_text(&values->value, CT_CBOR_ERROR, ct_literal(text), CT_NO_TEXT, type);
    return type;
}

struct ct_buf *ct_begin_text(struct ct_values *values)
{
    values->text.length = 0;
    return &values->text;
}

static uint32_t put_int(struct ct_values *values, int64_t number, uint32_t as)
{
    uint32_t type = ct_typed(values, CT_T_INT, as);
    ct_cbor_int(&values->value, number, type);
    return type;
}

static void put_bit_count(struct ct_values *values, uint64_t bits, bool negative)
{
    struct ct_buf *text = ct_begin_text(values);
    ct_buf_literal(text, negative ? "<negative int of " : "<int of ");
    ct_buf_decimal(text, bits);
    ct_buf_literal(text, " bits>");
    values->losses.cut++;
}

static uint32_t read_big_int(struct ct_values *values, struct ctj_cursor *in, uint32_t as)
{
    struct ct_span bytes = ctj_text(in);
    if (bytes.length <= CT_INT_TEXT_BYTES)
        ct_int_text(ct_begin_text(values), bytes);
    else
        put_bit_count(values, ct_int_bits(bytes), bytes.data[bytes.length - 1] >> 7);
    return ct_put_raw(values, CT_T_INT, as);
}

void ct_put_mark(struct ct_buf *out, uint64_t total, const char *unit)
{
    ct_buf_literal(out, "\xE2\x80\xA6 (");
    ct_buf_decimal(out, total);
    ct_buf_literal(out, unit);
}

/* A str of `total` characters, of which `text` is shown. */
static uint32_t put_str(struct ct_values *values, struct ct_span text, bool escaped,
                        uint64_t characters, uint64_t total, uint32_t as)
{
    struct ct_buf *mark = ct_begin_text(values);
    if (total > characters) {
        ct_put_mark(mark, total, " characters in all)");
        values->losses.cut++;
    }
    uint32_t type = ct_typed(values, CT_T_STR, as);
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
    uint64_t characters;
    if (ct_text_measure(text, &characters))
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
    struct ct_buf *text = ct_begin_text(values);
    ct_bytes_text(text, bytes);
    if (total > bytes.length) {
        ct_put_mark(text, total, " bytes in all)");
        values->losses.cut++;
    }
    return ct_put_raw(values, CT_T_BYTES, as);
}

static uint32_t read_float(struct ct_values *values, struct ctj_cursor *in, uint32_t as)
{
    char text[CT_FLOAT_TEXT];
    size_t length = ct_float_text(&values->powers, ctj_f64(in), text);
    ct_buf_put(ct_begin_text(values), text, length);
    return ct_put_raw(values, CT_T_FLOAT, as);
}

static uint32_t read_complex(struct ct_values *values, struct ctj_cursor *in, uint32_t as)
{
    char text[CT_COMPLEX_TEXT];
    double real = ctj_f64(in);
    size_t length = ct_complex_text(&values->powers, real, ctj_f64(in), text);
    ct_buf_put(ct_begin_text(values), text, length);
    return ct_put_raw(values, CT_T_COMPLEX, as);
}

static uint32_t read_object(struct ct_values *values, struct ctj_cursor *in)
{
    uint32_t type = ct_read_type(values, in);
    uint64_t address = ctj_uv(in);
    if (in->error)
        return type;
    struct ct_buf *text = ct_begin_text(values);
    ct_buf_literal(text, "<");
    ct_text_escape(text, ct_names_text(&values->types, type));
    ct_buf_literal(text, " at 0x");
    size_t digits = address == 0 ? 1 : (67u - (size_t)__builtin_clzll(address)) / 4;
    uint8_t *at = ct_buf_take(text, digits + 1);
    if (at != NULL) {
        for (size_t i = digits; i > 0; i--, address >>= 4)
            at[i - 1] = (uint8_t)"0123456789abcdef"[address & 15];
        at[digits] = '>';
    }
    return ct_put_raw(values, CT_T_NONE, type);
}

/* The last element of a container of which `left` items are not shown. */
void ct_put_rest(struct ct_values *values, uint64_t left)
{
    struct ct_buf *text = ct_begin_text(values);
    ct_buf_literal(text, "\xE2\x80\xA6 ");
    ct_buf_decimal(text, left);
    ct_buf_literal(text, " more");
    ct_put_raw(values, CT_T_CUT, CT_NO_ID);
    values->losses.cut++;
}

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
            ct_cbor_open(out, CT_CBOR_TUPLE, 2);
            ct_read_any(values, in, CT_NO_ID, depth + 1);
            ct_read_any(values, in, CT_NO_ID, depth + 1);
            ct_cbor_close_tuple(out, ct_value_type(values, CT_T_TUPLE));
        } else {
            ct_read_any(values, in, CT_NO_ID, depth + 1);
        }
        if (items)
            ct_items_add(items, out, out->length - start);
    }
    if (in->error)
        return type;
    bool cut = total > n;
    if (cut)
        ct_put_rest(values, total - n);
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
    uint32_t type = ct_typed(values, builtin, as);
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

static uint32_t read_tagged(struct ct_values *values, struct ctj_cursor *in, uint8_t tag,
                            uint32_t as, unsigned depth)
{
    struct ct_value_losses *losses = &values->losses;
    uint32_t type;
    switch (tag) {
    case CTJ_NONE:
        type = ct_typed(values, CT_T_NONE, as);
        ct_cbor_none(&values->value, type);
        return type;
    case CTJ_TRUE:
    case CTJ_FALSE:
        type = ct_typed(values, CT_T_BOOL, as);
        ct_cbor_bool(&values->value, tag == CTJ_TRUE, type);
        return type;
    case CTJ_INT:
        return put_int(values, ctj_unzigzag(ctj_uv(in)), as);
    case CTJ_INT_BIG:
        return read_big_int(values, in, as);
    case CTJ_INT_CUT: {
        uint64_t bits = ctj_uv(in);
        put_bit_count(values, bits, ctj_u8(in));
        return ct_put_raw(values, CT_T_INT, as);
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
        type = ct_read_type(values, in);
        return ct_read_any(values, in, as != CT_NO_ID ? as : type, depth + 1);
    case CTJ_OBJECT:
        return read_object(values, in);
    case CTJ_EXCEPTION:
        return ct_read_exception(values, in, as, depth);
    case CTJ_INSTANCE:
        return ct_read_instance(values, in, as, depth);
    case CTJ_TEXT:
        return ct_read_text_object(values, in, as);
    case CTJ_NUMBERED:
        return ct_read_numbered(values, in, as, depth);
    case CTJ_REFERENCE:
        return ct_read_reference(values, in);
    case CTJ_CHANGED:
        return ct_read_changed(values, in, depth);
    case CTJ_SHARED: {
        uint64_t number = ctj_uv(in);
        ct_cbor_open_reference(&values->value);
        type = ct_read_any(values, in, as, depth + 1);
        ct_cbor_close_reference(&values->value, number, type);
        return type;
    }
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

uint32_t ct_read_any(struct ct_values *values, struct ctj_cursor *in, uint32_t as, unsigned depth)
{
    uint8_t tag = ctj_u8(in);
    if (tag >= CTJ_SMALL_INT)
        return put_int(values, ctj_unzigzag(tag & 0x7F), as);
    while (tag == CTJ_TYPE) {
        ct_define_type(values, in);
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
    uint32_t type = ct_read_any(values, in, CT_NO_ID, 0);
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
    /* bind() gives them back. */
    struct ct_items items = values->items;
    values->items = var->items;
    var->items = items;
    values->items.count = (uint32_t)kept;
    struct ct_span cbor = ct_vars_value(vars, var);
    ct_buf_put(out, cbor.data + var->base.content, kept ? values->items.ends[kept - 1] : 0);
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
        ct_read_any(values, in, CT_NO_ID, 1);
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
        ct_define_type(values, in);
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
