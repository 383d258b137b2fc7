#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/base/random.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "trainer/command/import.h"
#include "trainer/command/inspect_model.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

constexpr size_t kPeople = 30;
constexpr size_t kPhotos = 30;  // of each
constexpr double kPlanted = 0.05;

std::vector<std::string> SortedNames(const std::filesystem::path& folder, size_t most) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().string());
  }
  std::sort(names.begin(), names.end());
  names.resize(std::min(names.size(), most));
  return names;
}

// Real faces, some of them under the name of another, seen by public weights.
TEST(LabelNoiseGoldenTest, FindsPlantedLabelsAmongRealFaces) {
  FACEGATE_DATA_OR_SKIP(data);
  const TempDir dir;
  const std::string model = dir.File("model.safetensors");
  ASSERT_THAT(ImportModel({.source = (data / "weights" / "arcface_mobilefacenet.pth").string(),
                           .out = model,
                           .architecture = std::nullopt,
                           .card = {.preset = "bubbliiiing"}}),
              IsOk());
  std::string clean = "path,identity\n";
  std::string planted = clean;
  std::set<std::string> wrong;
  RandomStream random(1);
  const std::vector<std::string> people = SortedNames(data / "train" / "pins", kPeople);
  for (size_t person = 0; person < people.size(); ++person) {
    for (const std::string& photo : SortedNames(people[person], kPhotos)) {
      const bool moved = random.Chance(kPlanted);
      const size_t other = (person + 1 + random.Below(people.size() - 1)) % people.size();
      clean += photo + "," + std::to_string(person) + "\n";
      planted += photo + "," + std::to_string(moved ? other : person) + "\n";
      if (moved) wrong.insert(photo);
    }
  }
  const auto doubted = [&](const std::string& list) {
    const std::string path = dir.File("list.csv");
    EXPECT_THAT(WriteFileAtomically(path, list), IsOk());
    const auto source = OpenPhotoSource(path, "");
    EXPECT_THAT(source, IsOk());
    const auto view = ViewByModel(model, **source, 2);
    EXPECT_THAT(view, IsOk());
    std::set<std::string> names;
    for (const DoubtedLabel& one : view->noise.doubted) names.insert((*source)->name(one.photo));
    return names;
  };
  const std::set<std::string> without = doubted(clean);
  const std::set<std::string> with = doubted(planted);
  const auto found = std::count_if(with.begin(), with.end(),
                                   [&](const std::string& one) { return wrong.contains(one); });
  const auto alarms = std::count_if(with.begin(), with.end(), [&](const std::string& one) {
    return !wrong.contains(one) && !without.contains(one);
  });
  EXPECT_GE(static_cast<double>(found), 0.9 * static_cast<double>(wrong.size()));
  EXPECT_LE(static_cast<double>(alarms), 0.02 * static_cast<double>(kPeople * kPhotos));
}

}  // namespace
}  // namespace facegate
