/* Fails the N-th call of one function of the C library, once: FAULT=name:N:errno. Loaded by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static long left = -1;
static int number;
static char name[16];
/* Where FAULT_FILE names a file, only calls on it count. */
static const char *only;

static void set(void) {
    const char *fault = getenv("FAULT");
    left = 0;
    only = getenv("FAULT_FILE");
    if (!fault || strlen(fault) > 60) return;
    size_t length = strcspn(fault, ":");
    if (length >= sizeof name) return;
    memcpy(name, fault, length);
    char *end;
    left = strtol(fault + length + 1, &end, 10);
    number = atoi(end + 1);
}

static int is(const char *path) {
    size_t a = strlen(path), b = only ? strlen(only) : 0;
    return !only || (a >= b && !strcmp(path + a - b, only));
}

static int is_fd(int fd) {
    char link[32] = "/proc/self/fd/", path[4096];
    if (!only) return 1;
    char digits[12];
    int n = 0, at = 14;
    do digits[n++] = '0' + fd % 10; while (fd /= 10);
    while (n) link[at++] = digits[--n];
    link[at] = 0;
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return is(path);
}

static int fails(const char *call, int here) {
    if (left < 0) set();
    if (left == 0 || strcmp(call, name) || !here || __sync_sub_and_fetch(&left, 1)) return 0;
    errno = number;
    return 1;
}

#define REAL(call) static __typeof__(&call) real; if (!real) real = (__typeof__(&call))dlsym(RTLD_NEXT, #call)

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    REAL(mmap);
    return fails("mmap", 1) ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    REAL(mmap64);
    return fails("mmap", 1) ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}

int open(const char *path, int flags, ...) {
    REAL(open);
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return fails("open", is(path)) ? -1 : real(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    REAL(open64);
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return fails("open", is(path)) ? -1 : real(path, flags, mode);
}

ssize_t read(int fd, void *to, size_t size) {
    REAL(read);
    return fails("read", is_fd(fd)) ? -1 : real(fd, to, size);
}

int close(int fd) {
    REAL(close);
    /* Linux closes, then tells. */
    int here = left && is_fd(fd), done = real(fd);
    return fails("close", here) ? -1 : done;
}
