#include "index/local/pending_faces.h"

#include <algorithm>
#include <chrono>

namespace facegate {
namespace {

// A wait asks so often whether its result is still wanted.
constexpr std::chrono::milliseconds kLongestWait{5};

}  // namespace

bool PendingFaces::HasAnother(std::string_view identity, std::span<const NewTemplate> templates,
                              float unique_from) const {
  const auto meets = [&](const NewTemplate& one, const NewTemplate& other) {
    return CosineScore(one.embedding.values(), other.embedding.values()) >= unique_from;
  };
  return std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) {
    return claim.identity != identity &&
           std::find_first_of(templates.begin(), templates.end(), claim.templates.begin(),
                              claim.templates.end(), meets) != templates.end();
  });
}

StatusOr<PendingFaces::Place> PendingFaces::Enter(std::string_view identity,
                                                  std::span<const NewTemplate> templates,
                                                  float unique_from, const StopCheck& stop) {
  std::list<Claim> mine;
  mine.push_back({.identity = std::string(identity), .templates = templates});
  while (true) {
    {
      const MutexLock lock(mutex_);
      if (!HasAnother(identity, templates, unique_from)) {
        claims_.splice(claims_.begin(), mine);
        return Place(*this, claims_.begin());
      }
      left_.WaitUntil(mutex_, std::chrono::steady_clock::now() + kLongestWait);
    }
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
  }
}

PendingFaces::Place PendingFaces::Enter(std::string_view identity,
                                        std::span<const NewTemplate> templates) {
  std::list<Claim> mine;
  mine.push_back({.identity = std::string(identity), .templates = templates});
  const MutexLock lock(mutex_);
  claims_.splice(claims_.begin(), mine);
  return {*this, claims_.begin()};
}

void PendingFaces::Leave(std::list<Claim>::iterator claim) {
  {
    std::list<Claim> left;
    const MutexLock lock(mutex_);
    left.splice(left.begin(), claims_, claim);
  }
  left_.NotifyAll();
}

}  // namespace facegate
