#include "tests/bench/gallery_load_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "face/base/clock.h"
#include "index/store/template_store.h"
#include "tests/bench/search_faces.h"
#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRowsOfChange = 512;

Status FromSystem(const std::error_code& error, const fs::path& path) {
  return error ? Internal(fmt::format("{}: {}", path.string(), error.message())) : OkStatus();
}

StoredTemplate TemplateOf(const TemplateKey& key, std::span<const float> values, int64_t now) {
  return {.key = key,
          .embedding = UnitOf(values),
          .model = LoadModel(),
          .detector = "none",
          .create_time_us = now};
}

Status Fill(TemplateStore& store, const SearchFaces& faces) {
  const int64_t now = Clock::System().UnixMicros();
  FACEGATE_ASSIGN_OR_RETURN(const uint64_t collection, store.ReserveUids(1));
  StoreChange change;
  change.collections.push_back({.uid = collection,
                                .id = kLoadCollection,
                                .model = LoadModel(),
                                .embedding_size = static_cast<int>(faces.dimension()),
                                .settings = {},
                                .create_time_us = now,
                                .update_time_us = now});
  IdentityKey owner;
  for (size_t row = 0; row < faces.rows(); ++row) {
    FACEGATE_ASSIGN_OR_RETURN(const uint64_t uid, store.ReserveUids(2));
    if (row == 0 || faces.PersonOf(row) != faces.PersonOf(row - 1)) {
      if (change.templates.size() >= kRowsOfChange) {
        FACEGATE_RETURN_IF_ERROR(store.Write(change));
        change = {};
      }
      change.identities.push_back({.key = {.collection = collection, .identity = uid},
                                   .id = NameOfPerson(faces.PersonOf(row)),
                                   .create_time_us = now,
                                   .update_time_us = now,
                                   .labels = {}});
      owner = change.identities.back().key;
    }
    change.templates.push_back(
        TemplateOf({.owner = owner, .template_id = uid + 1}, faces.Row(row), now));
  }
  return store.Write(change);
}

}  // namespace

ModelKey LoadModel() {
  return {.model_digest = std::string(64, 'a'), .preprocessing_digest = std::string(64, 'b')};
}

std::string NameOfPerson(size_t person) { return fmt::format("person-{:07}", person); }

StatusOr<fs::path> StoreOfTemplates(const fs::path& cache, size_t templates) {
  const fs::path store = cache / fmt::format("templates-{}", templates);
  if (fs::exists(store)) return store;
  // One that was not finished is begun again.
  fs::path unfinished = store;
  unfinished += ".unfinished";
  std::error_code error;
  fs::remove_all(unfinished, error);
  FACEGATE_RETURN_IF_ERROR(FromSystem(error, unfinished));
  fs::create_directories(unfinished, error);
  FACEGATE_RETURN_IF_ERROR(FromSystem(error, unfinished));
  {
    FACEGATE_ASSIGN_OR_RETURN(const auto opened,
                              OpenTemplateStore({.directory = unfinished.string()}));
    FACEGATE_RETURN_IF_ERROR(Fill(*opened, MakeSearchFaces(templates)));
  }
  fs::rename(unfinished, store, error);
  FACEGATE_RETURN_IF_ERROR(FromSystem(error, store));
  return store;
}

Status CopyStore(const fs::path& store, const fs::path& copy) {
  std::error_code error;
  fs::create_directories(copy, error);
  FACEGATE_RETURN_IF_ERROR(FromSystem(error, copy));
  for (const auto& entry : fs::directory_iterator(store)) {
    const fs::path to = copy / entry.path().filename();
    if (entry.path().extension() == ".sst") {
      fs::create_hard_link(entry.path(), to, error);
    } else {
      fs::copy(entry.path(), to, fs::copy_options::recursive, error);
    }
    FACEGATE_RETURN_IF_ERROR(FromSystem(error, to));
  }
  return OkStatus();
}

}  // namespace facegate
