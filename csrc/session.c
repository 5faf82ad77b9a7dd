/* The control plane: what Python calls through cffi.  cffi releases the GIL, so whatever touches
 * objects takes it back. */
#define _GNU_SOURCE
#include "ct.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/fs.h>
#endif

#include "boundary.h"
#include "chunk.h"
#include "forking.h"
#include "frame.h"
#include "inject.h"
#include "instance.h"
#include "interruptions.h"
#include "mirror.h"
#include "ring_fault.h"
#include "secrets.h"
#include "stack.h"
#include "tracer.h"
#include "writer.h"

static uint8_t *ring_mapping;
static size_t ring_bytes;

/* Fill the file with real blocks: a sparse file on a full disk would kill the program when a page
 * is touched. */
static int allocate(int fd)
{
    int failed = posix_fallocate(fd, 0, ring_bytes);
    if (failed != EOPNOTSUPP && failed != EINVAL)
        return failed;
    static const uint8_t zeros[65536];
    for (size_t at = 0; at < ring_bytes;) {
        size_t n = ring_bytes - at < sizeof zeros ? ring_bytes - at : sizeof zeros;
        ssize_t written = pwrite(fd, zeros, n, (off_t)at);
        if (written < 0 && errno != EINTR)
            return errno;
        at += written > 0 ? (size_t)written : 0;
    }
    return 0;
}

/* Where files are copied on write, let this empty one be written in place: otherwise a page that
 * was brought to the disk needs a new block when it changes. */
static void write_in_place(int fd)
{
#ifdef FS_NOCOW_FL
    int flags;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_NOCOW_FL;
        ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
#else
    (void)fd;
#endif
}

/* A forked child must never write into its parent's ring: before anything else runs there, the
 * mapping becomes private memory and tracing ends.  Python's own hook does the rest. */
static void forked(void)
{
    ct_writer_forked();
    ct_interruptions_forked();
    ct_mirror_forked();
    if (ring_mapping == NULL)
        return;
    ct_session.active = false;
    ct_chunk_forked();
    mmap(ring_mapping, ring_bytes, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS,
         -1, 0);
}

/* Make the ring file at `path` and open the first chunk in it.  Returns 0 or an errno; *shared says
 * whether a killed process leaves its chunks in the file. */
int ct_ring_create(const char *path, const uint8_t *session, const uint8_t *boot, int *shared)
{
    static bool watches_forks;
    if (!watches_forks && pthread_atfork(NULL, NULL, forked) == 0)
        watches_forks = true;
    ring_bytes = ct_chunk_size_slots();
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno;
    write_in_place(fd);
    int failed = allocate(fd);
    if (failed != 0) {
        close(fd);
        unlink(path);
        return failed;
    }
    void *mapping = mmap(NULL, ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    *shared = mapping != MAP_FAILED;
    if (mapping == MAP_FAILED)
        mapping =
            mmap(NULL, ring_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    failed = mapping == MAP_FAILED ? errno : 0;
    if (*shared)
        ct_ring_fault_open(fd, mapping, ring_bytes);
    close(fd);
    if (failed != 0) {
        unlink(path);
        return failed;
    }
    ring_mapping = mapping;
    uint16_t version = CTJ_VERSION;
    uint32_t slots = CT_SLOTS;
    uint64_t slot_bytes = ct_slot_bytes;
    memcpy(ring_mapping, "CTJRING1", 8);
    memcpy(ring_mapping + 8, &version, sizeof version);
    memcpy(ring_mapping + 12, &slots, sizeof slots);
    memcpy(ring_mapping + 16, &slot_bytes, sizeof slot_bytes);
    memcpy(ring_mapping + 24, session, 16);
    ct_chunk_open(ring_mapping, session, boot);
    return 0;
}

/* Undo ct_ring_create, but for the file. */
void ct_ring_destroy(void)
{
    ct_chunk_release();
    ct_ring_fault_close();
    if (ring_mapping != NULL)
        munmap(ring_mapping, ring_bytes);
    ring_mapping = NULL;
}

void ct_set_limits(int depth, int items, int text, int value, int step)
{
    ct_limits = (struct ct_limits){
        .depth = depth, .items = items, .text = text, .value = value, .step = step};
}

/* Move the exception that is set to the list `errors`. */
static void keep_error(uintptr_t errors)
{
    PyObject *error = PyErr_GetRaisedException();
    if (error != NULL)
        PyList_Append((PyObject *)errors, error);
    Py_XDECREF(error);
}

/* Start tracing; `parts` is a tuple that the caller keeps until ct_session_close (tracer.c lists
 * it).  -1: the exception is in the list `errors`. */
int ct_session_open(uintptr_t parts, uintptr_t errors)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    int status = ct_frame_self_test();
    if (status == 0)
        status = ct_instance_self_test();
    if (status == 0)
        status = ct_tracer_open((PyObject *)parts);
    if (status < 0)
        keep_error(errors);
    if (status == 0) {
        ct_forking_open();
        ct_ring_fault_watch();
    }
    PyGILState_Release(gil);
    return status;
}

/* Seal what was recorded so far, for the writer to take.  *sequence is the number of the chunk, 0
 * when nothing is recorded any more.  -1: the exception is in the list `errors`. */
int ct_session_seal(uint64_t *sequence, uintptr_t errors)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    enum ct_go go = CT_GO_AWAY;
    *sequence = 0;
    if (ct_session.active) {
        uint64_t live = ct_out.generation;
        go = ct_boundary_seal();
        if (go == CT_GO_ON)
            *sequence = live;
    }
    if (go == CT_GO_RAISE)
        keep_error(errors);
    PyGILState_Release(gil);
    return go == CT_GO_RAISE ? -1 : 0;
}

/* Stop tracing and seal the last chunk; events must be off.  Returns the code of a failure that no
 * boundary has reported, NULL when there is none. */
const char *ct_session_close(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    const char *failure = ct_session.failure;
    ct_session.failure = NULL;
    ct_ring_fault_unwatch();
    ct_forking_close();
    ct_tracer_close();
    ct_chunk_close();
    PyGILState_Release(gil);
    return ct_injected("finish") ? "ERR_TRACE_INCOMPLETE" : failure;
}

/* In a forked child: begin a session at the first event that would be recorded. */
void ct_session_sleep(void)
{
    ct_session.dormant = true;
}

int ct_session_is_active(void)
{
    return ct_session.active;
}

/* From the writer: the journal cannot be written.  Reported at the next boundary of the program. */
void ct_session_fail(void)
{
    ct_session.failure = "ERR_IO";
    __atomic_store_n(&ct_out.soft, (uint8_t *)NULL, __ATOMIC_RELAXED);
}

/* From the writer: enough is recorded.  Reported at the next boundary of the program. */
void ct_session_end(void)
{
    if (ct_session.failure == NULL)
        ct_session.failure = "END";
    __atomic_store_n(&ct_out.soft, (uint8_t *)NULL, __ATOMIC_RELAXED);
}

int ct_slots(void)
{
    return CT_SLOTS;
}

size_t ct_slot_size(void)
{
    return ct_slot_bytes;
}

size_t ct_slot_copy(int slot, uint8_t *out)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    size_t length = ct_chunk_copy(slot, out);
    PyGILState_Release(gil);
    return length;
}

/* Record nothing of the calling thread, which works for the recorder, or record it again. */
void ct_thread_mute(int muted)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    ct_thread_ignore(muted != 0);
    PyGILState_Release(gil);
}

void ct_session_counts(ct_counts *out)
{
    *out = (ct_counts){
        .steps = ct_session.steps,
        .calls = ct_session.calls,
        .returns = ct_session.returns,
        .lost = ct_session.lost,
        .threads = ct_session.next_thread,
        .chunks = ct_chunk_counts.chunks,
        .bytes = ct_chunk_counts.bytes + ct_chunk_live_bytes(),
        .stalls = ct_chunk_counts.stalls,
        .stall_ns = ct_chunk_counts.stall_ns,
        .cuts = ct_value_counts.cuts,
        .omitted = ct_value_counts.omitted,
        .secrets_hidden = ct_secret_counts.hidden,
        .secrets_forgotten = ct_secret_counts.forgotten,
        .mirror_missed = ct_mirror_missed,
        .scopes_traced = ct_scope_counts.traced,
        .scopes_skipped = ct_scope_counts.skipped,
        .scopes_synthetic = ct_scope_counts.synthetic,
        .scopes_unreadable = ct_scope_counts.unreadable,
    };
    memcpy(out->redacted, ct_value_counts.redacted, sizeof out->redacted);
    memcpy(out->dropped, ct_value_counts.dropped, sizeof out->dropped);
}
