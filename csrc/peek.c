/* The end that is read is opened for each look and closed again: who writes to a pipe is told that
 * nobody reads it any more only when all such ends are closed. */
#define _GNU_SOURCE /* tee, pipe2 */
#include "peek.h"

#ifdef __linux__

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Open the end of the pipe that is read; -1 when it is another file, or not ours to open. */
static int open_reader(int descriptor, const struct stat *pipe)
{
    char path[40];
    struct stat status;
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (fstat(descriptor, &status) != 0 || !S_ISFIFO(status.st_mode) ||
        status.st_dev != pipe->st_dev || status.st_ino != pipe->st_ino)
        return -1;
    return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

size_t ct_peek(int descriptor, const struct stat *pipe, uint8_t *bytes, size_t size)
{
    int between[2], reader = open_reader(descriptor, pipe);
    ssize_t all = 0, got = 1;
    if (reader < 0)
        return 0;
    if (pipe2(between, O_NONBLOCK | O_CLOEXEC) == 0) {
        ssize_t copied = tee(reader, between[1], size, SPLICE_F_NONBLOCK);
        for (; all < copied && got > 0; all += got > 0 ? got : 0)
            got = read(between[0], bytes + all, (size_t)(copied - all));
        close(between[0]);
        close(between[1]);
    }
    close(reader);
    return (size_t)all;
}

#else

size_t ct_peek(int descriptor, const struct stat *pipe, uint8_t *bytes, size_t size)
{
    (void)descriptor, (void)pipe, (void)bytes, (void)size;
    return 0;
}

#endif
