/* From its beginning to its end the new process makes only system calls: it may come from a process
 * with threads, whose locks nobody gives back in the copy. */
#include "forward.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE 65536

struct worker {
    struct ct_forward of[CT_FORWARDS];
    int count;
    struct ct_forward_state *state;
};

static void add(uint64_t *counter, uint64_t amount)
{
    __atomic_fetch_add(counter, amount, __ATOMIC_SEQ_CST);
}

/* Write all of it, however long that takes; false when nobody reads any more. */
static bool put(int target, const uint8_t *bytes, size_t length)
{
    while (length != 0) {
        ssize_t written = write(target, bytes, length);
        if (written >= 0) {
            bytes += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = target, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* The pipe has no more writers, or its target no readers: writers are told as if they wrote there.
 */
static void end(struct worker *worker, int i)
{
    close(worker->of[i].pipe);
    close(worker->of[i].target);
    __atomic_store_n(&worker->state->of[i].has_ended, true, __ATOMIC_SEQ_CST);
    worker->of[i].pipe = -1;
}

static void copy(struct worker *worker, int i, const uint8_t *bytes, size_t length)
{
    struct ct_forward_state *state = worker->state;
    if (__atomic_load_n(&state->is_over, __ATOMIC_SEQ_CST))
        return;
    uint64_t behind = state->of[i].copied - state->of[i].missed -
                      __atomic_load_n(&state->of[i].looked, __ATOMIC_SEQ_CST);
    if (behind > CT_FORWARD_BACKLOG || !put(worker->of[i].copy, bytes, length))
        add(&state->of[i].missed, length);
    add(&state->of[i].copied, length);
}

/* Hand on what is in the pipe; false when there is nothing.  Bytes are counted as taken before they
 * leave the pipe: whoever waits for them finds them in one of both places at any moment. */
static bool move(struct worker *worker, int i)
{
    static uint8_t bytes[PIECE];
    int waiting = 0;
    if (ioctl(worker->of[i].pipe, FIONREAD, &waiting) != 0 || waiting == 0) {
        struct pollfd polled = {.fd = worker->of[i].pipe, .events = POLLIN};
        if (poll(&polled, 1, 0) <= 0 || polled.revents & POLLIN)
            return false;
        end(worker, i);
        return true;
    }
    size_t length = (size_t)waiting < sizeof bytes ? (size_t)waiting : sizeof bytes;
    add(&worker->state->of[i].taken, length);
    size_t got = 0;
    while (got < length) {
        ssize_t more = read(worker->of[i].pipe, bytes + got, length - got);
        if (more > 0)
            got += (size_t)more;
    }
    /* First, as it takes no time: the target may have a slow reader. */
    copy(worker, i, bytes, length);
    if (!put(worker->of[i].target, bytes, length))
        end(worker, i);
    add(&worker->state->of[i].done, length);
    return true;
}

/* Wait for something to read, or for a target that nobody reads. */
static void wait_for_work(struct worker *worker)
{
    struct pollfd polled[2 * CT_FORWARDS];
    for (int i = 0; i < worker->count; i++) {
        bool is_open = worker->of[i].pipe >= 0;
        polled[2 * i] = (struct pollfd){.fd = worker->of[i].pipe, .events = POLLIN};
        polled[2 * i + 1] = (struct pollfd){.fd = is_open ? worker->of[i].target : -1};
    }
    if (poll(polled, (nfds_t)(2 * worker->count), -1) <= 0)
        return;
    for (int i = 0; i < worker->count; i++)
        if (worker->of[i].pipe >= 0 && polled[2 * i + 1].revents & POLLERR)
            end(worker, i);
}

static void close_others(const struct worker *worker)
{
    struct rlimit limit;
    int last = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (int)limit.rlim_cur
                                                                               : 65536;
    for (int number = 0; number < last; number++) {
        bool is_needed = false;
        for (int i = 0; i < worker->count; i++)
            is_needed |= number == worker->of[i].pipe || number == worker->of[i].target ||
                         number == worker->of[i].copy;
        if (!is_needed)
            close(number);
    }
}

static void work(struct worker *worker)
{
    setsid();
    if (chdir("/") != 0) /* it only keeps a folder from being unmounted */
        errno = 0;
    close_others(worker);
    for (;;) {
        bool is_open = false, moved = false;
        for (int i = 0; i < worker->count; i++) {
            moved |= worker->of[i].pipe >= 0 && move(worker, i);
            is_open |= worker->of[i].pipe >= 0;
        }
        if (!is_open)
            _exit(0);
        if (!moved)
            wait_for_work(worker);
    }
}

/* A child of which the program hears nothing: no SIGCHLD, no handlers of fork, and wait() does not
 * find it. */
#ifdef __linux__
#define WAIT_FLAGS __WCLONE
static pid_t split(void)
{
    return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
}
#else
#define WAIT_FLAGS 0
static pid_t split(void)
{
    return fork();
}
#endif

int ct_forward_start(const struct ct_forward *forwards, int count, struct ct_forward_state **state)
{
    struct worker worker = {.count = count};
    void *shared =
        mmap(NULL, sizeof **state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return errno;
    worker.state = shared;
    for (int i = 0; i < count; i++) {
        worker.of[i] = forwards[i];
        /* Of the end that is read alone: the program's descriptors share nothing with it. */
        fcntl(forwards[i].pipe, F_SETFL, O_RDONLY | O_NONBLOCK);
    }
    /* No signal ends it, and the handlers of the program do not run in it. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = split();
    if (child == 0) {
        pid_t grandchild = split();
        if (grandchild == 0)
            work(&worker);
        _exit(grandchild < 0 ? errno : 0);
    }
    int failed = child < 0 ? errno : 0, status = 0;
    while (child > 0 && waitpid(child, &status, WAIT_FLAGS) < 0 && errno == EINTR)
        ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0 && WIFEXITED(status))
        failed = WEXITSTATUS(status);
    if (failed != 0)
        munmap(shared, sizeof **state);
    else
        *state = shared;
    return failed;
}

void ct_forward_leave(struct ct_forward_state *state, bool is_over)
{
    if (is_over)
        __atomic_store_n(&state->is_over, true, __ATOMIC_SEQ_CST);
    munmap(state, sizeof *state);
}
