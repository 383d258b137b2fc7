#include "trainer/run/evaluation_pairs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "trainer/measure/pair_list.h"
#include "trainer/photos/image_list.h"
#include "trainer/photos/pair_source.h"
#include "trainer/photos/photo_finder.h"

namespace facegate {
namespace {

constexpr size_t kNamesShown = 3;

// Refuses pairs of which no figures can be made.
Status CheckPairs(const PairList& list, const std::string& path) {
  Status measurable = CheckMeasurable(list);
  if (measurable.ok()) return measurable;
  return RefuseField("evaluate.pairs", fmt::format("{}: {}", path, MessageOf(measurable)));
}

// Says which photos are not there; refuses where too few pairs are left, or those of one kind.
Status CheckPhotos(const PairList& list, const std::vector<PicturePair>& pairs,
                   const std::string& path, const ImageList& images, const DataOptions& options,
                   TrainingData& data) {
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
  if (absent_count == 0) return CheckPairs(list, path);
  PairList left{.pairs = {}, .folds = list.folds};
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (is_there[pairs[i].first] && is_there[pairs[i].second]) left.pairs.push_back(list.pairs[i]);
  }
  const std::string text =
      fmt::format("{} of the {} photos of {} are not in {}, such as {}; {} of {} pairs are left",
                  absent_count, images.images.size(), path, options.evaluate_photos,
                  fmt::join(absent, ", "), left.pairs.size(), pairs.size());
  if (left.pairs.size() < EvaluationSet::kFewestPairs) {
    return RefuseField("evaluate.photos",
                       fmt::format("{}, {} are needed", text, EvaluationSet::kFewestPairs));
  }
  FACEGATE_RETURN_IF_ERROR(CheckPairs(left, text));
  data.notes.push_back("warning: " + text);
  return OkStatus();
}

EvaluationSet AllPictures(std::string name, std::shared_ptr<const Dataset> pictures,
                          std::vector<PicturePair> pairs) {
  EvaluationSet set{.name = std::move(name),
                    .source = std::move(pictures),
                    .photos = {},
                    .pairs = std::move(pairs)};
  set.photos.resize(set.source->size());
  std::iota(set.photos.begin(), set.photos.end(), size_t{0});
  return set;
}

// A set whose pictures come with it, which are crops.
StatusOr<EvaluationSet> TakePictures(PairSource source, TrainingData& data) {
  const std::string& path = source.paths.front();
  if (source.numbers.size() < EvaluationSet::kFewestPairs) {
    return RefuseField("evaluate.pairs",
                       fmt::format("{} has {} pairs, {} are needed", path, source.numbers.size(),
                                   EvaluationSet::kFewestPairs));
  }
  FACEGATE_RETURN_IF_ERROR(CheckPairs(source.list, path));
  const std::filesystem::path folder = std::filesystem::path(path) / "..";
  data.folders.push_back((folder.lexically_normal() / "").string());
  return AllPictures(std::move(source.name), std::move(source.pictures), std::move(source.numbers));
}

StatusOr<EvaluationSet> FindPhotos(PairSource source, const DataOptions& options,
                                   TrainingData& data) {
  const std::string path = fmt::format("{}", fmt::join(source.paths, " and "));
  if (options.evaluate_photos.empty()) {
    return RefuseField("evaluate.photos",
                       fmt::format("is missing: the folder with the photos that {} names", path));
  }
  const PairList& list = source.list;
  if (list.folds != EvaluationSet::kFolds) {
    return InvalidArgument(
        fmt::format("{} has {} folds, expected {}", path, list.folds, EvaluationSet::kFolds));
  }
  data.notes.insert(data.notes.end(), list.remarks.begin(), list.remarks.end());
  std::vector<PicturePair> pairs;
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
  pairs.reserve(list.pairs.size());
  for (const FacePair& pair : list.pairs) {
    const size_t first = number(pair.first);
    pairs.push_back({.first = first, .second = number(pair.second), .same = pair.same});
  }
  FACEGATE_RETURN_IF_ERROR(CheckPhotos(list, pairs, path, images, options, data));
  data.folders.push_back((std::filesystem::path(options.evaluate_photos) / "").string());
  return AllPictures(std::move(source.name), Cropped(MakeListDataset(std::move(images)), options),
                     std::move(pairs));
}

}  // namespace

Status OpenEvaluationSets(const DataOptions& options, TrainingData& data) {
  FACEGATE_ASSIGN_OR_RETURN(std::vector<PairSource> sources,
                            OpenPairSources(options.evaluate_pairs));
  for (PairSource& source : sources) {
    // The people who are held out are a set, too.
    const bool is_taken = std::any_of(data.sets.begin(), data.sets.end(),
                                      [&](const auto& set) { return set.name == source.name; });
    if (is_taken) source.name += " (pairs)";
    FACEGATE_ASSIGN_OR_RETURN(EvaluationSet set, source.is_list()
                                                     ? FindPhotos(std::move(source), options, data)
                                                     : TakePictures(std::move(source), data));
    data.sets.push_back(std::move(set));
  }
  return OkStatus();
}

}  // namespace facegate
