#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "index/request_id.h"

namespace facegate {

// The answer to a request with an id is kept for so long.
inline constexpr std::chrono::hours kRequestLifetime{24};
// At most so many answers are kept; about 200 MB.
inline constexpr size_t kMaxRequests = 1'000'000;
// At most so many requests are kept with their answers for one identity.
inline constexpr size_t kMaxRequestsOfIdentity = 256;

// One request from BeginRequest() on. While it lives, other calls with the same id are
// refused.
struct RequestTicket {
  RequestId id;
  std::string fingerprint;
  // The answer of an earlier call, where the change is made already.
  std::optional<std::string> answer;
  std::shared_ptr<void> in_progress;  // lets others in when it goes
};

// Tells a write with a request id under which ticket its answer is kept, and how the answer is
// made.
template <typename Result>
struct Receipt {
  const RequestTicket* ticket = nullptr;  // null: nothing is kept
  // Called before the change is made, with what it will come to.
  std::function<std::string(const Result&)> answer;
};

// Makes each change that a client names once, and answers alike whenever it comes again.
// Thread-safe.
//
// A change of the gallery with a receipt is kept together with its answer for kRequestLifetime:
// when its request comes again, also after a restart, BeginRequest() has the answer. The time
// counts while the gallery is open, and up to twelve hours of each pause, so that a clock that is
// set forward makes nothing be forgotten. Beyond kMaxRequests the oldest are forgotten earlier; the
// log tells it once.
//
// What is taken away takes the answers along that may tell of it, while it stays known that their
// requests were made. A deleted identity or collection takes those of all its requests. A deleted
// template, a label that was removed or has got another value, and an old id take those given for
// the identity before; a merge takes those given for the source alone. Beyond
// kMaxRequestsOfIdentity the oldest answers of an identity go, too.
class Journal {
 public:
  virtual ~Journal() = default;

  // Says whether a change with a request id was made already (RequestTicket::answer); comes before
  // the change. Never waits: kRequestInProgress, with a time after which to try again, while
  // another call with the id is at work. kRequestIdReused when the id came with another
  // fingerprint, of kFingerprintBytes. Where the request was made and its answer is no longer kept:
  // kCollectionNotFound when the collection was deleted; kIdentityNotFound when the answer went
  // with the identity; kAnswerErased when it went before, whether or not the identity was deleted
  // after that. The journal must outlive the ticket.
  virtual StatusOr<RequestTicket> BeginRequest(const RequestId& id,
                                               std::string_view fingerprint) = 0;
};

}  // namespace facegate
