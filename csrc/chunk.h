/* Where records go: the live chunk, sealing it, and the queue from which the writer thread takes
 * sealed chunks.
 *
 * The program's threads build records under the GIL; the writer works on sealed slots without it.
 */
#ifndef CT_CHUNK_H
#define CT_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "journal_format.h"

#define CT_SLOTS       5
#define CT_CHUNK_BYTES ((size_t)512 << 10)
#define CT_BOUNDARY_ROOM                                                                           \
    ((size_t)768 << 10) /* a preamble and the definitions that a unit needs                        \
                         */
#define CT_RING_HEADER 4096

/* Bytes of a slot: a chunk, and behind it what may be written before the next boundary. */
extern size_t ct_slot_bytes;

/* Fix the size of slots from the limits of values; returns the bytes of the ring. */
size_t ct_chunk_size_slots(void);

/* The live chunk.  `at` points at a 0 byte: the end of what readers see. */
struct ct_out {
    uint8_t *at;
    uint8_t *soft; /* beyond this the chunk is sealed at the next boundary between units; lowered by
                      the writer */
    uint8_t *hard; /* no value is encoded beyond this */
    uint8_t *news; /* what comes before only repeats what earlier chunks say */
    uint64_t generation; /* sequence of the live chunk */
};
extern struct ct_out ct_out;

struct ct_chunk_counts {
    uint64_t chunks;
    uint64_t bytes;    /* of records in sealed chunks, before compression */
    uint64_t stalls;   /* how often the program waited for a free slot */
    uint64_t stall_ns; /* time the program waited for a free slot */
};
extern struct ct_chunk_counts ct_chunk_counts;

/* Positions that go into the header of the next chunk. */
struct ct_chunk_position {
    uint64_t steps;
    uint64_t next_key;
};

static inline uint8_t *ct_put_uv(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)v | 0x80;
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static inline uint64_t ct_zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

/* Make the unit that starts at `start` and ends before `end` visible: its tag is stored last. */
static inline void ct_commit(uint8_t *start, uint8_t *end, uint8_t tag)
{
    *end = 0;
    __atomic_store_n(start, tag, __ATOMIC_RELEASE);
    ct_out.at = end;
}

static inline bool ct_chunk_is_full(void)
{
    return ct_out.at > __atomic_load_n(&ct_out.soft, __ATOMIC_RELAXED);
}

/* Bytes of records in the live chunk; 0 when there is none. */
uint64_t ct_chunk_live_bytes(void);

/* Take over a mapping of ct_chunk_size_slots() bytes and open the first chunk. */
void ct_chunk_open(uint8_t *ring, const uint8_t session[16], const uint8_t boot[16]);

/* True when the chunk really has to be sealed now; extends the soft limit otherwise. */
bool ct_chunk_wants_seal(void);

/* Seal the live chunk, hand it to the writer and open the next one in a free slot.  Returns false
 * when no slot is free; the caller waits (ct_chunk_wait) and tries again.  Call at a boundary
 * between units only. */
bool ct_chunk_roll(struct ct_chunk_position position);

/* Whether chunk number `sequence` is live and says anything new. */
bool ct_chunk_has_news(uint64_t sequence);

/* Wait up to `ms` for a free slot, without the GIL. */
void ct_chunk_wait(int ms);

/* Copy the chunk in `slot`, sealed or not, to `out`, where there is room for a slot, as if it were
 * sealed.  Returns its length, 0 when there is none.  With the GIL, so that no unit is half done.
 */
size_t ct_chunk_copy(int slot, uint8_t *out);

/* What the writer is to do next. */
enum ct_taken {
    CT_TAKEN_NONE,   /* nothing is sealed; after waiting: the session is closed, or a fork near */
    CT_TAKEN_CHUNK,  /* write the sealed chunk in `slot`: number `sequence`, `length` bytes, `data`
                      */
    CT_TAKEN_IDLE,   /* seal chunk number `sequence`: it is old, and the program idle */
    CT_TAKEN_SIGNAL, /* make a copy: the signal for it has come */
};

/* Ask for that; `wait` until there is something.  Without the GIL. */
enum ct_taken ct_chunk_take(bool wait, int *slot, uint64_t *sequence, uint8_t **data,
                            uint32_t *length);

/* The chunk in `slot` could not be written and is to be taken again.  Returns whether that is left
 * to whoever closes the session or is about to fork. */
bool ct_chunk_return(int slot);

/* The chunk in `slot` is in the journal. */
void ct_chunk_give(int slot);

/* Seal the last chunk of a session and let the writer finish. */
void ct_chunk_close(void);

/* In a forked child: nobody holds the locks, whatever they look like. */
void ct_chunk_forked(void);

/* Whether the writer is to end because the process is about to fork. */
bool ct_chunk_is_paused(void);

/* Forget the mapping; the writer must have finished. */
void ct_chunk_release(void);

#endif
