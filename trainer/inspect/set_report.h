#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "trainer/inspect/duplicates.h"
#include "trainer/inspect/label_noise.h"
#include "trainer/inspect/photo_facts.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

struct UnreadablePhoto {
  size_t photo = 0;  // number in the source
  std::string name{};
  std::string reason{};
};

// Tells how many photos identities have.
struct PhotosPerIdentity {
  size_t least = 0;
  double median = 0.0;
  double mean = 0.0;
  size_t most = 0;
  size_t single = 0;  // identities with one photo

  struct Bucket {
    size_t low = 0;
    size_t high = 0;  // inclusive; SIZE_MAX in the last one
    size_t identities = 0;
  };
  std::vector<Bucket> histogram{};
};

// Describes the labels of a list where all are numbers.
struct LabelNumbers {
  int64_t first = 0;
  int64_t last = 0;
  uint64_t missing = 0;                  // numbers between them that no photo has
  std::vector<int64_t> first_missing{};  // at most ten
};

struct SetReport {
  std::string path{};       // as it was given
  std::string list_root{};  // as it was given
  std::string form{};       // the name of a DatasetFormat
  size_t photos = 0;
  size_t identities = 0;
  std::vector<UnreadablePhoto> unreadable{};
  std::vector<std::string> empty_identities{};  // folders without photos
  std::optional<LabelNumbers> labels{};         // lists alone
  std::optional<std::string> pack_digest{};     // packs alone; checked

  PhotosPerIdentity per_identity{};  // unreadable photos included
  // The sizes of the readable photos, the most frequent first.
  std::vector<std::pair<std::pair<int, int>, size_t>> sizes{};  // width and height
  std::vector<std::pair<ImageFormat, size_t>> formats{};
  size_t grey = 0;
  size_t blue_skin = 0;          // see PhotoFacts
  std::array<double, 3> mean{};  // of red, green and blue over all photos, each alike, 0..255
  std::array<double, 3> deviation{};
  std::vector<DuplicateGroup> duplicates{};

  // What a model's embeddings say of the labels; nothing where no model was asked. Photos are
  // numbers in the source.
  struct ModelView {
    std::string model{};  // as it was given
    LabelNoise noise{};
    size_t compared = 0;  // photos; the others are no crops of its size, or cannot be read
  };
  std::optional<ModelView> model_view{};
};

struct InspectOptions {
  std::string path{};
  std::string list_root{};
  int threads = 2;  // >= 1
};

struct InspectEvents {
  std::function<void(size_t)> started;  // how many photos there are; once
  std::function<void()> read;           // one more photo
};

// Reads all photos of `source`, which is what `options.path` has. Fails where a pack is damaged
// outside its records; photos that cannot be read are in the report.
StatusOr<SetReport> InspectSet(const InspectOptions& options, const PhotoSource& source,
                               const InspectEvents& events);

// Statistics of counts, one for each identity; zeros are left out.
PhotosPerIdentity CountPhotos(const std::vector<size_t>& counts);
// Nothing where a label is no number.
std::optional<LabelNumbers> NumbersOfLabels(const std::vector<std::string>& labels);

// Counts the groups of a kind, and the photos in them that are further copies.
struct DuplicateCount {
  size_t groups = 0;
  size_t copies = 0;
};
DuplicateCount CountDuplicates(const SetReport& report, bool identical, bool across_identities);

}  // namespace facegate
