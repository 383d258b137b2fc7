#include "trainer/run/evaluation_pairs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <system_error>
#include <utility>

#include "trainer/measure/pair_list.h"
#include "trainer/photos/image_list.h"
#include "trainer/photos/pair_file.h"
#include "trainer/photos/pair_set.h"
#include "trainer/photos/photo_finder.h"

namespace facegate {
namespace {

constexpr size_t kNamesShown = 3;

// Says which photos are not there; refuses where too few pairs are left.
Status CheckPhotos(const PairSet& set, const std::string& path, const ImageList& images,
                   const DataOptions& options, TrainingData& data) {
  std::vector<bool> is_there;
  is_there.reserve(images.images.size());
  std::vector<std::string> absent;
  size_t absent_count = 0;
  for (const LabelledImage& image : images.images) {
    std::error_code error;
    is_there.push_back(std::filesystem::is_regular_file(image.path, error));
    if (is_there.back()) continue;
    absent_count += 1;
    if (absent.size() < kNamesShown) absent.push_back(image.path);
  }
  if (absent_count == 0) return OkStatus();
  const auto left = static_cast<size_t>(
      std::count_if(set.pairs.begin(), set.pairs.end(), [&](const EvaluationSet::Pair& pair) {
        return is_there[pair.first] && is_there[pair.second];
      }));
  const std::string text =
      fmt::format("{} of the {} photos of {} are not in {}, such as {}; {} of {} pairs are left",
                  absent_count, images.images.size(), path, options.evaluate_photos,
                  fmt::join(absent, ", "), left, set.pairs.size());
  if (left < EvaluationSet::kFewestPairs) {
    return RefuseField("evaluate.photos",
                       fmt::format("{}, {} are needed", text, EvaluationSet::kFewestPairs));
  }
  data.notes.push_back("warning: " + text);
  return OkStatus();
}

EvaluationSet AllPictures(PairSet pairs) {
  EvaluationSet set{.name = std::move(pairs.name),
                    .source = std::move(pairs.pictures),
                    .photos = {},
                    .pairs = std::move(pairs.pairs)};
  set.photos.resize(set.source->size());
  std::iota(set.photos.begin(), set.photos.end(), size_t{0});
  return set;
}

// A set whose pictures come with it, which are crops.
StatusOr<EvaluationSet> OpenPictures(const PairSetFormat& format, const std::string& path,
                                     TrainingData& data) {
  FACEGATE_ASSIGN_OR_RETURN(PairSet pairs, format.open(path));
  if (pairs.pairs.size() < EvaluationSet::kFewestPairs) {
    return RefuseField("evaluate.pairs",
                       fmt::format("{} has {} pairs, {} are needed", path, pairs.pairs.size(),
                                   EvaluationSet::kFewestPairs));
  }
  const std::filesystem::path folder = std::filesystem::path(path) / "..";
  data.folders.push_back((folder.lexically_normal() / "").string());
  return AllPictures(std::move(pairs));
}

StatusOr<EvaluationSet> OpenList(const std::string& path, const DataOptions& options,
                                 TrainingData& data) {
  if (options.evaluate_photos.empty()) {
    return RefuseField("evaluate.photos",
                       fmt::format("is missing: the folder with the photos that {} names", path));
  }
  FACEGATE_ASSIGN_OR_RETURN(const PairList list, ReadPairList(path));
  if (list.folds != EvaluationSet::kFolds) {
    return InvalidArgument(
        fmt::format("{} has {} folds, expected {}", path, list.folds, EvaluationSet::kFolds));
  }
  data.notes.insert(data.notes.end(), list.remarks.begin(), list.remarks.end());
  PairSet set{.name = std::filesystem::path(path).stem().string(), .pictures = {}, .pairs = {}};
  ImageList images{.images = {}, .classes = {"-"}};
  std::map<std::string, size_t> numbers;
  PhotoFinder finder(options.evaluate_photos);
  const auto number = [&](const std::string& name) {
    const auto [at, is_new] = numbers.emplace(name, numbers.size());
    if (is_new) {
      images.images.push_back(
          {.path = finder.Find(name).value_or(finder.PathOf(name)), .label = 0});
    }
    return at->second;
  };
  set.pairs.reserve(list.pairs.size());
  for (const FacePair& pair : list.pairs) {
    const size_t first = number(pair.first);
    set.pairs.push_back({.first = first, .second = number(pair.second), .same = pair.same});
  }
  FACEGATE_RETURN_IF_ERROR(CheckPhotos(set, path, images, options, data));
  data.folders.push_back((std::filesystem::path(options.evaluate_photos) / "").string());
  set.pictures = Cropped(MakeListDataset(std::move(images)), options);
  return AllPictures(std::move(set));
}

}  // namespace

Status OpenEvaluationSets(const DataOptions& options, TrainingData& data) {
  for (const std::string& path : options.evaluate_pairs) {
    FACEGATE_ASSIGN_OR_RETURN(const PairSetFormat* const format, FormatOfPairSet(path));
    FACEGATE_ASSIGN_OR_RETURN(EvaluationSet set, format != nullptr
                                                     ? OpenPictures(*format, path, data)
                                                     : OpenList(path, options, data));
    const std::string name = set.name;
    const auto is_taken = [&](const EvaluationSet& other) { return other.name == set.name; };
    for (int copy = 2; std::any_of(data.sets.begin(), data.sets.end(), is_taken); ++copy) {
      set.name = fmt::format("{}-{}", name, copy);
    }
    data.sets.push_back(std::move(set));
  }
  return OkStatus();
}

}  // namespace facegate
