#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "face/base/embedding.h"
#include "face/base/model_key.h"
#include "index/labels.h"

// What a gallery keeps and tells, as values; some are persisted.
namespace facegate {

// Tells how the templates of an identity make one score. Persisted, so the numbers stay.
enum class Fusion {
  kBestTemplate = 0,   // the highest cosine
  kMeanTemplate = 1,   // the cosine with the mean of the templates, weighted by their quality
  kMeanOfTwoBest = 2,  // the mean of the two highest cosines; of one template its own
};

// Tells how the templates of a collection are searched. Persisted, so the numbers stay.
enum class SearchKind {
  kExact = 0,  // all of them are looked through
  kHnsw = 1,   // where the nearest most likely are: a graph of neighbours
  kIvf = 2,    // likewise: lists around centres
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
  SearchKind search = SearchKind::kExact;
};

// How an approximate search does.
struct ApproximateSearch {
  // Of the templates (of the means, where these make the score), those that are found by it; the
  // others are looked through.
  uint64_t indexed = 0;
  // Measured on templates of the collection: how many of the 10 best it finds, 0..1; absent before
  // it was measured.
  std::optional<double> recall{};
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
  std::optional<ApproximateSearch> approximate{};  // absent where search is exact
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
  std::optional<SearchKind> search{};
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

// An identity that a face was compared with, and their score.
struct Candidate {
  std::string identity;
  uint64_t template_id = 0;    // the best one; of equal ones, the lower number
  float cosine = 0.0f;         // CosineScore(), of what the collection's Fusion says
  float score = 0.0f;          // what decides: the cosine, or what a cohort makes of it
  bool is_normalised = false;  // by a cohort
};

struct GalleryStats {
  uint64_t collections = 0;
  uint64_t identities = 0;
  uint64_t templates = 0;
  // Rows of the searches since the gallery was opened, and those of them that codes could not tell
  // apart, so that their scores were computed.
  uint64_t scanned_rows = 0;
  uint64_t scored_rows = 0;
  // Of templates that were removed, and still take memory.
  uint64_t removed_rows = 0;
  // The card that searches, such as "cuda:0 (NVIDIA H200)", or "cpu"; rows that are on the card.
  std::string search_device = "cpu";
  uint64_t rows_on_card = 0;
};

// An identity has at most so many templates.
inline constexpr size_t kMaxTemplatesOfIdentity = 1000;

}  // namespace facegate
