#pragma once

#include <uv.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif


/// Names the calling thread, in at most 15 bytes. Here because glibc shows pthread_setname_np only with _GNU_SOURCE, and
/// Darwin's takes other arguments.
static inline void multistore_name_this_thread(const char *name) {
#if defined(__APPLE__)
  pthread_setname_np(name);
#else
  extern int pthread_setname_np(pthread_t, const char *);
  pthread_setname_np(pthread_self(), name);
#endif
}

/// Gives blocks of at least `bytes` pages of their own, permanently: glibc otherwise raises that bound by itself, up to
/// 32 MiB (mallopt(3)), once such a block was freed.
static inline void multistore_separate_large_blocks(int bytes) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, bytes);
  mallopt(M_TRIM_THRESHOLD, 2 * bytes);
#else
  (void)bytes;
#endif
}

/// Returns the heap's free memory to the operating system. Here because Swift's module of glibc leaves malloc.h out;
/// other C libraries do it by themselves.
static inline void multistore_trim_heap(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}
