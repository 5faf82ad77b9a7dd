/* A temporary file of any length, seen through a few pages of memory. */
#ifndef CT_EXPAND_STORE_H
#define CT_EXPAND_STORE_H

#include "cbor.h"

#define CT_STORE_PAGE  ((size_t)16 << 10)
#define CT_STORE_PAGES 32

struct ct_store {
    int fd;           /* borrowed */
    uint64_t length;  /* bytes appended */
    uint64_t written; /* bytes that the file holds: beyond it a page is new */
    uint8_t *memory;
    struct ct_store_page {
        uint64_t number; /* of the page in the file, plus one; 0 when the place is free */
        bool dirty;
    } pages[CT_STORE_PAGES];
    bool failed; /* reading or writing failed, or memory is out */
};

void ct_store_open(struct ct_store *store, int fd);
void ct_store_close(struct ct_store *store);

/* The memory of `size` bytes at `offset`, which do not cross a page: valid until the next use of
 * the store. NULL when the store has failed. */
uint8_t *ct_store_at(struct ct_store *store, uint64_t offset, size_t size, bool change);

/* Append `bytes` and return where they begin. */
uint64_t ct_store_append(struct ct_store *store, struct ct_span bytes);
/* Copy bytes out; false when the store has failed or does not hold them. */
bool ct_store_read(struct ct_store *store, uint64_t offset, void *out, size_t size);

#endif
