/* A disk that hangs or fails. To be preloaded.

   Reads beyond LIVEKM_STALL_AT bytes of a file whose name ends in stalled.mp4 never return, whatever
   signal comes. Writes to part files are counted in `n_writes`; from number `fail_at` on, `n_failures`
   of them fail as on a broken disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int n_writes, fail_at = -1, n_failures;

static void name_of(int fd, char name[4096])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, 4095);
    name[length < 0 ? 0 : length] = 0;
}

static int is_stalled(int fd)
{
    char name[4096];
    const char *at = getenv("LIVEKM_STALL_AT"), *end = "stalled.mp4";
    if (at == NULL)
        return 0;
    name_of(fd, name);
    if (strlen(name) < strlen(end) || strcmp(name + strlen(name) - strlen(end), end) != 0)
        return 0;
    return lseek(fd, 0, SEEK_CUR) >= atol(at);
}

ssize_t read(int fd, void *buffer, size_t size)
{
    static ssize_t (*real)(int, void *, size_t);
    if (real == NULL)
        real = (ssize_t (*)(int, void *, size_t)) dlsym(RTLD_NEXT, "read");
    while (is_stalled(fd))
        pause();
    return real(fd, buffer, size);
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    static ssize_t (*real)(int, const void *, size_t);
    char name[4096];
    if (real == NULL)
        real = (ssize_t (*)(int, const void *, size_t)) dlsym(RTLD_NEXT, "write");
    name_of(fd, name);
    if (strstr(name, ".part-") != NULL) {
        int number = __atomic_fetch_add(&n_writes, 1, __ATOMIC_SEQ_CST);
        if (fail_at >= 0 && number >= fail_at && number < fail_at + n_failures) {
            errno = EIO;
            return -1;
        }
    }
    return real(fd, buffer, size);
}
