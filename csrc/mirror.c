#include "mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ct.h"
#include "forward.h"
#include "inject.h"
#include "output.h"
#include "own_thread.h"
#include "peek.h"

#define PIECE          ((size_t)64 << 10)
#define ATOMIC_WRITE   4096 /* what a pipe takes in one go, whoever else writes */
#define EXPECTED_LIMIT ((size_t)4 << 20)
#define TRIALS         20 /* of a system call, to learn how long one takes */
#define WAIT_NS        50000ull
#define WAITS          40
#define ROUNDS         3
#define SPIN_NS        10000ull /* the forwarding process copies a line in less */
#define CREDIT_NS      50000000ull
#define TICK_NS        20000000ull
#define START_NS       1000000ull /* after a fork, for which CPython counts threads */
#define PUNCH          ((off_t)1 << 20)

/* A write that was accounted for, and has not been met in the source. */
struct written {
    struct written *next;
    uint64_t began, ended; /* in order of these moments of all writes */
    size_t length;
    uint8_t *bytes; /* inside `memory` */
    uint8_t memory[];
};

struct mirror {
    int source; /* -1: the program has closed it, and nothing more is seen */
    int descriptor;
    int forward; /* its number there, -1: the source is the program's own file */
    uint8_t stream;
    struct stat source_is, target_is;
    off_t at, punched;            /* in the source */
    int writes;                   /* that are under way */
    uint64_t ahead;               /* bytes behind `at` that were seen before they were copied */
    bool gave_up;                 /* waiting for copies: the forwarding process does not run */
    struct written *first, *last; /* in the order in which they began */
    size_t expected;              /* bytes in them */
    uint64_t missed;
};

int ct_mirror_count;
uint64_t ct_mirror_missed;

static struct mirror mirrors[CT_FORWARDS];
static uint64_t moments;
static struct ct_forward_state *forwards;
static bool is_looking;
static uint64_t looked_ns;
static uint64_t call_ns;   /* a shorter line has made no system call */
static uint64_t credit_ns; /* that the program may be made to wait */
static uint8_t piece[PIECE];

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int ct_mirror_of_descriptor(int number)
{
    struct stat status;
    if (fstat(number, &status) != 0)
        return CT_NO_MIRROR;
    for (int i = 0; i < ct_mirror_count; i++)
        if (is_same(&status, &mirrors[i].target_is))
            return i;
    return CT_NO_MIRROR;
}

/* ---- what the hooks account for
 * -------------------------------------------------------------------------------------
 */

static void drop_first(struct mirror *m)
{
    struct written *gone = m->first;
    m->first = gone->next;
    m->expected -= gone->length;
    if (m->first == NULL)
        m->last = NULL;
    free(gone);
}

static void expect_nothing(struct mirror *m)
{
    while (m->first != NULL)
        drop_first(m);
}

static void expect(struct mirror *m, uint64_t began, const uint8_t *bytes, size_t length)
{
    if (m->expected + length > EXPECTED_LIMIT)
        expect_nothing(m);
    struct written *added = length != 0 ? malloc(sizeof *added + length) : NULL;
    if (added == NULL)
        return;
    *added = (struct written){
        .began = began, .ended = ++moments, .length = length, .bytes = added->memory};
    memcpy(added->memory, bytes, length);
    struct written **link = &m->first;
    if (m->last != NULL && m->last->began < began)
        link = &m->last->next;
    while (*link != NULL && (*link)->began < began)
        link = &(*link)->next;
    added->next = *link;
    *link = added;
    if (added->next == NULL)
        m->last = added;
    m->expected += length;
}

uint64_t ct_mirror_write_begins(int mirror)
{
    mirrors[mirror].writes++;
    return ++moments;
}

void ct_mirror_write_ends(int mirror, uint64_t began, const uint8_t *bytes, size_t length)
{
    if (mirror >= ct_mirror_count)
        return; /* the session has ended meanwhile */
    if (mirrors[mirror].writes > 0)
        mirrors[mirror].writes--;
    expect(&mirrors[mirror], began, bytes, length);
}

static size_t common(const uint8_t *a, const uint8_t *b, size_t length)
{
    size_t n = 0;
    while (n < length && a[n] == b[n])
        n++;
    return n;
}

/* The expected write that the bytes begin with; *length of its bytes are met, 0 when the bytes end
 * before that can be told.  It is one that had begun before any other was over.  Others may have
 * come in between the parts of a large one. */
static struct written **expected_at(struct mirror *m, const uint8_t *bytes, size_t left,
                                    size_t *length)
{
    uint64_t first_end = UINT64_MAX;
    for (struct written **link = &m->first; *link != NULL; link = &(*link)->next) {
        const struct written *w = *link;
        if (w->began > first_end)
            break;
        first_end = w->ended < first_end ? w->ended : first_end;
        size_t n = common(w->bytes, bytes, w->length < left ? w->length : left);
        if (n == w->length || n >= ATOMIC_WRITE || n == left) {
            *length = n == w->length || n >= ATOMIC_WRITE ? n : 0;
            return link;
        }
    }
    return NULL;
}

static void meet(struct mirror *m, struct written **link, size_t length)
{
    struct written *w = *link;
    w->bytes += length;
    w->length -= length;
    m->expected -= length;
    if (w->length != 0)
        return;
    *link = w->next;
    if (m->last == w)
        for (m->last = m->first; m->last != NULL && m->last->next != NULL;)
            m->last = m->last->next;
    free(w);
}

/* Move the bytes that are not accounted for to the front of `piece`; returns how many they are, and
 * how many of all were told apart.  `is_all`: what has begun here will not go on. */
static size_t sift(struct mirror *m, size_t length, bool is_all, size_t *told)
{
    size_t others = 0, i = 0;
    while (i < length) {
        size_t met = 0;
        struct written **link =
            m->first != NULL ? expected_at(m, piece + i, length - i, &met) : NULL;
        if (link != NULL && met != 0) {
            meet(m, link, met);
            i += met;
        } else if (link != NULL && !is_all) {
            break;
        } else {
            piece[others++] = piece[i++];
        }
    }
    *told = i;
    return others;
}

/* ---- looking
 * ---------------------------------------------------------------------------------------
 */

/* What the forwarding process tells of a pipe. */
#define TOLD(name)                                                                                 \
    static uint64_t name(const struct mirror *m)                                                   \
    {                                                                                              \
        return __atomic_load_n(&forwards->of[m->forward].name, __ATOMIC_SEQ_CST);                  \
    }

TOLD(taken)
TOLD(copied)
TOLD(done)
TOLD(missed)

/* Bytes in the pipe that a descriptor writes to; the mirror is one of a pipe. */
static uint64_t in_pipe(const struct mirror *m, int descriptor)
{
    int waiting = 0;
    if (__atomic_load_n(&forwards->of[m->forward].has_ended, __ATOMIC_SEQ_CST) ||
        ioctl(descriptor, FIONREAD, &waiting) != 0)
        return 0;
    return (uint64_t)waiting;
}

/* Tell the forwarding process how far the recorder is, and give memory back. */
static void acknowledge(struct mirror *m)
{
    uint64_t now_missed = missed(m);
    if (now_missed != m->missed) { /* some of what is expected may never come */
        expect_nothing(m);
        m->ahead -= m->ahead < now_missed - m->missed ? m->ahead : now_missed - m->missed;
    }
    m->missed = now_missed;
    __atomic_store_n(&forwards->of[m->forward].looked, (uint64_t)m->at, __ATOMIC_SEQ_CST);
#ifdef FALLOC_FL_PUNCH_HOLE
    if (m->at - m->punched < PUNCH)
        return;
    if (fallocate(m->source, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, m->at) == 0)
        m->punched = m->at;
#endif
}

/* The size of the source; -1 when the program has taken its descriptor. */
static off_t size_of_source(struct mirror *m)
{
    struct stat status;
    if (m->source < 0)
        return -1;
    if (fstat(m->source, &status) != 0 || !is_same(&status, &m->source_is)) {
        m->source = -1;
        return -1;
    }
    return status.st_size;
}

/* Nothing more is told apart of the first `count` bytes after `at`. */
static void advance(struct mirror *m, size_t count)
{
    m->at += (off_t)count;
    if (m->forward >= 0 && count != 0)
        acknowledge(m);
}

/* Leave out what was seen in the pipe. */
static void skip_ahead(struct mirror *m, off_t size)
{
    uint64_t copied = m->at < size ? (uint64_t)(size - m->at) : 0;
    uint64_t skipped = m->ahead < copied ? m->ahead : copied;
    m->ahead -= skipped;
    advance(m, skipped);
}

static enum ct_go look_at(struct mirror *m, bool is_last)
{
    bool is_file = m->forward < 0;
    if (!is_file && (uint64_t)m->at == copied(m) - missed(m))
        return CT_GO_ON; /* what most looks find */
    off_t size = size_of_source(m);
    if (size < m->at) { /* the program has cut its file */
        m->at = size < 0 ? m->at : size;
        expect_nothing(m);
    }
    if (m->ahead != 0)
        skip_ahead(m, size);
    enum ct_go go = CT_GO_ON;
    while (go == CT_GO_ON && m->at < size && m->writes == 0) {
        size_t wanted = (size_t)(size - m->at) < PIECE ? (size_t)(size - m->at) : PIECE;
        ssize_t got = pread(m->source, piece, wanted, m->at);
        if (got <= 0)
            break;
        bool is_end = m->at + got == size, is_all = is_end && (is_file || is_last);
        size_t told, others = sift(m, (size_t)got, is_all, &told);
        advance(m, told);
        if (others != 0)
            go = ct_output_mirrored(m->stream, piece, others);
        if (told == 0)
            break;
    }
    if (is_file && go == CT_GO_ON && m->writes == 0)
        expect_nothing(m); /* a file has what was written to it at once */
    return go;
}

/* Bytes that were written and not seen, or not told apart. */
static uint64_t unseen(const struct mirror *m)
{
    if (m->forward >= 0)
        return taken(m) + in_pipe(m, m->descriptor) - missed(m) - (uint64_t)m->at - m->ahead;
    struct stat status;
    bool is_open = m->source >= 0 && fstat(m->source, &status) == 0;
    return is_open ? (uint64_t)(status.st_size - m->at) : 0;
}

/* Look at what is in the pipe, behind what was copied; false when the forwarding process is about
 * to take it, or the system does not show it. */
static bool look_into_pipe(struct mirror *m, enum ct_go *go)
{
    uint64_t before = copied(m);
    /* What was copied and could not be told apart goes on in the pipe. */
    size_t left = (size_t)(before - missed(m) - (uint64_t)m->at);
    if (taken(m) != before || left >= PIECE ||
        (left != 0 && (size_of_source(m) < 0 || pread(m->source, piece, left, m->at) < 0)))
        return false;
    size_t got = ct_peek(m->descriptor, &m->target_is, piece + left, PIECE - left);
    if (got <= m->ahead || taken(m) != before)
        return false;
    size_t length = left + got - m->ahead, told;
    memmove(piece, piece + m->ahead, length);
    size_t others = sift(m, length, false, &told);
    m->ahead += told > left ? told - left : 0;
    advance(m, told < left ? told : left);
    if (others != 0)
        *go = ct_output_mirrored(m->stream, piece, others);
    return true;
}

/* Let the forwarding process copy up to `goal`, or what it has just taken; false when that takes
 * longer than the program's lines have taken. */
static bool await_copy(const struct mirror *m, uint64_t goal)
{
    uint64_t first = copied(m), began = now_ns(), spent = 0, now;
    bool is_done = false;
    for (int i = 0; !is_done && i < WAITS && credit_ns > spent; spent = now_ns() - began) {
        if (spent >= SPIN_NS && i++ >= 0)
            nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        now = copied(m);
        is_done = now >= goal || (now != first && now == taken(m));
    }
    credit_ns -= spent < credit_ns ? spent : credit_ns;
    return is_done;
}

/* Look, also at what others have just written. */
static enum ct_go look_closely(struct mirror *m)
{
    enum ct_go go = look_at(m, false);
    for (int i = 0; i < ROUNDS && go == CT_GO_ON && m->source >= 0 && m->forward >= 0; i++) {
        uint64_t left = unseen(m);
        if (left <= m->expected)
            m->gave_up = false;
        if (left <= m->expected || look_into_pipe(m, &go) || m->gave_up)
            break;
        m->gave_up = !await_copy(m, copied(m) + left);
        go = look_at(m, false);
    }
    return go;
}

static enum ct_go look(void)
{
    enum ct_go go = CT_GO_ON;
    if (is_looking || !ct_session.active || !ct_output_can_be_mirrored())
        return go;
    uint64_t session = ct_session.number;
    is_looking = true;
    for (int i = 0; i < ct_mirror_count && go == CT_GO_ON && ct_session.number == session; i++)
        if (mirrors[i].writes == 0)
            go = look_closely(&mirrors[i]);
    is_looking = false;
    looked_ns = now_ns();
    return go;
}

/* ---- while a line takes long
 * ---------------------------------------------------------------------------------------
 */

static struct {
    pthread_t thread;
    pthread_mutex_t control; /* held while it is started or waited for: several threads may fork */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool runs, is_to_end;
    uint64_t wanted_ns; /* when it was to start; 0: no watcher is wanted */
} watcher = {.control = PTHREAD_MUTEX_INITIALIZER,
             .lock = PTHREAD_MUTEX_INITIALIZER,
             .changed = PTHREAD_COND_INITIALIZER};

/* Without the GIL, which only matters for what it may cost to ask for it in vain. */
static bool has_news(void)
{
    for (int i = 0; i < ct_mirror_count; i++)
        if (unseen(&mirrors[i]) > mirrors[i].expected)
            return true;
    return false;
}

/* True when the watcher is to end. */
static bool wait_for_tick(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)TICK_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&watcher.lock);
    if (!watcher.is_to_end)
        pthread_cond_timedwait(&watcher.changed, &watcher.lock, &until);
    bool is_to_end = watcher.is_to_end;
    pthread_mutex_unlock(&watcher.lock);
    return is_to_end;
}

static void *watch(void *nothing)
{
    while (!wait_for_tick()) {
        if (!has_news())
            continue;
        PyGILState_STATE gil = PyGILState_Ensure();
        if (look() == CT_GO_RAISE)
            PyErr_Clear(); /* the program is told of the failure by the end of the session */
        PyGILState_Release(gil);
    }
    return nothing;
}

static void start_watcher(void)
{
    /* Who waits for the watcher has the lock until it ends, for which it may need the GIL. */
    if (pthread_mutex_trylock(&watcher.control) != 0)
        return;
    watcher.wanted_ns = 0;
    if (!watcher.runs) {
        watcher.is_to_end = false;
        watcher.runs = ct_own_thread_start(&watcher.thread, watch, NULL) == 0;
    }
    pthread_mutex_unlock(&watcher.control);
}

/* How long a system call takes here, at the least. */
static uint64_t measure_call(int descriptor)
{
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < TRIALS; i++) {
        struct stat status;
        uint64_t began = now_ns();
        fstat(descriptor, &status);
        uint64_t spent = now_ns() - began;
        shortest = spent < shortest ? spent : shortest;
    }
    return shortest;
}

void ct_mirror_forked(void)
{
    watcher.runs = false;
    pthread_mutex_init(&watcher.control, NULL);
    pthread_mutex_init(&watcher.lock, NULL);
    pthread_cond_init(&watcher.changed, NULL);
}

void ct_mirror_watch(void)
{
    if (ct_mirror_count != 0)
        call_ns = measure_call(mirrors[0].descriptor);
    watcher.wanted_ns = now_ns();
}

void ct_mirror_rest(void)
{
    watcher.wanted_ns = 0;
    pthread_mutex_lock(&watcher.control);
    if (watcher.runs) {
        pthread_mutex_lock(&watcher.lock);
        watcher.is_to_end = true;
        pthread_cond_signal(&watcher.changed);
        pthread_mutex_unlock(&watcher.lock);
        pthread_join(watcher.thread, NULL);
        watcher.runs = false;
    }
    pthread_mutex_unlock(&watcher.control);
}

enum ct_go ct_mirror_look(void)
{
    uint64_t now = now_ns();
    credit_ns += now - looked_ns;
    credit_ns = credit_ns < CREDIT_NS ? credit_ns : CREDIT_NS;
    if (ct_unlikely(watcher.wanted_ns != 0) && now - watcher.wanted_ns >= START_NS)
        start_watcher();
    if (now - looked_ns >= call_ns)
        return look();
    looked_ns = now;
    return CT_GO_ON;
}

/* ---- control plane
 * -----------------------------------------------------------------------------------
 */

int ct_forward_open(const int *descriptors, int count)
{
    struct ct_forward given[CT_FORWARDS];
    for (int i = 0; i < count; i++)
        given[i] =
            (struct ct_forward){descriptors[3 * i], descriptors[3 * i + 1], descriptors[3 * i + 2]};
    return ct_forward_start(given, count, &forwards);
}

int ct_mirror_add(int stream, int descriptor, int source, int forward)
{
    if (ct_injected("mirror_open"))
        return EMFILE;
    struct mirror m = {
        .source = source, .descriptor = descriptor, .forward = forward, .stream = (uint8_t)stream};
    if (fstat(source, &m.source_is) != 0 || fstat(descriptor, &m.target_is) != 0)
        return errno;
    m.at = m.source_is.st_size;
    PyGILState_STATE gil = PyGILState_Ensure();
    mirrors[ct_mirror_count++] = m;
    PyGILState_Release(gil);
    return 0;
}

int ct_mirror_restore(int descriptor, int original)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    int left = 0;
    struct stat status;
    int found = ct_mirror_of_descriptor(descriptor);
    if (found != CT_NO_MIRROR) {
        const struct mirror *m = &mirrors[found];
        uint64_t handed = m->forward >= 0 ? done(m) : 0;
        uint64_t waiting = m->forward >= 0 ? in_pipe(m, descriptor) + taken(m) - handed : 0;
        left =
            waiting != 0 || m->writes != 0 ? (int)(waiting < 1 << 30 ? waiting + 1 : 1 << 30) : 0;
        if (left == 0 && fstat(original, &status) == 0)
            dup2(original, descriptor);
    }
    PyGILState_Release(gil);
    return left;
}

void ct_mirror_finish(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    if (ct_session.active && !is_looking && ct_output_can_be_mirrored()) {
        is_looking = true;
        for (int i = 0; i < ct_mirror_count; i++)
            if (look_closely(&mirrors[i]) == CT_GO_RAISE ||
                look_at(&mirrors[i], true) == CT_GO_RAISE)
                PyErr_Clear(); /* the session is ending, and says so itself */
        is_looking = false;
    }
    PyGILState_Release(gil);
}

void ct_mirror_close(int is_over)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ct_mirror_count; i++) {
        if (forwards != NULL && mirrors[i].forward >= 0)
            ct_mirror_missed += forwards->of[mirrors[i].forward].missed;
        expect_nothing(&mirrors[i]);
        mirrors[i] = (struct mirror){.source = -1, .forward = -1};
    }
    ct_mirror_count = 0;
    if (forwards != NULL)
        ct_forward_leave(forwards, is_over);
    forwards = NULL;
    PyGILState_Release(gil);
}
