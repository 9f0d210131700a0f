/* A disk that hangs: reads beyond LIVEKM_STALL_AT bytes of a file whose name ends in stalled.mp4
   never return, whatever signal comes. To be preloaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_stalled(int fd)
{
    char link[64], name[4096];
    const char *at = getenv("LIVEKM_STALL_AT"), *end = "stalled.mp4";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name);
    ssize_t tail = (ssize_t) strlen(end);
    if (at == NULL || length < tail || memcmp(name + length - tail, end, (size_t) tail) != 0)
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
