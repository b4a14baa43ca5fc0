/* Lets the n-th write below a folder fail, and with a full disk each one after it.
 *
 * Loaded with LD_PRELOAD; a program arms it by faults_arm() and asks faults_count() how many there
 * were. What counts is whatever changes a file's bytes, length or name, or makes them durable.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long count;
static long first = -1;
static int failure, lasting;
static char folder[PATH_MAX];

void faults_arm(const char *below, long at, int error, int forever) {
    snprintf(folder, sizeof folder, "%s", below);
    first = at;
    failure = error;
    lasting = forever;
    atomic_store(&count, 0);
}

long faults_count(void) { return atomic_load(&count); }

static int fails_at(const char *path) {
    size_t length = strlen(folder);
    if (!length || strncmp(path, folder, length))
        return 0;
    long now = atomic_fetch_add(&count, 1);
    return first >= 0 && (now == first || (lasting && now > first));
}

static int fails(int descriptor) {
    char link[64], path[PATH_MAX];
    if (!folder[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return fails_at(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define OF_DESCRIPTOR(type, name, parameters, arguments)                                           \
    type name parameters {                                                                         \
        if (fails(fd)) {                                                                           \
            errno = failure;                                                                       \
            return -1;                                                                             \
        }                                                                                          \
        return REAL(name) arguments;                                                               \
    }

OF_DESCRIPTOR(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size))
OF_DESCRIPTOR(ssize_t, writev, (int fd, const struct iovec *from, int size), (fd, from, size))
OF_DESCRIPTOR(ssize_t, pwrite, (int fd, const void *from, size_t size, off_t at),
              (fd, from, size, at))
OF_DESCRIPTOR(ssize_t, pwrite64, (int fd, const void *from, size_t size, off64_t at),
              (fd, from, size, at))
OF_DESCRIPTOR(int, fsync, (int fd), (fd))
OF_DESCRIPTOR(int, fdatasync, (int fd), (fd))
OF_DESCRIPTOR(int, ftruncate, (int fd, off_t size), (fd, size))
OF_DESCRIPTOR(int, ftruncate64, (int fd, off64_t size), (fd, size))

int posix_fallocate(int fd, off_t at, off_t size) {
    return fails(fd) ? failure : REAL(posix_fallocate)(fd, at, size);
}

int rename(const char *before, const char *now) {
    if (fails_at(now)) {
        errno = failure;
        return -1;
    }
    return REAL(rename)(before, now);
}

int mkdir(const char *path, mode_t mode) {
    if (fails_at(path)) {
        errno = failure;
        return -1;
    }
    return REAL(mkdir)(path, mode);
}

#define OPENING(name)                                                                              \
    int name(const char *path, int flags, ...) {                                                   \
        mode_t mode = 0;                                                                           \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                                     \
            va_list rest;                                                                          \
            va_start(rest, flags);                                                                 \
            mode = va_arg(rest, mode_t);                                                           \
            va_end(rest);                                                                          \
        }                                                                                          \
        if (flags & O_CREAT && access(path, F_OK) && fails_at(path)) {                             \
            errno = failure;                                                                       \
            return -1;                                                                             \
        }                                                                                          \
        return REAL(name)(path, flags, mode);                                                      \
    }

OPENING(open)
OPENING(open64)
