#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "face/base/mutex.h"
#include "face/base/status.h"

namespace facegate {

// Instances of a class that is not thread-safe, lent to one caller at a time. Makes a further one
// when all are out, so it comes to hold as many as there were callers at once. Thread-safe; no
// instance is made or used under the lock. Outlives what it lends.
template <typename T>
class FreeList {
 public:
  // An instance on loan; goes back at the end of scope.
  class Loan {
   public:
    Loan(FreeList& list, std::unique_ptr<T> instance)
        : list_(&list), instance_(std::move(instance)) {}
    ~Loan() {
      if (instance_ != nullptr) list_->Return(std::move(instance_));
    }
    Loan(Loan&&) noexcept = default;
    Loan& operator=(Loan&&) = delete;

    T& operator*() const { return *instance_; }
    T* operator->() const { return instance_.get(); }

   private:
    FreeList* list_;
    std::unique_ptr<T> instance_;
  };

  // `make` returns a StatusOr<std::unique_ptr<T>>.
  template <typename Make>
  StatusOr<Loan> Borrow(Make&& make) {
    {
      const MutexLock lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<T> instance = std::move(free_.back());
        free_.pop_back();
        return Loan(*this, std::move(instance));
      }
    }
    FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<T> made, make());
    return Loan(*this, std::move(made));
  }

  void Return(std::unique_ptr<T> instance) {
    const MutexLock lock(mutex_);
    free_.push_back(std::move(instance));
  }

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<T>> free_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
