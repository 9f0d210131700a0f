/* A virtual V4L2 output, as v4l2loopback makes one: /dev/video9 inside one process.
 *
 * Preloaded (LD_PRELOAD), this library opens a file instead, so that what is written can be looked
 * at, and answers the V4L2 requests of a program that writes pictures.
 *
 * Options come from the environment:
 *   LIVEKM_VOUT_FILE  the file that gets the pictures
 *   LIVEKM_VOUT_SIZE  WIDTHxHEIGHT that the device has whatever is asked for (default: as asked)
 *   LIVEKM_VOUT_PIXELS  the four letters that it has whatever is asked for
 *   LIVEKM_VOUT_CAN   1: a camera, no output; 2 (default): an output
 *
 * 64-bit Linux only, see virtual_camera.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICE "/dev/video9"

enum { MOST = 1024 };

static char is_device[MOST];

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) { /* only then is there a third argument */
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    if (strcmp(path, DEVICE)) return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    const char *file = getenv("LIVEKM_VOUT_FILE");
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CREAT | O_APPEND, 0600);
    if (fd >= 0 && fd < MOST) is_device[fd] = 1;
    return fd;
}

int open64(const char *, int, ...) __attribute__((alias("open")));

static int answer(unsigned long request, void *arg) {
    if (request == VIDIOC_QUERYCAP) {
        const char *can = getenv("LIVEKM_VOUT_CAN");
        __u32 caps = can ? (__u32)atoi(can) : V4L2_CAP_VIDEO_OUTPUT;
        *(struct v4l2_capability *)arg = (struct v4l2_capability){
            .driver = "v4l2 loopback", .card = "virtual output",
            .capabilities = caps | V4L2_CAP_DEVICE_CAPS, .device_caps = caps};
        return 0;
    }
    if (request == VIDIOC_S_FMT) {
        struct v4l2_format *format = arg;
        if (format->type != V4L2_BUF_TYPE_VIDEO_OUTPUT) return EINVAL;
        struct v4l2_pix_format *pix = &format->fmt.pix;
        const char *size = getenv("LIVEKM_VOUT_SIZE"), *pixels = getenv("LIVEKM_VOUT_PIXELS");
        if (size) sscanf(size, "%ux%u", &pix->width, &pix->height);
        if (pixels) memcpy(&pix->pixelformat, pixels, 4);
        return 0;
    }
    return ENOTTY;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *arg = va_arg(rest, void *);
    va_end(rest);
    if (fd < 0 || fd >= MOST || !is_device[fd]) return (int)syscall(SYS_ioctl, fd, request, arg);
    int error = answer(request & 0xFFFFFFFF, arg);
    if (!error) return 0;
    errno = error;
    return -1;
}

int close(int fd) {
    if (fd >= 0 && fd < MOST) is_device[fd] = 0;
    return (int)syscall(SYS_close, fd);
}
