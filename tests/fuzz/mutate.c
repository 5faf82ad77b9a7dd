/* Feeds LLVMFuzzerTestOneInput with mutations of a corpus, always the same ones for a seed.
 *
 *   mutate SEED RUNS SECONDS OUT FILE...
 *
 * ends after RUNS runs or SECONDS seconds, whichever comes first, and prints how much was reached.
 * Where the code under test is built with -fsanitize-coverage=trace-pc, inputs that reach new code
 * are mutated in turn.  What makes a sanitizer report something, or takes too long, is left in the
 * file OUT. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INPUT_LIMIT 16384
#define POOL_LIMIT  8192
#define MAP_SIZE    (1u << 16)
#define RUN_LIMIT_S 10
#define CHANGES     6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void));
void __sanitizer_cov_trace_pc(void);

struct input {
    uint8_t *data;
    size_t size;
};

static struct input pool[POOL_LIMIT];
static size_t pool_size;
static uint8_t current[INPUT_LIMIT];
static size_t current_size;
static const char *out;
static uint64_t random_state;

/* ---- coverage: pairs of places that ran one after the other, with how often in powers of two */

static uint8_t hits[MAP_SIZE], known[MAP_SIZE];
static uintptr_t last_place;

__attribute__((no_sanitize_address, no_sanitize_undefined)) void __sanitizer_cov_trace_pc(void)
{
    /* Where the system has put the program differs from run to run. */
    uintptr_t place = (uintptr_t)__builtin_return_address(0) - (uintptr_t)LLVMFuzzerTestOneInput;
    place = (place >> 4) ^ (place << 8);
    uint8_t *count = &hits[(place ^ last_place) & (MAP_SIZE - 1)];
    if (*count != UINT8_MAX)
        ++*count;
    last_place = place >> 1;
}

/* Whether the last run has reached anything new, which is known from now on. */
static int has_reached_more(void)
{
    int more = 0;
    for (size_t i = 0; i < MAP_SIZE; i++)
        if (hits[i] != 0) {
            uint8_t bit = (uint8_t)(1u << (31 - __builtin_clz(hits[i])));
            more |= (known[i] & bit) == 0;
            known[i] |= bit;
            hits[i] = 0;
        }
    return more;
}

static size_t places_reached(void)
{
    size_t reached = 0;
    for (size_t i = 0; i < MAP_SIZE; i++)
        reached += known[i] != 0;
    return reached;
}

/* ---- mutations */

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void remove_bytes(size_t at, size_t count)
{
    memmove(current + at, current + at + count, current_size - at - count);
    current_size -= count;
}

static void insert_bytes(size_t at, const uint8_t *bytes, size_t count)
{
    if (current_size + count > INPUT_LIMIT)
        return;
    memmove(current + at + count, current + at, current_size - at);
    memcpy(current + at, bytes, count);
    current_size += count;
}

static void insert_copy(const uint8_t *from, size_t size)
{
    uint8_t copy[256];
    if (size == 0)
        return;
    size_t begin = draw(size), count = 1 + draw(sizeof copy - 1);
    if (count > size - begin)
        count = size - begin;
    memcpy(copy, from + begin, count);
    insert_bytes(draw(current_size + 1), copy, count);
}

static void change_once(void)
{
    static const uint8_t numbers[][10] = {
        {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
        {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01},
        {0xFF, 0xFF, 0xFF, 0xFF, 0x0F},
        {0xFF, 0xFF, 0x7F},
        {0x80, 0x80, 0x01},
    };
    static const uint8_t lengths[] = {10, 10, 5, 3, 3};
    size_t at = current_size != 0 ? draw(current_size) : 0;
    uint64_t kind = current_size != 0 ? draw(8) : 7;
    if (kind == 0) {
        current[at] ^= (uint8_t)(1u << draw(8));
    } else if (kind == 1) {
        current[at] = (uint8_t)draw(256);
    } else if (kind == 2) {
        current[at] = (uint8_t)(current[at] + draw(33) - 16);
    } else if (kind == 3) {
        size_t count = 1 + draw(32);
        remove_bytes(at, count < current_size - at ? count : current_size - at);
    } else if (kind == 4) {
        size_t which = draw(sizeof lengths);
        insert_bytes(at, numbers[which], lengths[which]);
    } else if (kind == 5) {
        insert_copy(current, current_size);
    } else if (kind == 6) {
        const struct input *other = &pool[draw(pool_size)];
        insert_copy(other->data, other->size);
    } else {
        uint8_t byte = (uint8_t)draw(256);
        insert_bytes(at, &byte, 1);
    }
}

static void mutate(void)
{
    const struct input *parent = &pool[draw(pool_size)];
    memcpy(current, parent->data, parent->size);
    current_size = parent->size;
    for (uint64_t changes = 1 + draw(CHANGES); changes > 0; changes--)
        change_once();
}

/* ---- running */

static void keep_current(void)
{
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0 && write(fd, current, current_size) == (ssize_t)current_size)
        close(fd);
}

static void took_too_long(int signal)
{
    static const char message[] = "mutate: a run does not end\n";
    (void)signal;
    keep_current();
    if (write(2, message, sizeof message - 1) < 0)
        _exit(3);
    _exit(2);
}

static void run_current(void)
{
    last_place = 0;
    alarm(RUN_LIMIT_S);
    LLVMFuzzerTestOneInput(current, current_size);
    alarm(0);
}

static void add_to_pool(void)
{
    if (pool_size == POOL_LIMIT)
        return;
    struct input *input = &pool[pool_size];
    input->data = malloc(current_size + 1);
    if (input->data == NULL)
        return;
    memcpy(input->data, current, current_size);
    input->size = current_size;
    pool_size++;
}

static int read_file(const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t size = fd >= 0 ? read(fd, current, INPUT_LIMIT) : -1;
    if (fd >= 0)
        close(fd);
    current_size = size > 0 ? (size_t)size : 0;
    return size >= 0;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: mutate SEED RUNS SECONDS OUT FILE...\n");
        return 2;
    }
    random_state = strtoull(argv[1], NULL, 10) * 0x9E3779B97F4A7C15u + 1;
    uint64_t runs = strtoull(argv[2], NULL, 10), done = 0;
    time_t end = time(NULL) + atol(argv[3]);
    out = argv[4];
    signal(SIGALRM, took_too_long);
    __sanitizer_set_death_callback(keep_current);
    for (int i = 5; i < argc; i++) {
        if (!read_file(argv[i])) {
            fprintf(stderr, "mutate: cannot read %s\n", argv[i]);
            return 2;
        }
        run_current();
        has_reached_more();
        add_to_pool();
    }
    for (; done < runs && time(NULL) < end; done++) {
        mutate();
        run_current();
        if (has_reached_more())
            add_to_pool();
    }
    printf("%llu runs, %zu inputs kept, %zu places reached\n", (unsigned long long)done, pool_size,
           places_reached());
    return 0;
}
