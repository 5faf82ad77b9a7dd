/* A small table of texts.  Where one may begin in output is told by its first four bytes: a set of
 * bits answers for most places, and a chain of the texts that share a bucket for the others. */
#include "secrets.h"

#include "chunk.h"
#include "value.h"

#define CHARACTERS_MIN 6
#define TEXT_LIMIT     ((size_t)64 << 10)
#define TEXTS          1024
#define BYTES_LIMIT    ((size_t)1 << 20)
#define NODES          256 /* values looked at inside one */
#define DEPTH          6
#define BUCKETS        1024
#define NONE           (-1)
#define TAIL           ((size_t)256) /* bytes of a stream in which a secret may begin */

static const char MARK[] = "<redacted>";

struct ct_secret_counts ct_secret_counts;
bool ct_secrets_wanted;
bool ct_secrets_in_output;

static struct secret {
    uint8_t *bytes; /* NULL: the place is free */
    size_t length;
    int next; /* of the bucket, a shorter one or one as long; NONE at the end */
} secrets[TEXTS];

static int buckets[BUCKETS];
static uint64_t starts[1024]; /* a bit for each hash of four bytes */
static int oldest, count;
static size_t bytes_kept;
static size_t longest;

/* The last bytes of each stream, and where they stand in the live chunk. */
static struct tail {
    uint64_t generation; /* of that chunk */
    size_t length;
    uint8_t *places[TAIL];
} tails[CTJ_STREAM + 1];

static uint32_t hash_of(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word * 2654435761u >> 16;
}

void ct_secrets_close(void)
{
    ct_secrets_wanted = false;
    for (int i = 0; i < TEXTS; i++) {
        free(secrets[i].bytes);
        secrets[i].bytes = NULL;
    }
    for (int i = 0; i < BUCKETS; i++)
        buckets[i] = NONE;
    memset(starts, 0, sizeof starts);
    memset(tails, 0, sizeof tails);
    oldest = count = 0;
    bytes_kept = longest = 0;
}

void ct_secrets_open(void)
{
    ct_secrets_close();
    ct_secret_counts = (struct ct_secret_counts){0};
    ct_secrets_wanted = true;
}

/* Its bit of `starts` may be another's too and stays: it only costs a look into a bucket. */
static void forget_oldest(void)
{
    struct secret *gone = &secrets[oldest];
    int *link = &buckets[hash_of(gone->bytes) % BUCKETS];
    while (*link != oldest)
        link = &secrets[*link].next;
    *link = gone->next;
    bytes_kept -= gone->length;
    free(gone->bytes);
    gone->bytes = NULL;
    oldest = (oldest + 1) % TEXTS;
    count--;
    ct_secret_counts.forgotten++;
}

static void keep_bytes(const uint8_t *bytes, size_t length)
{
    if (length > TEXT_LIMIT) {
        ct_secret_counts.forgotten++;
        return;
    }
    uint32_t hash = hash_of(bytes);
    int *link = &buckets[hash % BUCKETS];
    while (*link != NONE && secrets[*link].length > length)
        link = &secrets[*link].next;
    for (int i = *link; i != NONE && secrets[i].length == length; i = secrets[i].next)
        if (memcmp(secrets[i].bytes, bytes, length) == 0)
            return;
    uint8_t *copy = malloc(length);
    if (copy == NULL) {
        ct_secret_counts.forgotten++;
        return;
    }
    memcpy(copy, bytes, length);
    while (count == TEXTS || bytes_kept + length > BYTES_LIMIT)
        forget_oldest();
    link = &buckets[hash % BUCKETS];
    while (*link != NONE && secrets[*link].length > length)
        link = &secrets[*link].next;
    int place = (oldest + count++) % TEXTS;
    secrets[place] = (struct secret){copy, length, *link};
    *link = place;
    bytes_kept += length;
    longest = length > longest ? length : longest;
    starts[hash >> 6] |= (uint64_t)1 << (hash & 63);
}

/* The characters of a str as bytes, which the caller frees; NULL without memory. */
static uint8_t *bytes_of(PyObject *text, size_t *length)
{
    Py_ssize_t characters = PyUnicode_GET_LENGTH(text);
    uint8_t *bytes = malloc((size_t)characters * 4 + 16);
    if (bytes == NULL)
        return NULL;
    uint8_t *end = ct_put_text(bytes, text, characters), *start = bytes;
    while (*start++ & 0x80) /* the length that stands before it */
        ;
    *length = (size_t)(end - start);
    memmove(bytes, start, *length);
    return bytes;
}

static void keep_characters(PyObject *text)
{
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        keep_bytes(PyUnicode_1BYTE_DATA(text), (size_t)PyUnicode_GET_LENGTH(text));
        return;
    }
    size_t length;
    uint8_t *utf8 = bytes_of(text, &length);
    if (utf8 != NULL)
        keep_bytes(utf8, length);
    free(utf8);
}

/* What stands between the quotes of its repr, where that is another text: it is how a list or dict
 * shows it.  `shown` is new, or NULL with an exception. */
static void keep_shown(PyObject *shown, Py_ssize_t prefix, Py_ssize_t characters)
{
    Py_ssize_t length = shown != NULL ? PyUnicode_GET_LENGTH(shown) - prefix - 1 : 0;
    PyObject *inner =
        length > characters ? PyUnicode_Substring(shown, prefix, prefix + length) : NULL;
    if (inner != NULL)
        keep_characters(inner);
    PyErr_Clear();
    Py_XDECREF(inner);
    Py_XDECREF(shown);
}

static void keep_text(PyObject *text)
{
    Py_ssize_t characters = PyUnicode_GET_LENGTH(text);
    if (characters < CHARACTERS_MIN)
        return;
    if ((size_t)characters > TEXT_LIMIT) {
        ct_secret_counts.forgotten++;
        return;
    }
    keep_characters(text);
    keep_shown(PyUnicode_Type.tp_repr(text), sizeof "'" - 1, characters);
}

static void keep_bytes_object(PyObject *bytes)
{
    Py_ssize_t length = PyBytes_GET_SIZE(bytes);
    if (length < CHARACTERS_MIN)
        return;
    keep_bytes((const uint8_t *)PyBytes_AS_STRING(bytes), (size_t)length);
    if ((size_t)length <= TEXT_LIMIT)
        keep_shown(PyBytes_Repr(bytes, 1), sizeof "b'" - 1, length);
}

#define DIGITS 24

/* The digits of an int; 0 when it is too large, or too small to be a secret. */
static size_t digits_of(PyObject *number, char digits[DIGITS])
{
    int64_t value;
    if (!ct_int_fits(number, &value)) {
        PyErr_Clear();
        return 0;
    }
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int length = snprintf(digits, DIGITS, "%llu", (unsigned long long)magnitude);
    return length >= CHARACTERS_MIN ? (size_t)length : 0;
}

static void keep_int(PyObject *number)
{
    char digits[DIGITS];
    size_t length = digits_of(number, digits);
    if (length != 0)
        keep_bytes((const uint8_t *)digits, length);
}

/* `nodes` is how many values may still be looked at. */
static void keep(PyObject *value, int depth, int *nodes)
{
    if (depth > DEPTH || --*nodes < 0)
        return;
    if (PyUnicode_Check(value)) {
        keep_text(value);
    } else if (PyBytes_Check(value)) {
        keep_bytes_object(value);
    } else if (PyLong_Check(value)) {
        keep_int(value);
    } else if (PyList_Check(value) || PyTuple_Check(value)) {
        Py_ssize_t n;
        PyObject **items = ct_sequence_items(value, &n);
        for (Py_ssize_t i = 0; i < n && *nodes > 0; i++)
            if (items[i] != NULL)
                keep(items[i], depth + 1, nodes);
    } else if (PyDict_Check(value)) {
        Py_ssize_t at = 0;
        PyObject *key, *item;
        while (*nodes > 0 && PyDict_Next(value, &at, &key, &item))
            keep(item, depth + 1, nodes);
    } else if (PyAnySet_Check(value)) {
        Py_ssize_t at = 0;
        PyObject *item;
        while (*nodes > 0 && (item = ct_set_next(value, &at)) != NULL)
            keep(item, depth + 1, nodes);
    }
}

void ct_secrets_keep(PyObject *value)
{
    int nodes = NODES;
    keep(value, 0, &nodes);
}

/* The longest secret that the bytes begin with; NULL when there is none. */
static const struct secret *secret_at(const uint8_t *bytes, size_t length)
{
    uint32_t hash = hash_of(bytes);
    if (ct_likely(!(starts[hash >> 6] >> (hash & 63) & 1)))
        return NULL;
    for (int i = buckets[hash % BUCKETS]; i != NONE; i = secrets[i].next)
        if (secrets[i].length <= length && memcmp(secrets[i].bytes, bytes, secrets[i].length) == 0)
            return &secrets[i];
    return NULL;
}

static bool within_bytes(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i + CHARACTERS_MIN <= length; i++)
        if (secret_at(bytes + i, length - i) != NULL)
            return true;
    return false;
}

static bool within_text(PyObject *text)
{
    if (PyUnicode_IS_COMPACT_ASCII(text))
        return within_bytes(PyUnicode_1BYTE_DATA(text), (size_t)PyUnicode_GET_LENGTH(text));
    size_t length;
    uint8_t *utf8 = bytes_of(text, &length);
    bool found = utf8 != NULL && within_bytes(utf8, length);
    free(utf8);
    return found;
}

static bool within(PyObject *value, int depth, int *nodes)
{
    if (depth > DEPTH || --*nodes < 0)
        return false;
    if (PyUnicode_Check(value))
        return within_text(value);
    if (PyBytes_Check(value))
        return within_bytes((const uint8_t *)PyBytes_AS_STRING(value),
                            (size_t)PyBytes_GET_SIZE(value));
    if (PyLong_Check(value)) {
        char digits[DIGITS];
        return within_bytes((const uint8_t *)digits, digits_of(value, digits));
    }
    if (!PyList_Check(value) && !PyTuple_Check(value))
        return false;
    Py_ssize_t n;
    PyObject **items = ct_sequence_items(value, &n);
    for (Py_ssize_t i = 0; i < n && *nodes > 0; i++)
        if (items[i] != NULL && within(items[i], depth + 1, nodes))
            return true;
    return false;
}

bool ct_secrets_within(PyObject *value)
{
    int nodes = NODES;
    return count != 0 && within(value, 0, &nodes);
}

uint8_t *ct_secrets_hide(const uint8_t *bytes, size_t *length)
{
    if (ct_likely(count == 0) || !ct_secrets_in_output)
        return NULL;
    uint8_t *copy = NULL;
    size_t kept = 0, used = 0; /* of `bytes` and of `copy` */
    for (size_t i = 0; i + CHARACTERS_MIN <= *length;) {
        const struct secret *found = secret_at(bytes + i, *length - i);
        if (ct_likely(found == NULL)) {
            i++;
            continue;
        }
        /* A secret is six bytes or more and its mark is ten. */
        if (copy == NULL && (copy = malloc(*length * 2 + sizeof MARK)) == NULL)
            return NULL;
        memcpy(copy + used, bytes + kept, i - kept);
        used += i - kept;
        memcpy(copy + used, MARK, sizeof MARK - 1);
        used += sizeof MARK - 1;
        kept = i += found->length;
        ct_secret_counts.hidden++;
    }
    if (copy == NULL)
        return NULL;
    memcpy(copy + used, bytes + kept, *length - kept);
    *length = used + *length - kept;
    return copy;
}

/* Hide the secrets that begin in the first `before` of the bytes that `places` lists and end behind
 * them. */
static void hide_across(uint8_t *const *places, size_t before, size_t length)
{
    uint8_t bytes[2 * TAIL];
    for (size_t i = 0; i < length; i++)
        bytes[i] = *places[i];
    for (size_t i = 0; i < before && i + CHARACTERS_MIN <= length; i++) {
        const struct secret *found = secret_at(bytes + i, length - i);
        if (found == NULL || i + found->length <= before)
            continue;
        for (size_t end = i + found->length; i < end; i++)
            *places[i] = '*';
        ct_secret_counts.hidden++;
    }
}

void ct_secrets_written(uint8_t stream, uint8_t *place, size_t length)
{
    if (ct_likely(count == 0) || !ct_secrets_in_output)
        return;
    struct tail *tail = &tails[stream];
    if (tail->generation != ct_out.generation)
        tail->length = 0;
    tail->generation = ct_out.generation;
    uint8_t *places[2 * TAIL];
    size_t before = tail->length, head = length < TAIL ? length : TAIL;
    memcpy(places, tail->places, before * sizeof *places);
    for (size_t i = 0; i < head; i++)
        places[before + i] = place + i;
    hide_across(places, before, before + head);
    size_t all = before + length, kept = longest - 1 < TAIL ? longest - 1 : TAIL;
    tail->length = kept < all ? kept : all;
    for (size_t i = 0; i < tail->length; i++) {
        size_t at = all - tail->length + i;
        tail->places[i] = at < before ? places[at] : place + (at - before);
    }
}
