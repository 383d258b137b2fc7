#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

// std::mutex and std::shared_mutex with clang's thread-safety annotations, so that -Wthread-safety
// proves which lock guards which member. (absl::Mutex is not used: Debian's build gives false
// reports under ThreadSanitizer.)
#if defined(__clang__)
#define FACEGATE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define FACEGATE_THREAD_ANNOTATION(x)
#endif

#define FACEGATE_CAPABILITY(x) FACEGATE_THREAD_ANNOTATION(capability(x))
#define FACEGATE_SCOPED_CAPABILITY FACEGATE_THREAD_ANNOTATION(scoped_lockable)
#define FACEGATE_GUARDED_BY(x) FACEGATE_THREAD_ANNOTATION(guarded_by(x))
#define FACEGATE_REQUIRES(...) FACEGATE_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define FACEGATE_REQUIRES_SHARED(...) \
  FACEGATE_THREAD_ANNOTATION(requires_shared_capability(__VA_ARGS__))
#define FACEGATE_ACQUIRE(...) FACEGATE_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define FACEGATE_ACQUIRE_SHARED(...) \
  FACEGATE_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define FACEGATE_RELEASE(...) FACEGATE_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define FACEGATE_RELEASE_SHARED(...) \
  FACEGATE_THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define FACEGATE_RELEASE_GENERIC(...) \
  FACEGATE_THREAD_ANNOTATION(release_generic_capability(__VA_ARGS__))
#define FACEGATE_NO_THREAD_SAFETY_ANALYSIS FACEGATE_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace facegate {

class FACEGATE_CAPABILITY("mutex") Mutex {
 public:
  void Lock() FACEGATE_ACQUIRE() { mutex_.lock(); }
  void Unlock() FACEGATE_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class FACEGATE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) FACEGATE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() FACEGATE_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits are always in a loop that tests the condition under the lock.
class CondVar {
 public:
  void Wait(Mutex& mutex) FACEGATE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when `deadline` passed before a wake-up.
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline)
      FACEGATE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool woken = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return woken;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

// Serves first who comes first: a waiting writer holds later readers back, because glibc's lock
// alone lets a stream of readers starve it. So a thread must not lock it shared a second time.
class FACEGATE_CAPABILITY("shared_mutex") SharedMutex {
 public:
  void Lock() FACEGATE_ACQUIRE() {
    const std::lock_guard<std::mutex> turn(turn_);
    mutex_.lock();
  }
  void Unlock() FACEGATE_RELEASE() { mutex_.unlock(); }
  void LockShared() FACEGATE_ACQUIRE_SHARED() {
    const std::lock_guard<std::mutex> turn(turn_);
    mutex_.lock_shared();
  }
  void UnlockShared() FACEGATE_RELEASE_SHARED() { mutex_.unlock_shared(); }

 private:
  std::mutex turn_;  // held while waiting, never while holding mutex_
  std::shared_mutex mutex_;
};

class FACEGATE_SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(SharedMutex& mutex) FACEGATE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~WriterLock() FACEGATE_RELEASE() { mutex_.Unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class FACEGATE_SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mutex) FACEGATE_ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.LockShared();
  }
  ~ReaderLock() FACEGATE_RELEASE_GENERIC() { mutex_.UnlockShared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace facegate
