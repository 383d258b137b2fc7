#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

#include "face/base/check.h"
#include "face/base/clock.h"
#include "face/base/coding.h"
#include "index/local/local_gallery.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {

// Each reading of the time of day is one microsecond later.
class CountingClock final : public Clock {
 public:
  TimePoint Now() const override { return TimePoint(); }
  int64_t UnixMicros() const override { return ++now_us_; }

 private:
  mutable std::atomic<int64_t> now_us_{1'700'000'000'000'000};
};

inline ModelKey TestModel() {
  return {.model_digest = std::string(64, 'a'), .preprocessing_digest = std::string(64, 'b')};
}

inline NewTemplate TemplateOf(Embedding embedding) {
  return {.embedding = std::move(embedding), .detector = "yunet", .detection_score = 0.875f};
}

inline std::unique_ptr<GalleryBackend> OpenOrDie(const std::string& directory, Clock& clock) {
  auto gallery = OpenLocalGallery({.directory = directory}, clock);
  if (!gallery.ok()) ADD_FAILURE() << gallery.status();
  FACEGATE_CHECK(gallery.ok());
  return *std::move(gallery);
}

constexpr int kThreads = 8;

// Runs `work(thread)` on kThreads threads that begin together.
template <typename Work>
void InParallel(const Work& work) {
  std::latch ready(kThreads);
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&work, &ready, t] {
      ready.arrive_and_wait();
      work(t);
    });
  }
}

// All that a gallery tells about itself, for comparing it before and after.
struct GallerySnapshot {
  using Template = std::tuple<uint64_t, std::string, float, int64_t, std::vector<float>>;
  struct Identity {
    std::string id;
    int64_t create_time_us = 0;
    int64_t update_time_us = 0;
    Labels labels;
    std::string etag;
    std::vector<Template> templates;
    bool operator==(const Identity&) const = default;
  };
  struct Collection {
    std::string id;
    std::string model_digest;
    std::optional<float> min_cosine;
    int64_t create_time_us = 0;
    int64_t update_time_us = 0;
    std::string etag;
    uint64_t identity_count = 0;
    uint64_t template_count = 0;
    std::vector<Identity> identities;
    bool operator==(const Collection&) const = default;
  };
  std::vector<Collection> collections;
  bool operator==(const GallerySnapshot&) const = default;
};

inline std::vector<GallerySnapshot::Identity> IdentitiesOf(const Gallery& gallery,
                                                           const std::string& collection) {
  std::vector<GallerySnapshot::Identity> identities;
  const auto page = gallery.ListIdentities(collection, "", SIZE_MAX);
  FACEGATE_CHECK(page.ok());
  for (const IdentityInfo& info : page->items) {
    GallerySnapshot::Identity identity{.id = info.id,
                                       .create_time_us = info.create_time_us,
                                       .update_time_us = info.update_time_us,
                                       .labels = info.labels,
                                       .etag = info.etag,
                                       .templates = {}};
    const auto templates = gallery.ListTemplates(collection, info.id, 0, SIZE_MAX);
    FACEGATE_CHECK(templates.ok() && templates->size() == info.template_count);
    for (const TemplateInfo& one : *templates) {
      const auto embedding = gallery.GetEmbedding(collection, info.id, one.id);
      FACEGATE_CHECK(embedding.ok());
      identity.templates.emplace_back(
          one.id, one.detector, one.detection_score, one.create_time_us,
          std::vector<float>(embedding->values().begin(), embedding->values().end()));
    }
    identities.push_back(std::move(identity));
  }
  return identities;
}

inline GallerySnapshot SnapshotOf(const Gallery& gallery) {
  GallerySnapshot snapshot;
  const auto listed = gallery.ListCollections("", SIZE_MAX);
  FACEGATE_CHECK(listed.ok());
  for (const CollectionInfo& info : listed->items) {
    snapshot.collections.push_back({.id = info.id,
                                    .model_digest = info.model.model_digest,
                                    .min_cosine = info.settings.min_cosine,
                                    .create_time_us = info.create_time_us,
                                    .update_time_us = info.update_time_us,
                                    .etag = info.etag,
                                    .identity_count = info.identity_count,
                                    .template_count = info.template_count,
                                    .identities = IdentitiesOf(gallery, info.id)});
  }
  return snapshot;
}

// Prints sizes only, for failure messages.
inline void PrintTo(const GallerySnapshot& snapshot, std::ostream* out) {
  for (const auto& collection : snapshot.collections) {
    *out << collection.identity_count << " identities, " << collection.template_count
         << " templates; ";
  }
}

// The bytes in which a store keeps the values of an embedding.
inline std::string BytesOf(const Embedding& embedding) {
  std::string bytes;
  for (const float value : embedding.values()) {
    AppendLittleEndian(bytes, std::bit_cast<uint32_t>(value));
  }
  return bytes;
}

// Counts how often `bytes` occur in the files of `directory`.
inline size_t CountInFiles(const std::string& directory, const std::string& bytes) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    // Not character by character: a store keeps 64 MiB of zeros for deletions.
    std::error_code gone;  // by a compaction
    const uint64_t size = entry.file_size(gone);
    if (gone) continue;
    std::string content(size, '\0');
    std::ifstream file(entry.path(), std::ios::binary);
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    for (size_t at = content.find(bytes); at != std::string::npos;
         at = content.find(bytes, at + 1)) {
      ++count;
    }
  }
  return count;
}

// A gallery with one collection, "people", of short embeddings.
class GalleryTest : public ::testing::Test {
 protected:
  static constexpr int kSize = 16;

  GalleryTest() : gallery_(OpenOrDie(directory(), clock_)) {
    FACEGATE_CHECK(gallery_->CreateCollection("people", TestModel(), kSize, {}).ok());
  }

  std::string directory() const { return dir_.File("store"); }
  void Reopen() {
    gallery_.reset();
    gallery_ = OpenOrDie(directory(), clock_);
  }
  Embedding Random() { return RandomEmbedding(random_, kSize); }
  // Enrols one template; its id.
  uint64_t Enrol(const std::string& identity, const Embedding& embedding,
                 const std::string& collection = "people") {
    const std::vector<NewTemplate> one{TemplateOf(embedding)};
    const auto result = gallery_->Enrol(collection, identity, TestModel(), one, {});
    if (!result.ok()) ADD_FAILURE() << result.status();
    return result.ok() ? result->template_ids.front() : 0;
  }
  StatusOr<std::vector<Candidate>> Search(const Embedding& query, size_t k,
                                          const std::string& collection = "people") const {
    return gallery_->Search(collection, TestModel(), query, {.k = k});
  }

  TempDir dir_;
  CountingClock clock_;
  std::mt19937_64 random_{20221122};
  std::unique_ptr<GalleryBackend> gallery_;
};

}  // namespace facegate
