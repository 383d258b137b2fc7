#pragma once

// Debian's RocksDB is built without ThreadSanitizer, which then sees its memory accesses (memcpy,
// new) but not the atomics that order them: where one thread writes the batches of several, it
// reports races that are none. Stack traces through such code lack frames, so that the list of
// suppressions (tests/tsan.supp) cannot name them.
#if defined(__SANITIZE_THREAD__)
#define FACEGATE_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FACEGATE_THREAD_SANITIZER 1
#endif
#endif

#if defined(FACEGATE_THREAD_SANITIZER)
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace facegate {

// Put around a call into such a library: its accesses on this thread are not looked at meanwhile.
// Nothing in other builds.
class Unsanitized {
 public:
#if defined(FACEGATE_THREAD_SANITIZER)
  Unsanitized() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~Unsanitized() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  Unsanitized() {}
  ~Unsanitized() {}
#endif
  Unsanitized(const Unsanitized&) = delete;
  Unsanitized& operator=(const Unsanitized&) = delete;
};

}  // namespace facegate
