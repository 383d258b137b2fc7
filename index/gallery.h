#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/model_key.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/journal.h"
#include "index/labels.h"
#include "index/score_sink.h"
#include "index/values.h"

namespace facegate {

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
};

struct EnrolResult {
  IdentityInfo identity;
  std::vector<uint64_t> template_ids;  // in the order given
  bool created_identity = false;
};

// What a search looks for.
struct SearchOptions {
  size_t k = 1;  // identities
  // Those with a score below this are not wanted; nothing: all are.
  std::optional<double> least_score{};
  // Of those identities alone that have all of these labels, with these values.
  Labels labels{};
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

template <typename T>
struct Page {
  std::vector<T> items;
  // The id of the last item when more may follow, else empty: what the next call passes as `after`.
  std::string next_after;
};

// The gallery keeps identities and their templates in isolated collections: durable, and searched
// exactly. It is the one door to `index`; whoever enrols, compares or searches sees this interface
// alone. Nothing in it presumes that what is kept lies in this process. Thread-safe.
//
// Every call may fail, and asks `stop` while it waits and while it computes: what that says is the
// answer then, and nothing was changed. A change that has gone to the store is not stopped.
//
// A call that changes something returns OK only when the change survives a power loss and the next
// search sees it; on an error nothing was changed. Ids must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}
// (kInvalidField). Every call on an unknown collection gives kCollectionNotFound, on an unknown
// identity kIdentityNotFound. An etag that is not empty must be that of the identity (of the
// collection in UpdateCollection), kEtagMismatch otherwise. Storage failures: kStoreFull when the
// disk is full (deletions are taken even then), kStoreCorrupt for bytes that do not check,
// kInternal otherwise.
class Gallery {
 public:
  virtual ~Gallery() = default;

  // The collection is bound to one model for life. kCollectionExists.
  virtual StatusOr<CollectionInfo> CreateCollection(std::string_view collection,
                                                    const ModelKey& model, int embedding_size,
                                                    const CollectionSettings& settings,
                                                    const Receipt<CollectionInfo>& receipt = {},
                                                    const StopCheck& stop = {}) = 0;
  virtual StatusOr<CollectionInfo> GetCollection(std::string_view collection,
                                                 const StopCheck& stop = {}) const = 0;
  // Lists at most `limit` collections in the order of ids (bytewise), from the first one above
  // `after`.
  virtual StatusOr<Page<CollectionInfo>> ListCollections(std::string_view after, size_t limit,
                                                         const StopCheck& stop = {}) const = 0;
  virtual StatusOr<CollectionInfo> UpdateCollection(std::string_view collection,
                                                    const CollectionChange& change,
                                                    std::string_view etag,
                                                    const Receipt<CollectionInfo>& receipt = {},
                                                    const StopCheck& stop = {}) = 0;
  // kCollectionNotEmpty unless it is empty or `force` is set.
  virtual Status DeleteCollection(std::string_view collection, bool force,
                                  const Receipt<Deleted>& receipt = {},
                                  const StopCheck& stop = {}) = 0;

  // Adds all of `templates` (one or more) to the identity, creating it where absent; all or none.
  // kModelMismatch when `model` is not the collection's, kQuotaExceeded when the identity would
  // have more than kMaxTemplatesOfIdentity. Errors of the guards are at the index of the face, such
  // as "[2]".
  virtual StatusOr<EnrolResult> Enrol(std::string_view collection, std::string_view identity,
                                      const ModelKey& model, std::span<const NewTemplate> templates,
                                      const EnrolOptions& options,
                                      const Receipt<EnrolResult>& receipt = {},
                                      const StopCheck& stop = {}) = 0;
  virtual StatusOr<IdentityInfo> GetIdentity(std::string_view collection, std::string_view identity,
                                             const StopCheck& stop = {}) const = 0;
  virtual StatusOr<Page<IdentityInfo>> ListIdentities(std::string_view collection,
                                                      std::string_view after, size_t limit,
                                                      const StopCheck& stop = {}) const = 0;
  // kInvalidField at labels when they break a rule of index/labels.h afterwards.
  virtual StatusOr<IdentityInfo> UpdateLabels(std::string_view collection,
                                              std::string_view identity, const LabelChange& change,
                                              std::string_view etag,
                                              const Receipt<IdentityInfo>& receipt = {},
                                              const StopCheck& stop = {}) = 0;
  // Another id for the same identity. kIdentityExists when `new_id` is taken, also by itself.
  virtual StatusOr<IdentityInfo> RenameIdentity(std::string_view collection,
                                                std::string_view identity, std::string_view new_id,
                                                std::string_view etag,
                                                const Receipt<IdentityInfo>& receipt = {},
                                                const StopCheck& stop = {}) = 0;
  // The templates of `source` become those of `target` and keep their ids, labels that `target`
  // lacks are taken over, and `source` is no more. kInvalidField at source_identity_id when both
  // are one, or when there would be too many labels; kQuotaExceeded when there would be more than
  // kMaxTemplatesOfIdentity.
  virtual StatusOr<MergeResult> MergeIdentities(std::string_view collection,
                                                const MergedIdentity& source,
                                                const MergedIdentity& target,
                                                const Receipt<MergeResult>& receipt = {},
                                                const StopCheck& stop = {}) = 0;
  // Erases the identity and its templates; returns how many templates there were.
  virtual StatusOr<uint64_t> DeleteIdentity(std::string_view collection, std::string_view identity,
                                            std::string_view etag = {},
                                            const Receipt<uint64_t>& receipt = {},
                                            const StopCheck& stop = {}) = 0;

  // Lists at most `limit` templates in ascending order of ids, from the first above `after` (0:
  // from the start).
  virtual StatusOr<std::vector<TemplateInfo>> ListTemplates(std::string_view collection,
                                                            std::string_view identity,
                                                            uint64_t after, size_t limit,
                                                            const StopCheck& stop = {}) const = 0;
  // The stored embedding with its model. kTemplateNotFound.
  virtual StatusOr<Embedding> GetEmbedding(std::string_view collection, std::string_view identity,
                                           uint64_t template_id,
                                           const StopCheck& stop = {}) const = 0;
  // kTemplateNotFound. An identity may stay behind without templates.
  virtual Status DeleteTemplate(std::string_view collection, std::string_view identity,
                                uint64_t template_id, const Receipt<Deleted>& receipt = {},
                                const StopCheck& stop = {}) = 0;

  // For each query the k identities with the highest scores, best first, each once; ties go to the
  // lower template id (with Fusion::kMeanTemplate to the lowest of each identity). Equal to a full
  // scan with CosineScore(), but for those whom a SearchKind that is not exact misses; with a
  // cohort, the k best after normalisation of the max(k, 50) with the highest cosines. An answer is
  // of the templates that were there when the search began, without those that were removed before
  // it ended; those that an identity got meanwhile may count, too. kModelMismatch when `model` is
  // not the collection's.
  virtual StatusOr<std::vector<std::vector<Candidate>>> Search(
      std::string_view collection, const ModelKey& model, std::span<const Embedding> queries,
      const SearchOptions& options, const StopCheck& stop = {}) const = 0;
  // The same for one.
  StatusOr<std::vector<Candidate>> Search(std::string_view collection, const ModelKey& model,
                                          const Embedding& query, const SearchOptions& options,
                                          const StopCheck& stop = {}) const {
    auto found = Search(collection, model, std::span(&query, 1), options, stop);
    if (!found.ok()) return found.status();
    return std::move(found->front());
  }
  // The score of one identity; kIdentityNotFound, kTemplateNotFound when it has no templates.
  virtual StatusOr<Candidate> Score(std::string_view collection, std::string_view identity,
                                    const ModelKey& model, const Embedding& query,
                                    const StopCheck& stop = {}) const = 0;

  // Compares the identities of a collection with each other: all that have templates, or as many
  // as the comparisons allow, drawn at random. First a template of each, and then, as far as the
  // comparisons go, up to 8. Searches and changes go on meanwhile. What `stop` or `sink` says when
  // it says so.
  virtual Status CompareIdentities(std::string_view collection, const SelfComparison& comparison,
                                   ScoreSink& sink, const StopCheck& stop) const = 0;

  virtual StatusOr<GalleryStats> Stats(const StopCheck& stop = {}) const = 0;
};

}  // namespace facegate
