// Has the disk fail: the so manyth call of a kind on a file below a folder, or all from it on, end with EIO.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

static const char *kind, *below, *noted;
static long at, calls;
static int lasts;

// Whether this call, of this kind and on this file, fails.
static int fails(const char *what, const char *path) {
    if (!kind || strcmp(kind, what) || strncmp(path, below, strlen(below)))
        return 0;
    long call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (lasts ? call < at : call != at)
        return 0;
    long note = syscall(SYS_openat, AT_FDCWD, noted, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (note >= 0) {
        syscall(SYS_write, note, path, strlen(path));
        syscall(SYS_write, note, "\n", 1);
        syscall(SYS_close, note);
    }
    return 1;
}

// The same for an open file.
static int fails_on(const char *what, int file) {
    char link[64], path[PATH_MAX];
    if (!kind || strcmp(kind, what))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return fails(what, path);
}

#define INSTEAD(what, file, result, name, parameters, arguments) \
    result name parameters {                                     \
        static result(*real) parameters;                         \
        if (!real)                                               \
            real = (result(*) parameters)dlsym(RTLD_NEXT, #name); \
        if (fails_on(what, file)) {                              \
            errno = EIO;                                         \
            return -1;                                           \
        }                                                        \
        return real arguments;                                   \
    }

INSTEAD("read", file, ssize_t, read, (int file, void *to, size_t size), (file, to, size))
INSTEAD("read", file, ssize_t, pread, (int file, void *to, size_t size, off_t from), (file, to, size, from))
INSTEAD("read", file, ssize_t, pread64, (int file, void *to, size_t size, off_t from), (file, to, size, from))
INSTEAD("write", file, ssize_t, write, (int file, const void *from, size_t size), (file, from, size))
INSTEAD("write", file, ssize_t, writev, (int file, const struct iovec *from, int count), (file, from, count))
INSTEAD("write", file, ssize_t, pwrite, (int file, const void *from, size_t size, off_t to), (file, from, size, to))
INSTEAD("write", file, ssize_t, pwrite64, (int file, const void *from, size_t size, off_t to), (file, from, size, to))
INSTEAD("sync", file, int, fsync, (int file), (file))
INSTEAD("sync", file, int, fdatasync, (int file), (file))
INSTEAD("truncate", file, int, ftruncate, (int file, off_t size), (file, size))
INSTEAD("truncate", file, int, ftruncate64, (int file, off_t size), (file, size))

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real)
        real = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    if (fails("rename", to)) {
        errno = EIO;
        return -1;
    }
    return real(from, to);
}

#define OPEN(name)                                                                \
    int name(const char *path, int flags, ...) {                                  \
        static int (*real)(const char *, int, ...);                               \
        if (!real)                                                                \
            real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);      \
        va_list rest;                                                             \
        va_start(rest, flags);                                                    \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;   \
        va_end(rest);                                                             \
        if (fails("open", path)) {                                                \
            errno = EIO;                                                          \
            return -1;                                                            \
        }                                                                         \
        return real(path, flags, mode);                                           \
    }

OPEN(open)
OPEN(open64)

DIR *opendir(const char *path) {
    static DIR *(*real)(const char *);
    if (!real)
        real = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
    if (fails("open", path)) {
        errno = EIO;
        return NULL;
    }
    return real(path);
}

// Some renames are made past the C library: the kernel hands those here. What has this in its last argument it lets through.
#define OURS 0x45494f21

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define RESULT(c) ((c)->uc_mcontext.gregs[REG_RAX])
#define ARGUMENT(c, n) ((c)->uc_mcontext.gregs[(int[]){REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8}[n]])
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define RESULT(c) ((c)->uc_mcontext.regs[0])
#define ARGUMENT(c, n) ((c)->uc_mcontext.regs[n])
#endif

#ifdef ARCH
static void handed(int signal, siginfo_t *info, void *context) {
    ucontext_t *c = context;
    int before = errno;
    (void)signal;
    if (fails("rename", (const char *)ARGUMENT(c, 3))) {
        RESULT(c) = -EIO;
        return;
    }
    long done = syscall(info->si_syscall, ARGUMENT(c, 0), ARGUMENT(c, 1), ARGUMENT(c, 2), ARGUMENT(c, 3), ARGUMENT(c, 4), OURS);
    RESULT(c) = done < 0 ? -errno : done;
    errno = before;
}

static void have_renames_handed(int is_ours) {
    struct sigaction action = {.sa_sigaction = handed, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OURS, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
    sigaction(SIGSYS, &action, NULL);
    if (!is_ours)
        return;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        _exit(99);
}
#endif

__attribute__((constructor)) static void begin(void) {
    const char *nth = getenv("EIO_AT"), *asked = getenv("EIO_KIND");
    if (!nth || !asked)
        return;
    int is_ours = !strcmp(program_invocation_short_name, "rhema");
#ifdef ARCH
    // Programs that it starts have the same calls handed to them.
    if (!strcmp(asked, "rename"))
        have_renames_handed(is_ours);
#endif
    below = getenv("EIO_BELOW");
    noted = getenv("EIO_NOTED");
    lasts = getenv("EIO_LASTS") != NULL;
    at = atol(nth);
    if (is_ours && below && noted)
        kind = asked;
}
