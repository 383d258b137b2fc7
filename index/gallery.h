#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/model_key.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/labels.h"
#include "index/request_id.h"

namespace facegate {

// Tells how the templates of an identity make one score. Persisted, so the numbers stay.
enum class Fusion {
  kBestTemplate = 0,  // the highest cosine
  kMeanTemplate = 1,  // the cosine with the mean of the templates, weighted by their quality
};

struct CollectionSettings {
  std::optional<float> min_cosine{};  // -1..1: the collection's operating point
  // 0..1: the least quality of a face that is enrolled, and of one that is compared; 0 wants none.
  // Where they are absent, the server's own hold.
  std::optional<float> enrol_quality{};
  std::optional<float> probe_quality{};
  // Guards of enrolments, each a false match rate above 0 and below 1; absent: there is none. At
  // this rate a new face must match the identity's others, and must match nobody else.
  std::optional<double> identity_match_fmr{};
  std::optional<double> duplicate_fmr{};
  Fusion fusion = Fusion::kBestTemplate;
  // Scores are normalised by a cohort (index/cohort.h), once there are kLeastCohort identities.
  bool cohort = false;
};

struct CollectionInfo {
  std::string id;
  CollectionSettings settings;
  ModelKey model;
  int embedding_size = 0;
  int64_t create_time_us = 0;  // since 1970 UTC
  int64_t update_time_us = 0;  // of the settings
  std::string etag;            // another with each change of the settings
  uint64_t identity_count = 0;
  uint64_t template_count = 0;
};

// The settings of a collection that change, and their values; those not named stay.
struct CollectionChange {
  bool set_min_cosine = false;
  std::optional<float> min_cosine{};  // where it is set: -1..1; nothing removes it
  bool set_enrol_quality = false;
  std::optional<float> enrol_quality{};  // where it is set: 0..1; nothing removes it
  bool set_probe_quality = false;
  std::optional<float> probe_quality{};  // the same
  bool set_identity_match_fmr = false;
  std::optional<double> identity_match_fmr{};  // where it is set: 0..1; nothing removes it
  bool set_duplicate_fmr = false;
  std::optional<double> duplicate_fmr{};  // the same
  std::optional<Fusion> fusion{};
  std::optional<bool> cohort{};
};

struct IdentityInfo {
  std::string id;
  int64_t create_time_us = 0;
  int64_t update_time_us = 0;
  uint64_t template_count = 0;
  Labels labels;
  std::string etag;  // another with each change of the identity
};

// Tells what a template was made from: who vouches for the face in it. Persisted, so the numbers
// stay.
enum class TemplateSource {
  kUnknown = 0,      // enrolled by a version that did not note it
  kImage = 1,        // a picture in which the server found the face
  kAlignedCrop = 2,  // a crop that the client aligned
  kEmbedding = 3,    // the client's word
};

struct TemplateInfo {
  uint64_t id = 0;  // unique in the whole store and never reused
  ModelKey model;
  std::string detector;          // that gave the landmarks; "none" for crops and embeddings
  float detection_score = 0.0f;  // 0 where there was no detection
  int64_t create_time_us = 0;
  std::string source_digest{};  // as it was enrolled with; the client's own
  TemplateSource source = TemplateSource::kUnknown;
  std::optional<float> quality{};  // 0..1, of the face; absent where it was not measured
};

// A template to be enrolled.
struct NewTemplate {
  Embedding embedding;
  std::string detector;
  float detection_score = 0.0f;
  std::string source_digest{};  // at most 64 bytes; kept, and never looked at
  TemplateSource source = TemplateSource::kUnknown;
  std::optional<float> quality{};  // 0..1; absent where it was not measured
};

struct EnrolOptions {
  bool must_be_new = false;  // kIdentityExists when the identity exists
  // Guards; a cosine each, nothing for none. They hold whatever else is enrolled at the same time.
  //
  // Each face must reach this cosine with one of the identity's templates, or of the faces before
  // it: kIdentityMismatch. The first face of all has nothing to be compared with.
  std::optional<float> consistent_from{};
  // No face may reach this cosine with a template of another identity: kDuplicateFace, with the
  // other's id as "identity_id" of the metadata, which is for callers who may identify. Of two
  // calls that enrol one face as two identities, one succeeds.
  std::optional<float> unique_from{};
  // Asked during the searches that this takes.
  StopCheck stop{};
};

struct EnrolResult {
  IdentityInfo identity;
  std::vector<uint64_t> template_ids;  // in the order given
  bool created_identity = false;
};

// The labels of an identity that change; those not named stay, unless all are replaced.
struct LabelChange {
  bool replace_all = false;
  Labels set;
  std::vector<std::string> remove;  // without effect where there is none
};

// One side of a merge.
struct MergedIdentity {
  std::string_view id;
  std::string_view etag;  // empty: any
};

struct MergeResult {
  IdentityInfo identity;  // the target
  uint64_t moved_templates = 0;
};

// The result of a deletion of a collection or a template.
struct Deleted {};

// An identity that a face was compared with, and their score.
struct Candidate {
  std::string identity;
  uint64_t template_id = 0;    // the best one; of equal ones, the lower number
  float cosine = 0.0f;         // CosineScore(), of the best template or of the mean
  float score = 0.0f;          // what decides: the cosine, or what a cohort makes of it
  bool is_normalised = false;  // by a cohort
};

struct GalleryStats {
  uint64_t collections = 0;
  uint64_t identities = 0;
  uint64_t templates = 0;
};

// The answer to a request with an id is kept for so long.
inline constexpr std::chrono::hours kRequestLifetime{24};
// At most so many answers are kept; about 200 MB.
inline constexpr size_t kMaxRequests = 1'000'000;
// At most so many requests are kept with their answers for one identity.
inline constexpr size_t kMaxRequestsOfIdentity = 256;

// An identity has at most so many templates.
inline constexpr size_t kMaxTemplatesOfIdentity = 1000;

// Chooses the identities of a collection that are compared with each other, and how.
struct SelfComparison {
  uint64_t most_comparisons = 0;  // of two templates
  uint64_t seed = 0;              // of the draw, where there are more
  // Templates whose quality is known and below this take no part, 0..1.
  double least_quality = 0.0;
};

// Takes the scores that the identities of a collection have with each other. An identity is a
// number below `identities`, which says nothing about who it is. What a call says instead of OK
// ends the comparison.
class ScoreSink {
 public:
  virtual ~ScoreSink() = default;
  // Comes first: how many identities are compared, and how many of their templates; how many of
  // those that were looked at are below the quality.
  virtual Status Begin(size_t identities, size_t templates, size_t left_out) = 0;
  // A template of `identity`: its score with the first template of each identity; the one at
  // `identity` itself is not to be used.
  virtual Status AddTemplate(size_t identity, std::span<const float> scores) = 0;
  // Two templates of one identity.
  virtual Status AddPair(size_t identity, float score) = 0;
};

template <typename T>
struct Page {
  std::vector<T> items;
  // The id of the last item when more may follow, else empty: what the next call passes as `after`.
  std::string next_after;
};

// The gallery keeps identities and their templates in isolated collections: durable, and searched
// exactly. It is the one door to `index`; whoever enrols, compares or searches sees this interface
// alone. Thread-safe.
//
// A call that changes something returns OK only when the change survives a power loss and the next
// search sees it; on an error nothing was changed. Ids must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}
// (kInvalidField). Every call on an unknown collection gives kCollectionNotFound, on an unknown
// identity kIdentityNotFound. An etag that is not empty must be that of the identity (of the
// collection in UpdateCollection), kEtagMismatch otherwise. Storage failures: kStoreFull when the
// disk is full (deletions are taken even then), kStoreCorrupt for bytes that do not check,
// kInternal otherwise.
//
// A change with a receipt is kept together with its answer for kRequestLifetime: when its request
// comes again, also after a restart, BeginRequest() has the answer. The time counts while the
// gallery is open, and up to twelve hours of each pause, so that a clock that is set forward makes
// nothing be forgotten. Beyond kMaxRequests the oldest are forgotten earlier; the log tells it
// once.
//
// What is taken away takes the answers along that may tell of it, while it stays known that their
// requests were made. A deleted identity or collection takes those of all its requests. A deleted
// template, a label that was removed or has got another value, and an old id take those given for
// the identity before; a merge takes those given for the source alone. Beyond
// kMaxRequestsOfIdentity the oldest answers of an identity go, too.
class Gallery {
 public:
  virtual ~Gallery() = default;

  // Says whether a change with a request id was made already (RequestTicket::answer); comes before
  // the change. Never waits: kRequestInProgress, with a time after which to try again, while
  // another call with the id is at work. kRequestIdReused when the id came with another
  // fingerprint. Where the request was made and its answer is no longer kept: kCollectionNotFound
  // when the collection was deleted; kIdentityNotFound when the answer went with the identity;
  // kAnswerErased when it went before, whether or not the identity was deleted after that.
  virtual StatusOr<RequestTicket> BeginRequest(const RequestId& id,
                                               std::string_view fingerprint) = 0;

  // The collection is bound to one model for life. kCollectionExists.
  virtual StatusOr<CollectionInfo> CreateCollection(
      std::string_view collection, const ModelKey& model, int embedding_size,
      const CollectionSettings& settings, const Receipt<CollectionInfo>& receipt = {}) = 0;
  virtual StatusOr<CollectionInfo> GetCollection(std::string_view collection) const = 0;
  // Lists at most `limit` collections in the order of ids (bytewise), from the first one above
  // `after`.
  virtual Page<CollectionInfo> ListCollections(std::string_view after, size_t limit) const = 0;
  virtual StatusOr<CollectionInfo> UpdateCollection(
      std::string_view collection, const CollectionChange& change, std::string_view etag,
      const Receipt<CollectionInfo>& receipt = {}) = 0;
  // kCollectionNotEmpty unless it is empty or `force` is set.
  virtual Status DeleteCollection(std::string_view collection, bool force,
                                  const Receipt<Deleted>& receipt = {}) = 0;

  // Adds all of `templates` (one or more) to the identity, creating it where absent; all or none.
  // kModelMismatch when `model` is not the collection's, kQuotaExceeded when the identity would
  // have more than kMaxTemplatesOfIdentity. Errors of the guards are at the index of the face, such
  // as "[2]".
  virtual StatusOr<EnrolResult> Enrol(std::string_view collection, std::string_view identity,
                                      const ModelKey& model, std::span<const NewTemplate> templates,
                                      const EnrolOptions& options,
                                      const Receipt<EnrolResult>& receipt = {}) = 0;
  virtual StatusOr<IdentityInfo> GetIdentity(std::string_view collection,
                                             std::string_view identity) const = 0;
  virtual StatusOr<Page<IdentityInfo>> ListIdentities(std::string_view collection,
                                                      std::string_view after,
                                                      size_t limit) const = 0;
  // kInvalidField at labels when they break a rule of index/labels.h afterwards.
  virtual StatusOr<IdentityInfo> UpdateLabels(std::string_view collection,
                                              std::string_view identity, const LabelChange& change,
                                              std::string_view etag,
                                              const Receipt<IdentityInfo>& receipt = {}) = 0;
  // Another id for the same identity. kIdentityExists when `new_id` is taken, also by itself.
  virtual StatusOr<IdentityInfo> RenameIdentity(std::string_view collection,
                                                std::string_view identity, std::string_view new_id,
                                                std::string_view etag,
                                                const Receipt<IdentityInfo>& receipt = {}) = 0;
  // The templates of `source` become those of `target` and keep their ids, labels that `target`
  // lacks are taken over, and `source` is no more. kInvalidField at source_identity_id when both
  // are one, or when there would be too many labels; kQuotaExceeded when there would be more than
  // kMaxTemplatesOfIdentity.
  virtual StatusOr<MergeResult> MergeIdentities(std::string_view collection,
                                                const MergedIdentity& source,
                                                const MergedIdentity& target,
                                                const Receipt<MergeResult>& receipt = {}) = 0;
  // Erases the identity and its templates; returns how many templates there were.
  virtual StatusOr<uint64_t> DeleteIdentity(std::string_view collection, std::string_view identity,
                                            std::string_view etag = {},
                                            const Receipt<uint64_t>& receipt = {}) = 0;

  // Lists at most `limit` templates in ascending order of ids, from the first above `after` (0:
  // from the start).
  virtual StatusOr<std::vector<TemplateInfo>> ListTemplates(std::string_view collection,
                                                            std::string_view identity,
                                                            uint64_t after, size_t limit) const = 0;
  // The stored embedding with its model. kTemplateNotFound.
  virtual StatusOr<Embedding> GetEmbedding(std::string_view collection, std::string_view identity,
                                           uint64_t template_id) const = 0;
  // kTemplateNotFound. An identity may stay behind without templates.
  virtual Status DeleteTemplate(std::string_view collection, std::string_view identity,
                                uint64_t template_id, const Receipt<Deleted>& receipt = {}) = 0;

  // The `k` identities with the highest scores, best first, each once; ties go to the lower
  // template id (with Fusion::kMeanTemplate to the lowest of each identity). Equal to a full scan
  // with CosineScore(); with a cohort, the `k` best after normalisation of the max(k, 50) with the
  // highest cosines. kModelMismatch when `model` is not the collection's; what `stop` says when it
  // says so.
  virtual StatusOr<std::vector<Candidate>> Search(std::string_view collection,
                                                  const ModelKey& model, const Embedding& query,
                                                  size_t k, const StopCheck& stop = {}) const = 0;
  // The score of one identity; kIdentityNotFound, kTemplateNotFound when it has no templates.
  virtual StatusOr<Candidate> Score(std::string_view collection, std::string_view identity,
                                    const ModelKey& model, const Embedding& query) const = 0;

  // Compares the identities of a collection with each other: all that have templates, or as many
  // as the comparisons allow, drawn at random. First a template of each, and then, as far as the
  // comparisons go, up to 8. Searches and changes go on meanwhile. What `stop` or `sink` says when
  // it says so.
  virtual Status CompareIdentities(std::string_view collection, const SelfComparison& comparison,
                                   ScoreSink& sink, const StopCheck& stop) const = 0;

  virtual GalleryStats stats() const = 0;

  // OK while changes can be stored. kStoreFull while the disk is full: the gallery goes on by
  // itself when there is room. kInternal when the disk has failed; unless it is OK again within
  // seconds, the gallery must be opened again. The message is one sentence for the operator.
  virtual Status WriteHealth() const = 0;
};

}  // namespace facegate
