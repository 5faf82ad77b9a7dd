/* The ring of slots: opening, sealing and recycling chunks.  docs/journal.md describes what a
 * killed process leaves. */
#include "chunk.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include "ct.h"
#include "save_signal.h"
#include "value.h"

#define AGE_CHECK_BYTES ((size_t)64 << 10) /* how often an unfilled chunk is asked for its age */
#define AGE_LIMIT_NS    1000000000ull
#define AGE_CHECK_MS    500 /* how often the writer asks the live chunk for its age */
#define SIGNAL_CHECK_MS 200

#if defined __linux__ && !defined MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* headers older than Linux 5.14 do not name it */
#endif

enum slot_state { SLOT_FREE, SLOT_LIVE, SLOT_SEALED, SLOT_WRITING };

struct ct_out ct_out;
size_t ct_slot_bytes;
struct ct_chunk_counts ct_chunk_counts;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t sealed; /* the writer waits for this */
    pthread_cond_t freed;  /* the program waits for this */
    uint8_t *ring;
    enum slot_state state[CT_SLOTS];
    uint64_t sequence[CT_SLOTS];
    bool has_pages[CT_SLOTS]; /* the writer has asked for them */
    uint64_t next_sequence;
    int live; /* slot of the live chunk, -1 when there is none */
    bool closing;
    int pauses;         /* forks for which the writer is to end or not to begin */
    uint64_t opened_ns; /* monotonic */
    uint64_t aged;      /* sequence of the last chunk that the program was to seal for its age */
    uint64_t idle;      /* sequence of the last one that the writer was to seal instead */
    uint8_t session[16];
    uint8_t boot[16];
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .sealed = PTHREAD_COND_INITIALIZER,
          .freed = PTHREAD_COND_INITIALIZER,
          .live = -1};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint8_t *slot_base(int slot)
{
    return ring.ring + CT_RING_HEADER + (size_t)slot * ct_slot_bytes;
}

static void put_u32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}
static void put_u64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

/* Write the header of a new chunk into a free slot and make it live.  The sequence is stored last:
 * until then a reader takes the slot for what it held before (a chunk that is in the journal) or
 * for unused. */
static void open_slot(int slot, struct ct_chunk_position position)
{
    uint8_t *base = slot_base(slot);
    uint64_t sequence = ring.next_sequence++;
    __atomic_store_n((uint64_t *)(base + 24), 0, __ATOMIC_RELEASE);
    memset(base + 32, 0, CTJ_CHUNK_HEADER - 32);
    put_u32(base, CTJ_CHUNK_MAGIC);
    put_u32(base + 4, CTJ_VERSION | (uint32_t)CTJ_CHUNK_HEADER << 16);
    memcpy(base + 8, ring.session, 16);
    put_u64(base + 32, position.steps);
    put_u64(base + 40, position.next_key);
    ring.opened_ns = clock_ns(CLOCK_MONOTONIC);
    put_u64(base + 48, clock_ns(CLOCK_REALTIME));
    put_u64(base + 56, ring.opened_ns);
    memcpy(base + 88, ring.boot, 16);
    base[CTJ_CHUNK_HEADER] = CTJ_END;
    __atomic_store_n((uint64_t *)(base + 24), sequence, __ATOMIC_RELEASE);

    ring.sequence[slot] = sequence;
    ring.state[slot] = SLOT_LIVE;
    ring.live = slot;
    ct_out.at = ct_out.news = base + CTJ_CHUNK_HEADER;
    ct_out.hard = base + CT_CHUNK_BYTES + CT_BOUNDARY_ROOM + (size_t)ct_limits.step;
    ct_out.generation = sequence;
    __atomic_store_n(&ct_out.soft, base + AGE_CHECK_BYTES, __ATOMIC_RELAXED);
}

/* The lock is held. */
static void seal_slot(void)
{
    uint8_t *base = slot_base(ring.live);
    uint32_t length = (uint32_t)(ct_out.at - (base + CTJ_CHUNK_HEADER));
    put_u64(base + 64, clock_ns(CLOCK_REALTIME));
    put_u64(base + 72, clock_ns(CLOCK_MONOTONIC));
    __atomic_store_n((uint32_t *)(base + 80), length, __ATOMIC_RELEASE);
    ring.state[ring.live] = SLOT_SEALED;
    ring.live = -1;
    ct_chunk_counts.chunks++;
    ct_chunk_counts.bytes += length;
    pthread_cond_signal(&ring.sealed);
}

uint64_t ct_chunk_live_bytes(void)
{
    pthread_mutex_lock(&ring.lock);
    uint64_t bytes = 0;
    if (ring.live >= 0)
        bytes = (uint64_t)(ct_out.at - (slot_base(ring.live) + CTJ_CHUNK_HEADER));
    pthread_mutex_unlock(&ring.lock);
    return bytes;
}

static int find_slot(enum slot_state state)
{
    int found = -1;
    for (int i = 0; i < CT_SLOTS; i++)
        if (ring.state[i] == state && (found < 0 || ring.sequence[i] < ring.sequence[found]))
            found = i;
    return found;
}

size_t ct_chunk_size_slots(void)
{
    size_t limits =
        2 * (size_t)ct_limits.step + 4 * (size_t)ct_limits.value + 16 * (size_t)ct_limits.text;
    ct_slot_bytes = (CT_CHUNK_BYTES + CT_BOUNDARY_ROOM + limits + 0xFFFF) & ~(size_t)0xFFFF;
    return CT_RING_HEADER + CT_SLOTS * ct_slot_bytes;
}

void ct_chunk_open(uint8_t *mapping, const uint8_t session[16], const uint8_t boot[16])
{
    ring.ring = mapping;
    memcpy(ring.session, session, 16);
    memcpy(ring.boot, boot, 16);
    memset(ring.state, 0, sizeof ring.state);
    memset(ring.sequence, 0, sizeof ring.sequence);
    memset(ring.has_pages, 0, sizeof ring.has_pages);
    ring.next_sequence = 1;
    ring.closing = false;
    ring.pauses = 0;
    ring.aged = ring.idle = 0;
    memset(&ct_chunk_counts, 0, sizeof ct_chunk_counts);
    open_slot(0, (struct ct_chunk_position){0, 1});
}

bool ct_chunk_has_news(uint64_t sequence)
{
    return ring.live >= 0 && ct_out.generation == sequence && ct_out.at > ct_out.news;
}

bool ct_chunk_wants_seal(void)
{
    uint8_t *full = slot_base(ring.live) + CT_CHUNK_BYTES;
    if (ct_out.at >= full || clock_ns(CLOCK_MONOTONIC) - ring.opened_ns >= AGE_LIMIT_NS)
        return true;
    uint8_t *next = ct_out.at + AGE_CHECK_BYTES;
    __atomic_store_n(&ct_out.soft, next < full ? next : full, __ATOMIC_RELAXED);
    return false;
}

/* The slot of the next chunk, -1 when none is free: the lowest one first, so that a program that
 * never outruns the writer touches two slots only.  The lock is held. */
static int next_slot(void)
{
    int slot = 0;
    while (slot < CT_SLOTS && ring.state[slot] != SLOT_FREE)
        slot++;
    return slot < CT_SLOTS ? slot : -1;
}

bool ct_chunk_roll(struct ct_chunk_position position)
{
    pthread_mutex_lock(&ring.lock);
    int slot = next_slot();
    if (slot >= 0) {
        if (ring.live >= 0)
            seal_slot();
        open_slot(slot, position);
    }
    pthread_mutex_unlock(&ring.lock);
    return slot >= 0;
}

static struct timespec deadline(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

void ct_chunk_wait(int ms)
{
    uint64_t before = clock_ns(CLOCK_MONOTONIC);
    struct timespec until = deadline(ms);
    pthread_mutex_lock(&ring.lock);
    if (find_slot(SLOT_FREE) < 0)
        pthread_cond_timedwait(&ring.freed, &ring.lock, &until);
    pthread_mutex_unlock(&ring.lock);
    ct_chunk_counts.stall_ns += clock_ns(CLOCK_MONOTONIC) - before;
}

size_t ct_chunk_copy(int slot, uint8_t *out)
{
    size_t length = 0;
    pthread_mutex_lock(&ring.lock);
    if (ring.ring != NULL && ring.state[slot] != SLOT_FREE) {
        const uint8_t *base = slot_base(slot);
        uint32_t records;
        memcpy(&records, base + 80, sizeof records);
        if (slot == ring.live)
            records = (uint32_t)(ct_out.at - (base + CTJ_CHUNK_HEADER));
        length = CTJ_CHUNK_HEADER + records;
        memcpy(out, base, length);
        put_u32(out + 80, records);
        if (slot == ring.live) {
            put_u64(out + 64, clock_ns(CLOCK_REALTIME));
            put_u64(out + 72, clock_ns(CLOCK_MONOTONIC));
        }
        length = records != 0 ? length : 0;
    }
    pthread_mutex_unlock(&ring.lock);
    return length;
}

void ct_chunk_close(void)
{
    pthread_mutex_lock(&ring.lock);
    if (ring.live >= 0)
        seal_slot();
    ring.closing = true;
    pthread_cond_broadcast(&ring.sealed);
    pthread_mutex_unlock(&ring.lock);
}

void ct_chunk_release(void)
{
    ring.ring = NULL;
    ring.live = -1;
}

/* ---- the writer's side: called without the GIL
 * ------------------------------------------------- */

/* Wait until a chunk is sealed or the live one is old.  First the program is to seal an old chunk,
 * at its next boundary; when it has not come to one for another while, true is returned: the
 * program is idle.  Once that was said of a chunk, only sealing it ends the wait.  The lock is
 * held.
 */
static bool wait_for_age(void)
{
    uint64_t live = ring.live >= 0 ? ring.sequence[ring.live] : 0;
    struct timespec until = deadline(ct_save_signal_is_watched() ? SIGNAL_CHECK_MS : AGE_CHECK_MS);
    if (live == 0 || ring.idle == live) {
        if (ct_save_signal_is_watched())
            pthread_cond_timedwait(&ring.sealed, &ring.lock, &until);
        else
            pthread_cond_wait(&ring.sealed, &ring.lock);
        return false;
    }

    if (pthread_cond_timedwait(&ring.sealed, &ring.lock, &until) != ETIMEDOUT || ring.live < 0 ||
        ring.sequence[ring.live] != live ||
        clock_ns(CLOCK_MONOTONIC) - ring.opened_ns < AGE_LIMIT_NS)
        return false;
    if (ring.aged != live) {
        ring.aged = live;
        __atomic_store_n(&ct_out.soft, slot_base(ring.live) + CTJ_CHUNK_HEADER, __ATOMIC_RELAXED);
        return false;
    }
    ring.idle = live;
    return true;
}

/* Ask the system for the pages of the live chunk or the next one, ahead of the program: when it
 * touches a page of the file for the first time, that takes it longer than to fill the page.  False
 * when both have theirs.  The lock is held, but not meanwhile. */
static bool get_pages(void)
{
#ifdef MADV_POPULATE_WRITE
    int next = next_slot();
    int slot = ring.live >= 0 && !ring.has_pages[ring.live] ? ring.live : next;
    if (slot < 0 || ring.has_pages[slot])
        return false;
    ring.has_pages[slot] = true;
    pthread_mutex_unlock(&ring.lock);
    madvise(slot_base(slot), CT_CHUNK_BYTES, MADV_POPULATE_WRITE);
    pthread_mutex_lock(&ring.lock);
    return true;
#else
    return false;
#endif
}

enum ct_taken ct_chunk_take(bool wait, int *slot, uint64_t *sequence, uint8_t **data,
                            uint32_t *length)
{
    enum ct_taken result = CT_TAKEN_NONE;
    int found;
    pthread_mutex_lock(&ring.lock);
    while ((found = find_slot(SLOT_SEALED)) < 0 && wait && !ring.closing && ring.pauses == 0) {
        if (get_pages())
            continue;
        if (wait_for_age()) {
            *sequence = ring.idle;
            result = CT_TAKEN_IDLE;
            break;
        }
        if (ct_save_signal_taken()) {
            result = CT_TAKEN_SIGNAL;
            break;
        }
    }
    if (found >= 0) {
        uint8_t *base = slot_base(found);
        uint32_t records;
        memcpy(&records, base + 80, sizeof records);
        ring.state[found] = SLOT_WRITING;
        *slot = found;
        *sequence = ring.sequence[found];
        *data = base;
        *length = records + CTJ_CHUNK_HEADER;
        result = CT_TAKEN_CHUNK;
    }
    pthread_mutex_unlock(&ring.lock);
    return result;
}

/* Whether a sealed chunk up to `sequence` is not in the journal.  The lock is held. */
static bool is_unwritten(uint64_t sequence)
{
    for (int i = 0; i < CT_SLOTS; i++)
        if ((ring.state[i] == SLOT_SEALED || ring.state[i] == SLOT_WRITING) &&
            ring.sequence[i] <= sequence)
            return true;
    return false;
}

bool ct_chunk_return(int slot)
{
    pthread_mutex_lock(&ring.lock);
    ring.state[slot] = SLOT_SEALED;
    bool is_over = ring.closing || ring.pauses != 0;
    pthread_mutex_unlock(&ring.lock);
    return is_over;
}

void ct_chunk_give(int slot)
{
    pthread_mutex_lock(&ring.lock);
    ring.state[slot] = SLOT_FREE;
    pthread_cond_broadcast(&ring.freed);
    pthread_mutex_unlock(&ring.lock);
}

/* Wait up to `ms` until the chunks up to `sequence` are in the journal; whether they are. */
int ct_writer_wait(uint64_t sequence, int ms)
{
    struct timespec until = deadline(ms);
    pthread_mutex_lock(&ring.lock);
    bool waiting = is_unwritten(sequence);
    if (waiting) {
        pthread_cond_timedwait(&ring.freed, &ring.lock, &until);
        waiting = is_unwritten(sequence);
    }
    pthread_mutex_unlock(&ring.lock);
    return !waiting;
}

/* Make the writer end as soon as nothing is sealed; when each who asked for it has taken it back,
 * one may run again, which the program starts at its next boundary. */
void ct_writer_pause(int paused)
{
    pthread_mutex_lock(&ring.lock);
    ring.pauses += paused != 0 ? 1 : -1;
    if (ring.pauses == 0 && ring.live >= 0)
        __atomic_store_n(&ct_out.soft, (uint8_t *)NULL, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&ring.sealed);
    pthread_mutex_unlock(&ring.lock);
}

bool ct_chunk_is_paused(void)
{
    pthread_mutex_lock(&ring.lock);
    bool paused = ring.pauses != 0;
    pthread_mutex_unlock(&ring.lock);
    return paused;
}

void ct_chunk_forked(void)
{
    pthread_mutex_init(&ring.lock, NULL);
    pthread_cond_init(&ring.sealed, NULL);
    pthread_cond_init(&ring.freed, NULL);
}
