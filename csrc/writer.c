/* Chunks are written without a frame of Python, and the thread that does it has a thread state only
 * while it has something to do: sys._current_frames() and faulthandler do not show it, other tools
 * see no events of it, and where no bytecode runs no garbage of the program is collected, whose
 * finalizers would find themselves in a thread that the program knows nothing of. */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "boundary.h"
#include "chunk.h"
#include "ct.h"
#include "inject.h"
#include "interruptions.h"
#include "own_thread.h"
#include "stack.h"
#include "tracer.h"

#define WRITEBACK_NS 1000000000ull
#define RETRY_MS     100                /* where there is no memory */
#define STATE_BYTES  ((size_t)32 << 10) /* more than a thread state takes */

/* Held while the writer is started or waited for, by threads of the program that are about to fork
 * or have filled a chunk; never together with the GIL. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;

/* What ct_writer_open was given. */
static ct_journal *journal;
static PyObject *compress, *mode, *acquire, *release, *prepare, *appended, *save, *fail;

/* ---- frames of the journal: called without the GIL
 * --------------------------------------------------------------------------------------------- */

static uint32_t crc32_of(uint32_t crc, const uint8_t *data, size_t length)
{
    static uint32_t table[256];
    if (table[1] == 0)
        for (uint32_t i = 256; i-- > 0;) {
            uint32_t remainder = i;
            for (int bit = 0; bit < 8; bit++)
                remainder = remainder >> 1 ^ (remainder & 1 ? 0xEDB88320u : 0);
            table[i] = remainder;
        }
    crc = ~crc;
    for (size_t i = 0; i < length; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xFF];
    return ~crc;
}

static bool is_its_file(const ct_journal *file, int *failed)
{
    struct stat status;
    *failed = fstat(file->descriptor, &status) == 0 ? 0 : errno;
    return *failed == 0 && status.st_dev == file->device && status.st_ino == file->inode;
}

int ct_journal_append(ct_journal *file, int kind, uint64_t sequence, uint32_t inflated,
                      const uint8_t *stored, uint32_t length)
{
    uint8_t start[CTJ_FRAME_START + 4] = {0};
    uint32_t magic = CTJ_FRAME_MAGIC, crc = crc32_of(0, stored, length);
    memcpy(start, &magic, sizeof magic);
    start[4] = (uint8_t)kind;
    start[5] = CTJ_CODEC_ZSTD;
    memcpy(start + 8, &length, sizeof length);
    memcpy(start + 12, &inflated, sizeof inflated);
    memcpy(start + 16, &sequence, sizeof sequence);
    memcpy(start + 24, &crc, sizeof crc);
    crc = crc32_of(0, start, CTJ_FRAME_START);
    memcpy(start + CTJ_FRAME_START, &crc, sizeof crc);

    int failed;
    if (!is_its_file(file, &failed))
        return failed == 0 || failed == EBADF ? CT_JOURNAL_LOST : failed;
    struct iovec parts[] = {{start, sizeof start}, {(void *)stored, length}};
    struct iovec *part = parts, *end = parts + 2;
    while (part < end) {
        ssize_t written = writev(file->descriptor, part, (int)(end - part));
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            failed = errno;
            /* Half a frame would hide every later one from readers. */
            if (ftruncate(file->descriptor, (off_t)file->size) != 0)
                failed = errno;
            return failed;
        }
        while (part < end && (size_t)written >= part->iov_len)
            written -= (ssize_t)part++->iov_len;
        if (part < end) {
            part->iov_base = (uint8_t *)part->iov_base + written;
            part->iov_len -= (size_t)written;
        }
    }
    file->size += sizeof start + length;
    if (sequence > file->last_sequence)
        file->last_sequence = sequence;
    return 0;
}

/* Let the system begin to bring the journal to the disk, now and then, without waiting for it. */
static void start_writeback(void)
{
#ifdef SYNC_FILE_RANGE_WRITE
    static uint64_t before;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
    if (ns - before >= WRITEBACK_NS) {
        before = ns;
        sync_file_range(journal->descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
#endif
}

/* ---- one chunk: called with the GIL
 * --------------------------------------------------------------------------------------------- */

/* Whether the call of a function of the recorder went well; with an exception set if not. */
static bool call(PyObject *function, PyObject *argument)
{
    PyObject *answer =
        argument != NULL ? PyObject_CallOneArg(function, argument) : PyObject_CallNoArgs(function);
    Py_XDECREF(answer);
    return answer != NULL;
}

/* The same for one that runs Python code; in the writer's thread (`own`) no garbage of the program
 * is collected meanwhile. */
static bool attend(bool own, PyObject *function, PyObject *argument)
{
    if (!own)
        return call(function, argument);
    ct_thread_add_writer();
    ct_interruptions before = ct_interruptions_defer();
    bool done = call(function, argument);
    ct_interruptions_resume(before);
    return done;
}

/* Append a frame while the journal is held.  False: an exception is set. */
static bool append(bool own, uint64_t sequence, uint32_t inflated, PyObject *stored)
{
    int failed = journal->has_sources ? CT_JOURNAL_LOST : 0;
    for (int tries = 0; tries < 2; tries++) {
        if (failed == CT_JOURNAL_LOST && !attend(own, prepare, NULL))
            return false;
        Py_BEGIN_ALLOW_THREADS;
        failed = ct_journal_append(journal, CTJ_KIND_CHUNK, sequence, inflated,
                                   (const uint8_t *)PyBytes_AS_STRING(stored),
                                   (uint32_t)PyBytes_GET_SIZE(stored));
        if (failed == 0)
            start_writeback();
        Py_END_ALLOW_THREADS;
        if (failed != CT_JOURNAL_LOST)
            break;
    }
    if (failed == 0)
        return true;
    errno = failed == CT_JOURNAL_LOST ? EBADF : failed;
    PyErr_SetFromErrno(PyExc_OSError);
    return false;
}

static bool write_chunk(bool own, uint64_t sequence, const uint8_t *data, uint32_t length)
{
    /* A copy: a view would be one more object that counts towards the next garbage collection. */
    PyObject *chunk = PyBytes_FromStringAndSize((const char *)data, length);
    PyObject *arguments[] = {chunk, mode};
    PyObject *stored = chunk != NULL ? PyObject_Vectorcall(compress, arguments, 2, NULL) : NULL;
    Py_XDECREF(chunk);
    if (stored == NULL)
        return false;
    Py_ssize_t size = (Py_ssize_t)(CTJ_FRAME_START + 4) + PyBytes_GET_SIZE(stored);
    bool done = call(acquire, NULL);
    if (done) {
        done = append(own, sequence, length, stored);
        PyObject *error = PyErr_GetRaisedException();
        done = call(release, NULL) && done;
        if (error != NULL)
            PyErr_SetRaisedException(error);
    }
    Py_DECREF(stored);
    if (done && journal->is_bounded) {
        PyObject *added = PyLong_FromSsize_t(size);
        done = added != NULL && attend(own, appended, added);
        Py_XDECREF(added);
    }
    return done;
}

/* The journal cannot be written, because of the exception that is set. */
static void give_up(bool own)
{
    PyObject *error = PyErr_GetRaisedException();
    journal->failed = 1;
    if (!attend(own, fail, error))
        PyErr_Clear();
    Py_DECREF(error);
    ct_session_fail();
}

/* What there is to do, with the GIL.  False: the writer's thread has no memory for a chunk. */
static bool work(bool own, enum ct_taken taken, int slot, uint64_t sequence, const uint8_t *data,
                 uint32_t length)
{
    if (taken == CT_TAKEN_SIGNAL) {
        if (!attend(own, save, NULL))
            PyErr_WriteUnraisable(save);
    } else if (taken == CT_TAKEN_IDLE) {
        ct_boundary_seal_idle(sequence);
    } else if (!journal->failed) {
        if (!write_chunk(own, sequence, data, length)) {
            if (own && PyErr_ExceptionMatches(PyExc_MemoryError)) {
                PyErr_Clear();
                return false;
            }
            give_up(own);
        }
        /* A chunk that could not be written stays in its slot, where it can be recovered. */
        if (!journal->failed)
            ct_chunk_give(slot);
    }
    return true;
}

/* Write the sealed chunks that are ready, in a thread of the program. */
void ct_writer_drain(void)
{
    int slot;
    uint64_t sequence;
    uint8_t *data;
    uint32_t length;
    enum ct_taken taken;
    while ((taken = ct_chunk_take(false, &slot, &sequence, &data, &length)) != CT_TAKEN_NONE) {
        PyGILState_STATE gil = PyGILState_Ensure();
        work(false, taken, slot, sequence, data, length);
        PyGILState_Release(gil);
    }
}

/* ---- the thread
 * --------------------------------------------------------------------------------------------- */

void ct_writer_open(ct_journal *file, uintptr_t functions)
{
    PyObject **of[] = {&compress, &mode, &acquire, &release, &prepare, &appended, &save, &fail};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        *of[i] = PyTuple_GET_ITEM((PyObject *)functions, (Py_ssize_t)i);
    journal = file;
}

/* A thread state for the calling thread, NULL without memory, for which CPython 3.11 would crash
 * and PyGILState_Ensure end the process. */
static PyThreadState *new_state(void)
{
    void *volatile room = malloc(STATE_BYTES);
    bool fits = room != NULL;
    free(room);
    return fits ? PyThreadState_New(PyInterpreterState_Main()) : NULL;
}

/* Write all chunks until the session is closed. */
static void *run(void *nothing)
{
    int slot;
    uint64_t sequence;
    uint8_t *data;
    uint32_t length;
    enum ct_taken taken;
    while ((taken = ct_chunk_take(true, &slot, &sequence, &data, &length)) != CT_TAKEN_NONE) {
        PyThreadState *state = new_state();
        bool done = false;
        if (state != NULL) {
            PyEval_AcquireThread(state);
            PyThreadState_EnterTracing(state);
            int room = ct_interruptions_make_room();
            done = work(true, taken, slot, sequence, data, length);
            ct_interruptions_take_room(room);
            PyThreadState_LeaveTracing(state);
            PyThreadState_Clear(state);
            PyThreadState_DeleteCurrent();
        }
        /* The threads of the program have more memory left than a new one gets. */
        if (!done && taken == CT_TAKEN_CHUNK && ct_chunk_return(slot))
            break;
        if (!done)
            ct_own_thread_pause(RETRY_MS);
    }
    return NULL;
}

/* Start the writer unless it runs.  Returns 0 or an errno, also while the process is about to fork.
 */
int ct_writer_start(void)
{
    pthread_mutex_lock(&lock);
    int failed = EAGAIN;
    if (ct_session.writer_runs)
        failed = 0;
    else if (!ct_chunk_is_paused() && !ct_injected("writer"))
        failed = ct_own_thread_start(&thread, run, NULL);
    ct_session.writer_runs = failed == 0;
    pthread_mutex_unlock(&lock);
    return failed;
}

/* Wait until the writer's thread, if any, is gone, as far as the system can tell too: a fork counts
 * threads.
 */
void ct_writer_join(void)
{
    pthread_mutex_lock(&lock);
    if (ct_session.writer_runs)
        pthread_join(thread, NULL);
    ct_session.writer_runs = false;
    pthread_mutex_unlock(&lock);
}

void ct_writer_forked(void)
{
    pthread_mutex_init(&lock, NULL);
    ct_session.writer_runs = false;
}
