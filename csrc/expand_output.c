#include "expand_output.h"

#include "expand_text.h"
#include "expand_units.h"

/* A line that does not end is cut into events of this size. */
#define LINE_LIMIT ((size_t)64 << 10)

/* Why an event ends where it does, and what else there is to say; the names stand in its flags. */
enum mark {
    NEWLINE = 1,
    FLUSH = 2,
    TIME_SPLIT = 4,
    STEP_BOUNDARY = 8,
    INPUT = 16,
    SIZE_SPLIT = 32,
    BYTES = 64,
    AFTER_CALL = 128,
    MIRROR = 256,
    LOG = 512,
};

static const char *const MARKS[] = {
    "newline",    "flush", "time_split", "step_boundary", "input",
    "size_split", "bytes", "after_call", "mirror",        "log",
};

static const struct {
    const char *name;
    uint8_t kind; /* of the event, as readers know it */
} STREAMS[] = {{"stdout", 0}, {"stderr", 12}, {"stdin", 4}, {"log", 12}};

void ct_output_free(struct ct_output *output)
{
    ct_buf_free(&output->line);
    ct_buf_free(&output->records);
    ct_buf_free(&output->metadata);
    ct_buf_free(&output->content);
}

/* ---- metadata
 * -----------------------------------------------------------------------------------------------
 */

/* Append the inside of a JSON string; what is not UTF-8 is escaped first. */
static void put_json(struct ct_buf *out, struct ct_span text)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x20) {
            char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
            ct_buf_put(out, escape, sizeof escape);
            continue;
        }
        if (byte == '"' || byte == '\\')
            ct_buf_put(out, "\\", 1);
        ct_buf_put(out, &byte, 1);
    }
}

static void put_text(struct ct_buf *out, struct ct_span text)
{
    struct ct_buf valid = {0};
    if (!ct_text_valid(text)) {
        ct_text_escape(&valid, text);
        text = ct_buf_span(&valid);
    }
    ct_buf_put(out, "\"", 1);
    put_json(out, text);
    ct_buf_put(out, "\"", 1);
    out->failed |= valid.failed;
    ct_buf_free(&valid);
}

void ct_output_name(struct ct_buf *out, struct ct_span text)
{
    out->length = 0;
    put_text(out, text);
}

static void put_member(struct ct_buf *out, const char *name, struct ct_span value)
{
    ct_buf_literal(out, ",\"");
    ct_buf_literal(out, name);
    ct_buf_literal(out, "\":");
    if (value.length)
        ct_buf_put(out, value.data, value.length);
    else
        ct_buf_literal(out, "null");
}

static void put_flags(struct ct_buf *out, uint16_t marks)
{
    ct_buf_literal(out, ",\"flags\":[");
    const char *before = "\"";
    for (unsigned i = 0; i < sizeof MARKS / sizeof *MARKS; i++) {
        if (!(marks & 1u << i))
            continue;
        ct_buf_literal(out, before);
        ct_buf_literal(out, MARKS[i]);
        ct_buf_literal(out, "\"");
        before = ",\"";
    }
    ct_buf_literal(out, "]}");
}

/* Where the innermost frame of a thread stands. */
static void put_place(struct ct_expander *e, struct ct_buf *out, struct ct_thread *thread)
{
    const struct ct_frame *frame = thread ? ct_thread_top(thread) : NULL;
    if (!frame) {
        ct_buf_literal(out, ",\"path_id\":null,\"path\":null,\"line\":null");
        return;
    }
    ct_buf_literal(out, ",\"path_id\":");
    ct_buf_decimal(out, frame->function->path);
    ct_buf_literal(out, ",\"path\":");
    put_text(out, ct_names_text(&e->paths, frame->function->path));
    ct_buf_literal(out, ",\"line\":");
    ct_buf_decimal(out, ct_expand_line(frame->line));
}

static void put_metadata(struct ct_expander *e, uint16_t marks)
{
    struct ct_buf *out = &e->output.metadata;
    struct ct_thread *thread = e->stacks.current;
    out->length = 0;
    ct_buf_literal(out, "{\"stream\":\"");
    ct_buf_literal(out, STREAMS[e->output.stream].name);
    ct_buf_literal(out, "\"");
    put_member(out, "thread", thread ? ct_buf_span(&thread->name) : (struct ct_span){0});
    put_member(out, "task", thread ? ct_thread_task(thread) : (struct ct_span){0});
    put_place(e, out, thread);
    ct_buf_put(out, e->output.extra.data, e->output.extra.length);
    put_flags(out, marks);
}

/* ---- events
 * ------------------------------------------------------------------------------------------------
 */

/* The bytes that were gathered, in a form that readers take for text if it was text. */
static struct ct_span content(struct ct_output *output)
{
    struct ct_span line = ct_buf_span(&output->line);
    if (output->bytes || ct_text_valid(line))
        return line;
    output->content.length = 0;
    ct_text_escape(&output->content, line);
    return ct_buf_span(&output->content);
}

/* What is gathered is an event. */
static void put_event(struct ct_expander *e, uint16_t why)
{
    struct ct_output *output = &e->output;
    if (output->line.length == 0 && output->stream != CTJ_LOG)
        return;
    uint64_t step = e->steps ? e->steps - 1 : 0;
    struct ct_span text = content(output);
    put_metadata(e, why | (output->bytes ? BYTES : 0) | (output->after_call ? AFTER_CALL : 0) |
                        (output->mirror ? MIRROR : 0));
    const struct ct_buf *metadata = &output->metadata;
    struct ct_buf *out = &output->records;
    ct_buf_uv(out, 1 + ct_uv_size(step) + ct_uv_size(metadata->length) + metadata->length +
                       ct_uv_size(text.length) + text.length);
    ct_buf_put(out, &STREAMS[output->stream].kind, 1);
    ct_buf_uv(out, step);
    ct_buf_uv(out, metadata->length);
    ct_buf_put(out, metadata->data, metadata->length);
    ct_buf_uv(out, text.length);
    ct_buf_put(out, text.data, text.length);
    out->failed |= metadata->failed || output->content.failed || output->line.failed;
    output->chunk_events++;
    output->line.length = 0;
    output->after_call = false;
}

void ct_output_break(struct ct_expander *e)
{
    put_event(e, STEP_BOUNDARY);
    e->output.after_call = false;
}

/* The text up to the next separator, which is taken off. */
static struct ct_span next_part(struct ct_span *text)
{
    struct ct_span part = *text;
    const uint8_t *end = text->length ? memchr(text->data, CTJ_LOG_SEPARATOR, text->length) : NULL;
    if (!end)
        return *text = (struct ct_span){0}, part;
    part.length = (size_t)(end - text->data);
    text->data += part.length + 1;
    text->length -= part.length + 1;
    return part;
}

/* A record of `logging` is an event of its own. */
static void put_log(struct ct_expander *e, struct ct_span text)
{
    struct ct_output *output = &e->output;
    struct ct_buf extra = {0};
    struct ct_span level = next_part(&text), logger = next_part(&text);
    ct_buf_literal(&extra, ",\"level\":");
    put_text(&extra, level);
    ct_buf_literal(&extra, ",\"logger\":");
    put_text(&extra, logger);
    output->stream = CTJ_LOG;
    output->bytes = output->mirror = false;
    ct_buf_put(&output->line, text.data, text.length);
    output->extra = ct_buf_span(&extra);
    put_event(e, LOG);
    output->extra = (struct ct_span){0};
    output->stream = CTJ_STDOUT;
    output->line.failed |= extra.failed;
    ct_buf_free(&extra);
}

void ct_output_unit(struct ct_expander *e, uint8_t what, struct ct_span bytes)
{
    struct ct_output *output = &e->output;
    uint8_t stream = what & CTJ_STREAM;
    bool is_bytes = what & CTJ_OUTPUT_BYTES, is_mirror = what & CTJ_OUTPUT_MIRROR;
    if (stream >= sizeof STREAMS / sizeof *STREAMS) {
        ctj_fail(&e->in, CTJ_E_TAG);
        return;
    }
    if (!e->writing)
        return;
    if (stream == CTJ_LOG) {
        ct_output_break(e);
        put_log(e, bytes);
        return;
    }
    if (what & CTJ_OUTPUT_FLUSH) {
        if (stream == output->stream)
            put_event(e, FLUSH);
        return;
    }
    if (stream != output->stream || is_bytes != output->bytes || is_mirror != output->mirror)
        put_event(e, STEP_BOUNDARY);
    else if (what & CTJ_OUTPUT_PAUSE)
        put_event(e, TIME_SPLIT);
    output->stream = stream;
    output->bytes = is_bytes;
    output->mirror = is_mirror;
    output->what = what;
    output->rest = bytes;
}

/* How many bytes of the rest fit into a line, without a part of a character. */
static size_t fitting(const struct ct_output *output)
{
    const uint8_t *data = output->rest.data;
    size_t size = LINE_LIMIT - output->line.length;
    if (output->rest.length <= size)
        return output->rest.length;
    for (int i = 0; i < 3 && (data[size] & 0xC0) == 0x80; i++)
        size--;
    return size;
}

void ct_output_line(struct ct_expander *e)
{
    struct ct_output *output = &e->output;
    bool is_input = output->stream == CTJ_STDIN;
    size_t size = fitting(output);
    const uint8_t *newline = is_input ? NULL : memchr(output->rest.data, '\n', size);
    if (newline)
        size = (size_t)(newline - output->rest.data) + 1;
    ct_buf_put(&output->line, output->rest.data, size);
    output->rest.data += size;
    output->rest.length -= size;
    if (newline)
        put_event(e, NEWLINE);
    else if (is_input && output->rest.length == 0 && !(output->what & CTJ_OUTPUT_GOES_ON))
        put_event(e, INPUT);
    else if (output->line.length > LINE_LIMIT - 4)
        put_event(e, SIZE_SPLIT);
}
