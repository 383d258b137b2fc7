#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/status.h"

namespace facegate {

// Which model made an embedding. Templates of two models never meet in one search.
struct ModelKey {
  std::string model_digest;          // 64 hexadecimal digits
  std::string preprocessing_digest;  // 64 hexadecimal digits
  bool operator==(const ModelKey&) const = default;
};

struct CollectionSettings {
  std::optional<float> min_cosine;  // -1..1: the collection's operating point
};

struct CollectionInfo {
  std::string id;
  CollectionSettings settings;
  ModelKey model;
  int embedding_size = 0;
  int64_t create_time_us = 0;  // since 1970 UTC
  uint64_t identity_count = 0;
  uint64_t template_count = 0;
};

struct IdentityInfo {
  std::string id;
  int64_t create_time_us = 0;
  int64_t update_time_us = 0;
  uint64_t template_count = 0;
};

struct TemplateInfo {
  uint64_t id = 0;  // unique in the whole store and never reused
  ModelKey model;
  std::string detector;          // that gave the landmarks; "none" for crops and embeddings
  float detection_score = 0.0f;  // 0 where there was no detection
  int64_t create_time_us = 0;
};

// A template to be enrolled.
struct NewTemplate {
  Embedding embedding;
  std::string detector;
  float detection_score = 0.0f;
};

struct EnrolOptions {
  bool must_be_new = false;  // kIdentityExists when the identity exists
};

struct EnrolResult {
  IdentityInfo identity;
  std::vector<uint64_t> template_ids;  // in the order given
  bool created_identity = false;
};

// The best template of one identity.
struct Candidate {
  std::string identity;
  uint64_t template_id = 0;
  float cosine = 0.0f;  // CosineScore()
};

struct GalleryStats {
  uint64_t collections = 0;
  uint64_t identities = 0;
  uint64_t templates = 0;
};

template <typename T>
struct Page {
  std::vector<T> items;
  // The id of the last item when more may follow, else empty: what the next call passes as `after`.
  std::string next_after;
};

// Identities and their templates in isolated collections: durable, and searched exactly.
// Thread-safe.
//
// A call that changes something returns OK only when the change survives a power loss and the next
// search sees it; on an error nothing was changed. Ids must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}
// (kInvalidField). Every call on an unknown collection gives kCollectionNotFound, on an unknown
// identity kIdentityNotFound. Storage failures: kStoreFull when the disk is full, kStoreCorrupt for
// bytes that do not check, kInternal otherwise.
class Gallery {
 public:
  virtual ~Gallery() = default;

  // Bound to one model for life. kCollectionExists.
  virtual StatusOr<CollectionInfo> CreateCollection(std::string_view collection,
                                                    const ModelKey& model, int embedding_size,
                                                    const CollectionSettings& settings) = 0;
  virtual StatusOr<CollectionInfo> GetCollection(std::string_view collection) const = 0;
  // In the order of ids (bytewise), from the first one above `after`; at most `limit`.
  virtual Page<CollectionInfo> ListCollections(std::string_view after, size_t limit) const = 0;
  // kCollectionNotEmpty unless it is empty or `force` is set.
  virtual Status DeleteCollection(std::string_view collection, bool force) = 0;

  // Adds all of `templates` (one or more) to the identity, creating it where absent; all or none.
  // kModelMismatch when `model` is not the collection's.
  virtual StatusOr<EnrolResult> Enrol(std::string_view collection, std::string_view identity,
                                      const ModelKey& model, std::span<const NewTemplate> templates,
                                      const EnrolOptions& options) = 0;
  virtual StatusOr<IdentityInfo> GetIdentity(std::string_view collection,
                                             std::string_view identity) const = 0;
  virtual StatusOr<Page<IdentityInfo>> ListIdentities(std::string_view collection,
                                                      std::string_view after,
                                                      size_t limit) const = 0;
  // Erases the identity and its templates; returns how many templates there were.
  virtual StatusOr<uint64_t> DeleteIdentity(std::string_view collection,
                                            std::string_view identity) = 0;

  // In ascending order of template ids, from the first above `after` (0: from the start).
  virtual StatusOr<std::vector<TemplateInfo>> ListTemplates(std::string_view collection,
                                                            std::string_view identity,
                                                            uint64_t after, size_t limit) const = 0;
  // The stored embedding with its model. kTemplateNotFound.
  virtual StatusOr<Embedding> GetEmbedding(std::string_view collection, std::string_view identity,
                                           uint64_t template_id) const = 0;
  // kTemplateNotFound. An identity may stay behind without templates.
  virtual Status DeleteTemplate(std::string_view collection, std::string_view identity,
                                uint64_t template_id) = 0;

  // The `k` identities with the highest scores, best first, each once with its best template; ties
  // go to the lower template id. Equal to a full scan with CosineScore(). kModelMismatch when
  // `model` is not the collection's.
  virtual StatusOr<std::vector<Candidate>> Search(std::string_view collection,
                                                  const ModelKey& model, const Embedding& query,
                                                  size_t k) const = 0;
  // The best template of one identity; kIdentityNotFound, kTemplateNotFound when it has none.
  virtual StatusOr<Candidate> Score(std::string_view collection, std::string_view identity,
                                    const ModelKey& model, const Embedding& query) const = 0;

  virtual GalleryStats stats() const = 0;
};

}  // namespace facegate
