/* What str() of an exception gives, made of its arguments: by the rules of the builtin exceptions,
 * whatever its class makes of them.  They are read from the CBOR of the exception, which
 * expand_value.c has written a moment ago. */
#include "expand_value.h"

#define DEPTH_LIMIT 8 /* of arguments inside each other, which are shown as ... below */

/* A value of the trace that is passed over: what it holds, by its kind. */
struct seen {
    struct ct_span kind;
    struct ct_span text; /* of a String, Raw or Error */
    bool has_text, is_true, is_negative;
    uint64_t number; /* of an Int, its magnitude less one when it is negative */
    const uint8_t *elements;
    uint64_t count;
    uint64_t type;
};

struct walk {
    const uint8_t *at, *end;
};

struct message {
    struct ct_values *values;
    struct ct_buf *text;
    size_t limit; /* no more has to be written behind it */
};

static uint64_t read_head(struct walk *in, unsigned *major)
{
    uint8_t first = in->at < in->end ? *in->at++ : 0;
    *major = first >> 5;
    unsigned low = first & 0x1F, bytes = low < 24 ? 0 : 1u << ((low - 24) & 3);
    uint64_t value = bytes ? 0 : low;
    for (; bytes && in->at < in->end; bytes--)
        value = value << 8 | *in->at++;
    return value;
}

static struct ct_span read_text(struct walk *in)
{
    unsigned major;
    uint64_t length = read_head(in, &major), left = (uint64_t)(in->end - in->at);
    struct ct_span text = {in->at, (size_t)(length < left ? length : left)};
    in->at += text.length;
    return text;
}

static bool is(struct ct_span text, const char *name)
{
    return text.length == strlen(name) && memcmp(text.data, name, text.length) == 0;
}

static struct seen look(struct walk *in)
{
    struct seen seen = {0};
    unsigned major;
    for (uint64_t pairs = read_head(in, &major); pairs && in->at < in->end; pairs--) {
        struct ct_span key = read_text(in);
        if (is(key, "kind")) {
            seen.kind = read_text(in);
        } else if (is(key, "text") || is(key, "r") || is(key, "msg")) {
            seen.text = read_text(in);
            seen.has_text = true;
        } else if (is(key, "elements")) {
            seen.count = read_head(in, &major);
            seen.elements = in->at;
            for (uint64_t i = 0; i < seen.count && in->at < in->end; i++)
                look(in);
        } else if (is(key, "dereferenced")) {
            seen = look(in);
        } else if (is(key, "type_id")) {
            seen.type = read_head(in, &major);
        } else { /* i, b, is_slice, address or mutable */
            seen.number = read_head(in, &major);
            seen.is_negative = major == 1;
            seen.is_true = major == 7 && seen.number == 21;
        }
    }
    return seen;
}

/* As repr() of a str, but for characters that a terminal could not show: who prints escapes them.
 */
static void put_quoted(struct ct_buf *out, struct ct_span text)
{
    bool has_single = text.length && memchr(text.data, '\'', text.length);
    char quote = has_single && !memchr(text.data, '"', text.length) ? '"' : '\'';
    ct_buf_put(out, &quote, 1);
    for (size_t i = 0; i < text.length; i++) {
        char mark = (char)text.data[i];
        if (mark == quote || mark == '\\' || mark == '\n' || mark == '\r' || mark == '\t') {
            ct_buf_literal(out, "\\");
            mark = (char)(mark == '\n' ? 'n' : mark == '\r' ? 'r' : mark == '\t' ? 't' : mark);
        }
        ct_buf_put(out, &mark, 1);
    }
    ct_buf_put(out, &quote, 1);
}

static void put_value(struct message *m, const struct seen *value, unsigned depth);

static void put_elements(struct message *m, const struct seen *value, unsigned depth,
                         const char *open, const char *close)
{
    struct walk in = {value->elements, m->values->value.data + m->values->value.length};
    ct_buf_literal(m->text, open);
    for (uint64_t i = 0; i < value->count && m->text->length <= m->limit; i++) {
        struct seen element = look(&in);
        if (i)
            ct_buf_literal(m->text, ", ");
        put_value(m, &element, depth + 1);
    }
    ct_buf_literal(m->text, close);
}

static void put_value(struct message *m, const struct seen *value, unsigned depth)
{
    struct ct_buf *out = m->text;
    struct ct_span type = ct_names_text(&m->values->types, (uint32_t)value->type);
    if (depth > DEPTH_LIMIT) {
        ct_buf_literal(out, "...");
    } else if (is(value->kind, "String")) {
        put_quoted(out, value->text);
    } else if (is(value->kind, "Bool")) {
        ct_buf_literal(out, value->is_true ? "True" : "False");
    } else if (value->has_text) {
        ct_buf_put(out, value->text.data, value->text.length);
    } else if (is(value->kind, "Int")) {
        if (value->is_negative)
            ct_buf_literal(out, "-");
        ct_buf_decimal(out, value->number + value->is_negative);
    } else if (is(value->kind, "None")) {
        ct_buf_literal(out, "None");
    } else if (is(value->kind, "Tuple")) {
        put_elements(m, value, depth, "(", value->count == 1 ? ",)" : ")");
    } else if (value->type == ct_value_type(m->values, CT_T_LIST)) {
        put_elements(m, value, depth, "[", "]");
    } else {
        ct_buf_literal(out, "<");
        ct_buf_put(out, type.data, type.length);
        ct_buf_literal(out, ">");
    }
}

/* OSError and what is derived from it say the number of the error and its text. */
static bool is_of_system(struct ct_span type)
{
    static const char *const names[] = {
        "OSError",
        "BlockingIOError",
        "BrokenPipeError",
        "ChildProcessError",
        "ConnectionAbortedError",
        "ConnectionError",
        "ConnectionRefusedError",
        "ConnectionResetError",
        "FileExistsError",
        "FileNotFoundError",
        "InterruptedError",
        "IsADirectoryError",
        "NotADirectoryError",
        "PermissionError",
        "ProcessLookupError",
        "TimeoutError",
        "gaierror",
        "herror",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(type, names[i]))
            return true;
    return false;
}

/* A group says how many exceptions it holds; false when not all of them are in the trace. */
static bool put_group(struct message *m, const struct seen *text, const struct seen *held)
{
    struct walk in = {held->elements, m->values->value.data + m->values->value.length};
    if (!is(text->kind, "String") || held->elements == NULL)
        return false;
    for (uint64_t i = 0; i < held->count && in.at < in.end; i++)
        if (look(&in).type == ct_value_type(m->values, CT_T_CUT))
            return false;
    ct_buf_put(m->text, text->text.data, text->text.length);
    ct_buf_literal(m->text, " (");
    ct_buf_decimal(m->text, held->count);
    ct_buf_literal(m->text, held->count == 1 ? " sub-exception)" : " sub-exceptions)");
    return true;
}

static void put_arguments(struct message *m, const struct seen *args, struct ct_span type)
{
    struct walk in = {args->elements, m->values->value.data + m->values->value.length};
    if (args->has_text) { /* hidden by a filter */
        put_value(m, args, 0);
        return;
    }
    if (args->count == 0)
        return;
    struct seen first = look(&in);
    if (args->count == 1) {
        if (is(first.kind, "String") && !is(type, "KeyError"))
            ct_buf_put(m->text, first.text.data, first.text.length);
        else
            put_value(m, &first, 0);
        return;
    }
    struct seen second = look(&in);
    bool is_group = is(type, "ExceptionGroup") || is(type, "BaseExceptionGroup");
    if (is_group && args->count == 2 && put_group(m, &first, &second))
        return;
    if (!is(first.kind, "Int") || !is(second.kind, "String") || !is_of_system(type)) {
        put_value(m, args, 0);
        return;
    }
    ct_buf_literal(m->text, "[Errno ");
    put_value(m, &first, 0);
    ct_buf_literal(m->text, "] ");
    ct_buf_put(m->text, second.text.data, second.text.length);
}

void ct_value_message(struct ct_values *values, uint32_t type, size_t limit)
{
    struct ct_buf *text = &values->text;
    text->length = 0;
    struct message m = {values, text, limit};
    struct walk in = {values->value.data, values->value.data + values->value.length};
    struct seen exception = look(&in);
    if (exception.count == 0)
        return;
    in.at = exception.elements; /* its first field is the pair of "args" and the arguments */
    struct seen field = look(&in);
    if (field.count != 2)
        return;
    in.at = field.elements;
    struct seen name = look(&in);
    if (!is(name.text, "args"))
        return;
    struct seen args = look(&in);
    put_arguments(&m, &args, ct_names_text(&values->types, type));
    if (text->length <= limit || text->failed)
        return;
    while (limit && (text->data[limit] & 0xC0) == 0x80)
        limit--;
    text->length = limit;
    ct_buf_literal(text, "\xE2\x80\xA6");
}
