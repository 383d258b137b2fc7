#pragma once

#include <list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/mutex.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/gallery.h"

namespace facegate {

// The faces that are on their way into a collection: checked against, or being written, but found
// by no search yet. With them two enrolments of one face as two people cannot pass each other: the
// second one waits until it is known what became of the first. Thread-safe.
class PendingFaces {
 private:
  struct Claim {
    std::string identity;
    std::span<const NewTemplate> templates;
  };

 public:
  // Is held until the faces are found by searches, or the enrolment has failed.
  class Place {
   public:
    Place(PendingFaces& faces, std::list<Claim>::iterator claim) : faces_(&faces), claim_(claim) {}
    Place(Place&& other) noexcept
        : faces_(std::exchange(other.faces_, nullptr)), claim_(other.claim_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (faces_ != nullptr) faces_->Leave(claim_);
    }

   private:
    PendingFaces* faces_;
    std::list<Claim>::iterator claim_;
  };

  // `templates` outlive the place. Waits while one of them reaches `unique_from` with a face on its
  // way to another identity. Whoever holds a place waits for nothing that a waiter may hold (the
  // lock of its identity, the life of the collection), so every wait ends; it must stay so. What
  // `stop` says when it says so.
  StatusOr<Place> Enter(std::string_view identity, std::span<const NewTemplate> templates,
                        float unique_from, const StopCheck& stop);
  // The same without a wait.
  Place Enter(std::string_view identity, std::span<const NewTemplate> templates);

 private:
  bool HasAnother(std::string_view identity, std::span<const NewTemplate> templates,
                  float unique_from) const FACEGATE_REQUIRES(mutex_);
  void Leave(std::list<Claim>::iterator claim);

  Mutex mutex_;
  CondVar left_;
  std::list<Claim> claims_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
