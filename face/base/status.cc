#include "face/base/status.h"

#include <charconv>
#include <utility>

#include "absl/strings/cord.h"

namespace facegate {
namespace {

constexpr char kReasonUrl[] = "facegate/reason";
constexpr char kFieldUrl[] = "facegate/field";
constexpr char kRetryUrl[] = "facegate/retry_ms";
constexpr std::string_view kMetadataUrl = "facegate/metadata/";  // and the key

struct ReasonRow {
  Reason reason;
  std::string_view name;
  StatusCode code;
};

// One row for each Reason, in the order of the enum.
constexpr ReasonRow kReasons[] = {
    {Reason::kInvalidField, "INVALID_FIELD", StatusCode::kInvalidArgument},
    {Reason::kImageUndecodable, "IMAGE_UNDECODABLE", StatusCode::kInvalidArgument},
    {Reason::kImageTooLarge, "IMAGE_TOO_LARGE", StatusCode::kInvalidArgument},
    {Reason::kNoFace, "NO_FACE", StatusCode::kInvalidArgument},
    {Reason::kMultipleFaces, "MULTIPLE_FACES", StatusCode::kInvalidArgument},
    {Reason::kCropSize, "CROP_SIZE", StatusCode::kInvalidArgument},
    {Reason::kLowQuality, "LOW_QUALITY", StatusCode::kInvalidArgument},
    {Reason::kEmbeddingInvalid, "EMBEDDING_INVALID", StatusCode::kInvalidArgument},
    {Reason::kCollectionNotFound, "COLLECTION_NOT_FOUND", StatusCode::kNotFound},
    {Reason::kIdentityNotFound, "IDENTITY_NOT_FOUND", StatusCode::kNotFound},
    {Reason::kTemplateNotFound, "TEMPLATE_NOT_FOUND", StatusCode::kNotFound},
    {Reason::kCollectionExists, "COLLECTION_EXISTS", StatusCode::kAlreadyExists},
    {Reason::kIdentityExists, "IDENTITY_EXISTS", StatusCode::kAlreadyExists},
    {Reason::kDuplicateFace, "DUPLICATE_FACE", StatusCode::kAlreadyExists},
    {Reason::kModelMismatch, "MODEL_MISMATCH", StatusCode::kFailedPrecondition},
    {Reason::kIdentityMismatch, "IDENTITY_MISMATCH", StatusCode::kFailedPrecondition},
    {Reason::kNoOperatingPoint, "NO_OPERATING_POINT", StatusCode::kFailedPrecondition},
    {Reason::kCalibrationUnsupported, "CALIBRATION_UNSUPPORTED", StatusCode::kFailedPrecondition},
    {Reason::kCollectionNotEmpty, "COLLECTION_NOT_EMPTY", StatusCode::kFailedPrecondition},
    {Reason::kRequestIdReused, "REQUEST_ID_REUSED", StatusCode::kFailedPrecondition},
    {Reason::kRequestInProgress, "REQUEST_IN_PROGRESS", StatusCode::kAborted},
    {Reason::kAnswerErased, "ANSWER_ERASED", StatusCode::kFailedPrecondition},
    {Reason::kEtagMismatch, "ETAG_MISMATCH", StatusCode::kAborted},
    {Reason::kQueueFull, "QUEUE_FULL", StatusCode::kResourceExhausted},
    {Reason::kQuotaExceeded, "QUOTA_EXCEEDED", StatusCode::kResourceExhausted},
    {Reason::kStoreFull, "STORE_FULL", StatusCode::kResourceExhausted},
    {Reason::kNotReady, "NOT_READY", StatusCode::kUnavailable},
    {Reason::kShuttingDown, "SHUTTING_DOWN", StatusCode::kUnavailable},
    {Reason::kDeadline, "DEADLINE", StatusCode::kDeadlineExceeded},
    {Reason::kStoreCorrupt, "STORE_CORRUPT", StatusCode::kDataLoss},
    {Reason::kInternal, "INTERNAL", StatusCode::kInternal},
};

constexpr bool RowsFollowEnum() {
  for (size_t i = 0; i < std::size(kReasons); ++i) {
    if (static_cast<size_t>(kReasons[i].reason) != i) return false;
  }
  return static_cast<size_t>(Reason::kInternal) + 1 == std::size(kReasons);
}
static_assert(RowsFollowEnum(), "kReasons must have one row for each Reason, in order");

const ReasonRow& RowOf(Reason reason) { return kReasons[static_cast<size_t>(reason)]; }

// Debian's abseil has its own string_view: this file is the one bridge.
absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

Status Make(StatusCode code, std::string_view message) { return Status(code, ToAbsl(message)); }

std::optional<std::string> PayloadOf(const Status& status, const char* url) {
  const absl::optional<absl::Cord> cord = status.GetPayload(url);
  if (!cord.has_value()) return std::nullopt;
  return std::string(*cord);
}

void SetPayload(Status& status, const char* url, std::string_view value) {
  status.SetPayload(url, absl::Cord(ToAbsl(value)));
}

}  // namespace

std::string_view ReasonName(Reason reason) { return RowOf(reason).name; }

StatusCode CodeOf(Reason reason) { return RowOf(reason).code; }

Status Refuse(Reason reason, std::string_view message) {
  Status status = Make(CodeOf(reason), message);
  SetPayload(status, kReasonUrl, ReasonName(reason));
  return status;
}

Status RefuseField(std::string_view field, std::string_view message) {
  return AtField(Refuse(Reason::kInvalidField, message), field);
}

Status InvalidArgument(std::string_view message) {
  return Make(StatusCode::kInvalidArgument, message);
}
Status NotFound(std::string_view message) { return Make(StatusCode::kNotFound, message); }
Status FailedPrecondition(std::string_view message) {
  return Make(StatusCode::kFailedPrecondition, message);
}
Status Unavailable(std::string_view message) { return Make(StatusCode::kUnavailable, message); }
Status DataLoss(std::string_view message) { return Make(StatusCode::kDataLoss, message); }
Status Internal(std::string_view message) { return Make(StatusCode::kInternal, message); }

Status Annotate(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  std::string message(context);
  message.append(": ").append(MessageOf(status));
  Status annotated = Make(status.code(), message);
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

Status AtField(const Status& status, std::string_view field) {
  if (status.ok()) return status;
  std::string path(field);
  if (const std::string inner = FieldOf(status); !inner.empty()) {
    if (inner.front() != '[') path.push_back('.');
    path.append(inner);
  }
  Status placed = status;
  SetPayload(placed, kFieldUrl, path);
  return placed;
}

Status WithMetadata(const Status& status, std::string_view key, std::string_view value) {
  if (status.ok()) return status;
  Status with_metadata = status;
  SetPayload(with_metadata, std::string(kMetadataUrl).append(key).c_str(), value);
  return with_metadata;
}

Status WithRetryAfter(const Status& status, std::chrono::milliseconds delay) {
  if (status.ok()) return status;
  Status with_retry = status;
  SetPayload(with_retry, kRetryUrl, std::to_string(delay.count()));
  return with_retry;
}

std::optional<Reason> ReasonOf(const Status& status) {
  const std::optional<std::string> name = PayloadOf(status, kReasonUrl);
  if (!name.has_value()) return std::nullopt;
  for (const ReasonRow& row : kReasons) {
    if (row.name == *name) return row.reason;
  }
  return std::nullopt;
}

std::string FieldOf(const Status& status) {
  return PayloadOf(status, kFieldUrl).value_or(std::string());
}

std::map<std::string, std::string> MetadataOf(const Status& status) {
  std::map<std::string, std::string> metadata;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    const std::string_view text(url.data(), url.size());
    if (text.starts_with(kMetadataUrl)) {
      metadata.emplace(text.substr(kMetadataUrl.size()), std::string(payload));
    }
  });
  return metadata;
}

std::optional<std::chrono::milliseconds> RetryAfterOf(const Status& status) {
  const std::optional<std::string> text = PayloadOf(status, kRetryUrl);
  if (!text.has_value()) return std::nullopt;
  int64_t count = 0;
  std::from_chars(text->data(), text->data() + text->size(), count);
  return std::chrono::milliseconds(count);
}

std::string_view MessageOf(const Status& status) {
  return {status.message().data(), status.message().size()};
}

}  // namespace facegate
