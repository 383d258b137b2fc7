#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Errors of the whole project: absl::Status, whose codes equal gRPC's number for number. What a
// client must be able to tell apart carries a Reason, which travels to the wire as
// google.rpc.ErrorInfo.reason.
namespace facegate {

using absl::Status;
using absl::StatusCode;
using absl::StatusOr;

inline Status OkStatus() { return Status(); }

// Says why a request was refused; the stable, public vocabulary of the contract. Names on the wire
// are ReasonName().
enum class Reason {
  kInvalidField,
  kImageUndecodable,
  kImageTooLarge,
  kNoFace,
  kMultipleFaces,
  kCropSize,
  kLowQuality,
  kEmbeddingInvalid,
  kCollectionNotFound,
  kIdentityNotFound,
  kTemplateNotFound,
  kCollectionExists,
  kIdentityExists,
  kDuplicateFace,
  kModelMismatch,
  kIdentityMismatch,
  kNoOperatingPoint,
  kCalibrationUnsupported,
  kCollectionNotEmpty,
  kRequestIdReused,
  kRequestInProgress,
  kAnswerErased,
  kEtagMismatch,
  kQueueFull,
  kQuotaExceeded,
  kStoreFull,
  kNotReady,
  kShuttingDown,
  kDeadline,
  kStoreCorrupt,
  kInternal,
};

// "INVALID_FIELD" and so on.
std::string_view ReasonName(Reason reason);
// The one code that each reason has.
StatusCode CodeOf(Reason reason);

// A refusal with a reason. `message` says what was wrong and what was expected, with numbers; never
// image bytes, embeddings, tokens or subject names.
Status Refuse(Reason reason, std::string_view message);
// kInvalidField at `field`, a path in the request message such as "probe.face_selection".
Status RefuseField(std::string_view field, std::string_view message);

// Errors without a reason: what no client request caused (a broken model file, a bad
// configuration).
Status InvalidArgument(std::string_view message);
Status NotFound(std::string_view message);
Status FailedPrecondition(std::string_view message);
Status Unavailable(std::string_view message);
Status DataLoss(std::string_view message);
Status Internal(std::string_view message);

// "opening gallery: " in front of the message; code, reason, field and retry are kept. OK stays OK.
Status Annotate(const Status& status, std::string_view context);
// Puts `field` in front of the field path: AtField(status at "image", "probe") is at "probe.image".
// OK stays OK.
Status AtField(const Status& status, std::string_view field);
// A detail for programs, such as a number that the message has in a sentence
// (google.rpc.ErrorInfo.metadata). `key` is lower case with underscores. OK stays OK.
Status WithMetadata(const Status& status, std::string_view key, std::string_view value);
// Tells the caller when to try again (google.rpc.RetryInfo).
Status WithRetryAfter(const Status& status, std::chrono::milliseconds delay);

std::optional<Reason> ReasonOf(const Status& status);
// Empty when no field is to blame.
std::string FieldOf(const Status& status);
std::map<std::string, std::string> MetadataOf(const Status& status);
std::optional<std::chrono::milliseconds> RetryAfterOf(const Status& status);
// The message as a std::string_view; valid while `status` lives.
std::string_view MessageOf(const Status& status);

}  // namespace facegate

#define FACEGATE_CONCAT_INNER(a, b) a##b
#define FACEGATE_CONCAT(a, b) FACEGATE_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expr` is not OK.
#define FACEGATE_RETURN_IF_ERROR(expr)                                      \
  do {                                                                      \
    if (::facegate::Status facegate_status = (expr); !facegate_status.ok()) \
      return facegate_status;                                               \
  } while (false)

// NOLINTBEGIN(bugprone-macro-parentheses): `lhs` may be a declaration.
// FACEGATE_ASSIGN_OR_RETURN(auto image, DecodeImage(bytes, limits));
#define FACEGATE_ASSIGN_OR_RETURN(lhs, expr) \
  FACEGATE_ASSIGN_OR_RETURN_IMPL(FACEGATE_CONCAT(facegate_statusor_, __LINE__), lhs, expr)
#define FACEGATE_ASSIGN_OR_RETURN_IMPL(statusor, lhs, expr) \
  auto statusor = (expr);                                   \
  if (!statusor.ok()) return statusor.status();             \
  lhs = std::move(statusor).value()
// NOLINTEND(bugprone-macro-parentheses)
