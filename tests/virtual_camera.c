/* A virtual V4L2 camera for machines without one: /dev/video0 inside one process.
 *
 * Preloaded (LD_PRELOAD), this library answers open("/dev/video0") and the V4L2 ioctls that a
 * capture program needs, so that the real cv2.VideoCapture runs unchanged. The descriptor it hands
 * out is a timerfd, which is readable when a frame is due: select, poll and epoll work unaided.
 * Buffers are pages of a memfd, which mmap of that descriptor maps.
 *
 * Options come from the environment, read when they matter, so that a program may change them:
 *   LIVEKM_VCAM_FRAMES           file of raw YUYV frames, played in a loop (default: plain grey)
 *   LIVEKM_VCAM_MJPG             the frames are JPEGs, each with zeros behind it up to the size that
 *                                a raw one has; one of zeros alone is an empty buffer
 *   LIVEKM_VCAM_SIZE             WIDTHxHEIGHT (default 320x240)
 *   LIVEKM_VCAM_FPS              frames a second, N or N/D (default 30)
 *   LIVEKM_VCAM_MODE             busy: another program holds it; absent; denied: no permission
 *   LIVEKM_VCAM_UNPLUG_AFTER     unplugged when this many frames were taken since it was plugged in
 *   LIVEKM_VCAM_RETURN_AFTER_MS  plugged in again so long after that (default: never)
 *   LIVEKM_VCAM_WISHES           file to which each wish for a format is appended: MJPG 640x480
 *   LIVEKM_VCAM_FREEZE_AFTER     frozen when this many frames were taken since it was opened
 *
 * 64-bit Linux only: the real open, ioctl, mmap and close are called as raw system calls, which,
 * unlike dlsym(RTLD_NEXT), cannot be too early in the life of a process. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/dev/video0"

enum { MAX_OPEN = 8, MAX_BUFFERS = 8, PAGE = 4096 };

struct buffer {
    int64_t queued_at, filled_at; /* ns of CLOCK_MONOTONIC */
    uint32_t sequence;
    enum { WITH_PROGRAM, QUEUED, DONE } state;
};

struct fifo {
    int index[MAX_BUFFERS], length;
};

/* One open of the device, as a driver keeps it for each struct file. */
struct camera {
    int fd; /* the timerfd; 0: this entry is free */
    int frames_fd, n_frames, memfd;
    uint32_t width, height, image_size, stride, fps_num, fps_den;
    uint8_t *memory;
    struct buffer buffers[MAX_BUFFERS];
    struct fifo queued, done;
    int n_buffers, streaming, gone, n_given;
    int64_t started_at;
    uint32_t next_sequence;
};

static struct camera cameras[MAX_OPEN];
static struct camera another_program;
static struct camera *owner; /* who holds the buffers; V4L2 lets only one */
static int n_taken;          /* frames since the device was plugged in */
static int64_t returns_at;   /* 0: plugged in */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int fail(int error) {
    errno = error;
    return -1;
}

static int push(struct fifo *fifo, int index) { return fifo->index[fifo->length++] = index; }

static int pop(struct fifo *fifo) {
    int first = fifo->index[0];
    memmove(fifo->index, fifo->index + 1, --fifo->length * sizeof *fifo->index);
    return first;
}

static struct camera *find(int fd) {
    for (struct camera *c = cameras; fd > 0 && c < cameras + MAX_OPEN; c++)
        if (c->fd == fd) return c;
    return NULL;
}

static int mode_is(const char *name) {
    const char *mode = getenv("LIVEKM_VCAM_MODE");
    return mode && !strcmp(mode, name);
}

static uint32_t pixel_format(void) {
    return getenv("LIVEKM_VCAM_MJPG") ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
}

/* ---- the sensor: frame n is on its way from n periods after the start to n + 1 periods ---- */

static int64_t start_of(const struct camera *c, uint32_t n) {
    return c->started_at + (int64_t)n * 1000000000 * c->fps_den / c->fps_num;
}

static void fill(struct camera *c, int index) {
    struct buffer *b = &c->buffers[index];
    uint8_t *image = c->memory + (size_t)index * c->stride;
    off_t at = c->n_frames ? (off_t)(c->next_sequence % (uint32_t)c->n_frames) * c->image_size : 0;
    if (!c->n_frames || pread(c->frames_fd, image, c->image_size, at) != (ssize_t)c->image_size)
        memset(image, 128, c->image_size);
    b->sequence = c->next_sequence;
    b->filled_at = start_of(c, c->next_sequence + 1);
    b->state = DONE;
}

/* Catch up with the clock. Between two calls of the program nothing but time changes, so doing
 * it late gives what a driver does in its interrupts. A frame needs a buffer from its first byte
 * on (as in the kernel's uvcvideo), else it is lost and leaves a gap in the sequence. */
static void advance(struct camera *c) {
    for (int64_t now = now_ns(); start_of(c, c->next_sequence + 1) <= now; c->next_sequence++) {
        int waiting = c->queued.length ? c->queued.index[0] : -1;
        if (waiting >= 0 && c->buffers[waiting].queued_at <= start_of(c, c->next_sequence))
            fill(c, push(&c->done, pop(&c->queued)));
    }
}

static int is_frozen(const struct camera *c) {
    const char *freeze_after = getenv("LIVEKM_VCAM_FREEZE_AFTER");
    return freeze_after && c->n_given >= atoi(freeze_after);
}

/* Make the descriptor readable at once if a frame waits, else when the next one is complete. */
static void set_alarm(struct camera *c) {
    int64_t at = c->done.length ? 1 : start_of(c, c->next_sequence + 1);
    struct itimerspec when = {.it_value = {at / 1000000000, at % 1000000000}};
    if (!c->streaming || is_frozen(c)) when = (struct itimerspec){0};
    timerfd_settime(c->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void unplug(void) {
    const char *ms = getenv("LIVEKM_VCAM_RETURN_AFTER_MS");
    returns_at = ms ? now_ns() + atoll(ms) * 1000000 : INT64_MAX;
    for (struct camera *c = cameras; c < cameras + MAX_OPEN; c++) c->gone = 1;
    owner = NULL;
}

/* ---- the ioctls ---- */

static int stop(struct camera *c) {
    c->streaming = c->queued.length = c->done.length = 0;
    for (int i = 0; i < MAX_BUFFERS; i++) c->buffers[i].state = WITH_PROGRAM;
    set_alarm(c);
    return 0;
}

static int release_buffers(struct camera *c) {
    stop(c);
    if (c->memory) {
        munmap(c->memory, (size_t)c->n_buffers * c->stride);
        close(c->memfd);
    }
    c->memory = NULL;
    c->n_buffers = 0;
    if (owner == c) owner = NULL;
    return 0;
}

static int request_buffers(struct camera *c, struct v4l2_requestbuffers *r) {
    if (r->memory != V4L2_MEMORY_MMAP) return fail(EINVAL);
    if (owner && owner != c) return fail(EBUSY);
    release_buffers(c);
    if (r->count == 0) return 0;
    if (r->count > MAX_BUFFERS) r->count = MAX_BUFFERS;
    size_t size = (size_t)r->count * c->stride;
    c->memfd = memfd_create("virtual camera", MFD_CLOEXEC);
    if (c->memfd < 0 || ftruncate(c->memfd, (off_t)size)) return fail(ENOMEM);
    c->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, c->memfd, 0);
    c->n_buffers = (int)r->count;
    owner = c;
    return 0;
}

static int describe(struct camera *c, int index, struct v4l2_buffer *b) {
    const struct buffer *mine = &c->buffers[index];
    int is_empty = pixel_format() == V4L2_PIX_FMT_MJPEG && c->memory && mine->state == WITH_PROGRAM &&
                   !c->memory[(size_t)index * c->stride];
    *b = (struct v4l2_buffer){
        .index = (uint32_t)index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP,
        .flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
        .field = V4L2_FIELD_NONE, .bytesused = is_empty ? 0 : c->image_size, .length = c->image_size,
        .m.offset = (uint32_t)index * c->stride, .sequence = mine->sequence,
        .timestamp = {mine->filled_at / 1000000000, mine->filled_at % 1000000000 / 1000}};
    if (mine->state == QUEUED) b->flags |= V4L2_BUF_FLAG_QUEUED;
    if (mine->state == DONE) b->flags |= V4L2_BUF_FLAG_DONE;
    return 0;
}

static int queue_buffer(struct camera *c, const struct v4l2_buffer *b) {
    if (b->index >= (uint32_t)c->n_buffers) return fail(EINVAL);
    struct buffer *mine = &c->buffers[b->index];
    if (mine->state != WITH_PROGRAM) return fail(EINVAL);
    if (c->streaming) advance(c); /* what came before this buffer was there is decided first */
    mine->state = QUEUED;
    mine->queued_at = now_ns();
    push(&c->queued, (int)b->index);
    return 0;
}

static int dequeue_buffer(struct camera *c, struct v4l2_buffer *b) {
    const char *unplug_after = getenv("LIVEKM_VCAM_UNPLUG_AFTER");
    if (!c->streaming) return fail(EINVAL);
    if (unplug_after && n_taken >= atoi(unplug_after)) {
        unplug();
        return fail(ENODEV);
    }
    advance(c);
    int index = c->done.length && !is_frozen(c) ? pop(&c->done) : -1;
    if (index >= 0) c->n_given++;
    set_alarm(c);
    if (index < 0) return fail(EAGAIN); /* also without O_NONBLOCK, which every program here sets */
    c->buffers[index].state = WITH_PROGRAM;
    n_taken++;
    return describe(c, index, b);
}

static int start(struct camera *c) {
    if (!c->n_buffers) return fail(EINVAL);
    c->streaming = 1;
    c->next_sequence = 0;
    c->started_at = now_ns();
    set_alarm(c);
    return 0;
}

static int query_capability(struct v4l2_capability *capability) {
    uint32_t can = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    *capability = (struct v4l2_capability){
        .driver = "virtual", .card = "Virtual camera", .bus_info = "platform:virtual",
        .device_caps = can, .capabilities = can | V4L2_CAP_DEVICE_CAPS};
    return 0;
}

static int frame_size(const struct camera *c, struct v4l2_frmsizeenum *size) {
    if (size->index || size->pixel_format != pixel_format()) return fail(EINVAL);
    size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    size->discrete = (struct v4l2_frmsize_discrete){c->width, c->height};
    return 0;
}

/* One format and size: like a real driver, answer any wish with what there is. */
static int negotiate(const struct camera *c, struct v4l2_format *f) {
    if (f->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
    f->fmt.pix = (struct v4l2_pix_format){
        .width = c->width, .height = c->height, .pixelformat = pixel_format(),
        .field = V4L2_FIELD_NONE, .bytesperline = 2 * c->width, .sizeimage = c->image_size,
        .colorspace = V4L2_COLORSPACE_SRGB};
    return 0;
}

static void note_wish(const struct v4l2_format *f) {
    const char *path = getenv("LIVEKM_VCAM_WISHES");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    const struct v4l2_pix_format *pix = &f->fmt.pix;
    fprintf(file, "%.4s %ux%u\n", (const char *)&pix->pixelformat, pix->width, pix->height);
    fclose(file);
}

static int rate(const struct camera *c, struct v4l2_streamparm *p) {
    if (p->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
    p->parm.capture = (struct v4l2_captureparm){
        .capability = V4L2_CAP_TIMEPERFRAME, .timeperframe = {c->fps_den, c->fps_num}};
    return 0;
}

static int answer(struct camera *c, unsigned long request, void *arg) {
    if (c->gone) return fail(ENODEV);
    struct v4l2_fmtdesc *format = arg;
    struct v4l2_buffer *buffer = arg;
    switch ((uint32_t)request) {
    case VIDIOC_QUERYCAP: return query_capability(arg);
    case VIDIOC_ENUM_FMT:
        if (format->index || format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
        format->pixelformat = pixel_format();
        strcpy((char *)format->description, getenv("LIVEKM_VCAM_MJPG") ? "Motion-JPEG" : "YUYV 4:2:2");
        return 0;
    case VIDIOC_ENUM_FRAMESIZES: return frame_size(c, arg);
    case VIDIOC_S_FMT:
        note_wish(arg);
        return owner ? fail(EBUSY) : negotiate(c, arg);
    case VIDIOC_G_FMT:
    case VIDIOC_TRY_FMT: return negotiate(c, arg);
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: return rate(c, arg);
    case VIDIOC_REQBUFS: return request_buffers(c, arg);
    case VIDIOC_QUERYBUF:
        if (buffer->index >= (uint32_t)c->n_buffers) return fail(EINVAL);
        return describe(c, (int)buffer->index, buffer);
    case VIDIOC_QBUF: return queue_buffer(c, buffer);
    case VIDIOC_DQBUF: return dequeue_buffer(c, buffer);
    case VIDIOC_STREAMON: return start(c);
    case VIDIOC_STREAMOFF: return stop(c);
    default: return fail(ENOTTY);
    }
}

static int open_camera(void) {
    if (returns_at && now_ns() >= returns_at) returns_at = n_taken = 0;
    if (returns_at || mode_is("absent")) return fail(ENOENT);
    if (mode_is("denied")) return fail(EACCES);
    struct camera *c = cameras;
    while (c < cameras + MAX_OPEN && c->fd) c++;
    if (c == cameras + MAX_OPEN) return fail(EMFILE);
    *c = (struct camera){.width = 320, .height = 240, .fps_num = 30, .fps_den = 1, .frames_fd = -1};
    const char *size = getenv("LIVEKM_VCAM_SIZE"), *fps = getenv("LIVEKM_VCAM_FPS");
    const char *frames = getenv("LIVEKM_VCAM_FRAMES");
    if (size) sscanf(size, "%ux%u", &c->width, &c->height);
    if (fps) sscanf(fps, "%u/%u", &c->fps_num, &c->fps_den);
    c->image_size = 2 * c->width * c->height;
    c->stride = (c->image_size + PAGE - 1) / PAGE * PAGE;
    if (frames && (c->frames_fd = open(frames, O_RDONLY | O_CLOEXEC)) < 0) return -1;
    if (frames) c->n_frames = (int)(lseek(c->frames_fd, 0, SEEK_END) / c->image_size);
    if (mode_is("busy")) owner = &another_program;
    else if (owner == &another_program) owner = NULL;
    return c->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

/* ---- the C library's functions that stand before its own ---- */

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) { /* only then is there a third argument */
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    if (strcmp(path, DEVICE)) return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    pthread_mutex_lock(&lock);
    int fd = open_camera();
    pthread_mutex_unlock(&lock);
    return fd;
}

int open64(const char *, int, ...) __attribute__((alias("open")));

int ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *arg = va_arg(rest, void *);
    va_end(rest);
    struct camera *c = find(fd);
    if (!c) return (int)syscall(SYS_ioctl, fd, request, arg);
    pthread_mutex_lock(&lock);
    int result = answer(c, request, arg);
    pthread_mutex_unlock(&lock);
    return result;
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    struct camera *c = flags & MAP_ANONYMOUS ? NULL : find(fd);
    return (void *)syscall(SYS_mmap, at, length, protection, flags, c ? c->memfd : fd, offset);
}

void *mmap64(void *, size_t, int, int, int, off_t) __attribute__((alias("mmap")));

int close(int fd) {
    struct camera *c = find(fd);
    if (c) {
        pthread_mutex_lock(&lock);
        release_buffers(c);
        if (c->frames_fd >= 0) syscall(SYS_close, c->frames_fd);
        c->fd = 0;
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_close, fd);
}
