/* Put before a program's own libraries: its disk is slow or fails to sync, and its clock is wrong, as a file says that whoever
   tests it writes to meanwhile. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct faults {
  volatile long long fail_syncs;
  volatile long long sync_millis;
  volatile long long clock_millis;
};

static struct faults *faults(void) {
  static struct faults none;
  static struct faults *found;
  if (!found) {
    const char *path = getenv("FAULTS");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = file < 0 ? MAP_FAILED : mmap(0, sizeof none, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    found = at == MAP_FAILED ? &none : at;
  }
  return found;
}

static int synced(long call, int file) {
  long long millis = faults()->sync_millis;
  struct timespec wait = {millis / 1000, millis % 1000 * 1000000};
  if (millis) nanosleep(&wait, 0);
  if (faults()->fail_syncs) {
    errno = EIO;
    return -1;
  }
  return syscall(call, file);
}

int fsync(int file) { return synced(SYS_fsync, file); }

int fdatasync(int file) { return synced(SYS_fdatasync, file); }

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = syscall(SYS_clock_gettime, clock, now);
  if (!failed && clock == CLOCK_REALTIME) {
    long long nanos = now->tv_nsec + faults()->clock_millis % 1000 * 1000000;
    now->tv_sec += faults()->clock_millis / 1000 + nanos / 1000000000;
    now->tv_nsec = nanos % 1000000000;
    if (now->tv_nsec < 0) {
      now->tv_nsec += 1000000000;
      now->tv_sec -= 1;
    }
  }
  return failed;
}
