/* Pages of a temporary file.  Plain reads and writes, not a mapping: what is resident is exactly
 * the pages here, and a full disk is an error instead of a signal. */
/* pread and pwrite, with offsets of 64 bits. */
#define _XOPEN_SOURCE     700
#define _FILE_OFFSET_BITS 64

#include "expand_store.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void ct_store_open(struct ct_store *store, int fd)
{
    *store = (struct ct_store){.fd = fd};
}

void ct_store_close(struct ct_store *store)
{
    free(store->memory);
    *store = (struct ct_store){.fd = -1, .failed = true};
}

static bool write_page(struct ct_store *store, uint64_t page, const uint8_t *data)
{
    uint64_t offset = page * CT_STORE_PAGE;
    for (size_t done = 0; done < CT_STORE_PAGE;) {
        ssize_t n = pwrite(store->fd, data + done, CT_STORE_PAGE - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    if (store->written < offset + CT_STORE_PAGE)
        store->written = offset + CT_STORE_PAGE;
    return true;
}

static bool read_page(struct ct_store *store, uint64_t page, uint8_t *data)
{
    uint64_t offset = page * CT_STORE_PAGE;
    if (offset >= store->written) {
        memset(data, 0, CT_STORE_PAGE);
        return true;
    }
    for (size_t done = 0; done < CT_STORE_PAGE;) {
        ssize_t n = pread(store->fd, data + done, CT_STORE_PAGE - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0) {
            /* A page in a hole behind the last one written. */
            memset(data + done, 0, CT_STORE_PAGE - done);
            return true;
        }
        done += (size_t)n;
    }
    return true;
}

static uint8_t *load(struct ct_store *store, uint64_t page)
{
    size_t place = page % CT_STORE_PAGES;
    struct ct_store_page *entry = &store->pages[place];
    if (!store->memory && !(store->memory = malloc(CT_STORE_PAGE * CT_STORE_PAGES)))
        return NULL;
    uint8_t *data = store->memory + place * CT_STORE_PAGE;
    if (entry->number == page + 1)
        return data;
    if (entry->dirty && !write_page(store, entry->number - 1, data))
        return NULL;
    *entry = (struct ct_store_page){0, false};
    if (!read_page(store, page, data))
        return NULL;
    entry->number = page + 1;
    return data;
}

uint8_t *ct_store_at(struct ct_store *store, uint64_t offset, size_t size, bool change)
{
    uint64_t page = offset / CT_STORE_PAGE;
    size_t start = offset % CT_STORE_PAGE;
    uint8_t *data = store->failed || size > CT_STORE_PAGE - start ? NULL : load(store, page);
    if (!data) {
        store->failed = true;
        return NULL;
    }
    store->pages[page % CT_STORE_PAGES].dirty |= change;
    return data + start;
}

static size_t piece_at(uint64_t offset, size_t size)
{
    size_t room = CT_STORE_PAGE - offset % CT_STORE_PAGE;
    return size < room ? size : room;
}

uint64_t ct_store_append(struct ct_store *store, struct ct_span bytes)
{
    uint64_t start = store->length;
    for (size_t done = 0; done < bytes.length;) {
        size_t piece = piece_at(store->length, bytes.length - done);
        uint8_t *at = ct_store_at(store, store->length, piece, true);
        if (!at)
            break;
        memcpy(at, bytes.data + done, piece);
        done += piece;
        store->length += piece;
    }
    return start;
}

bool ct_store_read(struct ct_store *store, uint64_t offset, void *out, size_t size)
{
    if (offset > store->length || size > store->length - offset)
        return false;
    for (size_t done = 0; done < size;) {
        size_t piece = piece_at(offset + done, size - done);
        const uint8_t *at = ct_store_at(store, offset + done, piece, false);
        if (!at)
            return false;
        memcpy((uint8_t *)out + done, at, piece);
        done += piece;
    }
    return true;
}
