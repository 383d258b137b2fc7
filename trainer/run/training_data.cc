#include "trainer/run/training_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "face/base/sha256.h"
#include "face/image/align.h"
#include "trainer/data/centre_crop.h"
#include "trainer/data/image_list.h"
#include "trainer/data/joined_dataset.h"
#include "trainer/data/open_dataset.h"
#include "trainer/data/random.h"
#include "trainer/data/text_lines.h"
#include "trainer/eval/pair_list.h"
#include "trainer/synthetic/synthetic_dataset.h"

namespace facegate {
namespace {

// What random numbers are for.
constexpr uint64_t kHoldout = 51;
constexpr uint64_t kPhotos = 52;
constexpr uint64_t kPairs = 53;

// Photos of other datasets, under labels of its own.
class ChosenPhotos final : public Dataset {
 public:
  struct Photo {
    std::shared_ptr<const Dataset> source;
    size_t number = 0;
    uint32_t label = 0;
  };
  ChosenPhotos(std::vector<Photo> photos, size_t classes)
      : photos_(std::move(photos)), classes_(classes) {}

  size_t size() const override { return photos_.size(); }
  size_t classes() const override { return classes_; }
  uint32_t label(size_t i) const override { return photos_[i].label; }
  std::string name(size_t i) const override { return photos_[i].source->name(photos_[i].number); }
  StatusOr<cv::Mat> Load(size_t i) const override {
    return photos_[i].source->Load(photos_[i].number);
  }

 private:
  const std::vector<Photo> photos_;
  const size_t classes_;
};

template <typename T>
void Shuffle(RandomStream& random, std::vector<T>& values) {
  for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.Below(i)]);
}

std::unique_ptr<Dataset> Cropped(std::unique_ptr<Dataset> dataset, const DataOptions& options) {
  if (options.centre_crop == 0) return dataset;
  return MakeCentreCropDataset(std::move(dataset), static_cast<int>(options.centre_crop),
                               CropSize(AlignmentTemplate::kArcFace112));
}

StatusOr<std::shared_ptr<const Dataset>> OpenAll(const std::vector<std::string>& paths,
                                                 const DataOptions& options) {
  std::vector<std::unique_ptr<Dataset>> parts;
  parts.reserve(paths.size());
  for (const std::string& path : paths) {
    FACEGATE_ASSIGN_OR_RETURN(auto part, OpenDataset(path, options.root));
    parts.push_back(Cropped(std::move(part), options));
  }
  FACEGATE_ASSIGN_OR_RETURN(auto joined, JoinDatasets(std::move(parts)));
  return std::shared_ptr<const Dataset>(std::move(joined));
}

using PhotosOfLabel = std::vector<std::vector<size_t>>;

PhotosOfLabel ByLabel(const Dataset& dataset, const std::set<std::string>& left_out) {
  PhotosOfLabel all(dataset.classes());
  for (size_t i = 0; i < dataset.size(); ++i) {
    if (!left_out.contains(dataset.name(i))) all[dataset.label(i)].push_back(i);
  }
  return all;
}

StatusOr<std::set<std::string>> NamesIn(const std::string& path) {
  if (path.empty()) return std::set<std::string>{};
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> lines, ReadLines(path));
  std::set<std::string> names(lines.begin(), lines.end());
  // Photos are named by absolute paths where the recipe's own are.
  for (const std::string& line : lines) names.insert(std::filesystem::absolute(line).string());
  return names;
}

// The labels that are held out.
StatusOr<std::vector<size_t>> ChooseHoldout(const PhotosOfLabel& photos,
                                            const DataOptions& options) {
  std::vector<size_t> able;
  for (size_t label = 0; label < photos.size(); ++label) {
    if (photos[label].size() >= 2) able.push_back(label);
  }
  const auto wanted = static_cast<size_t>(options.holdout_identities);
  if (able.size() < wanted) {
    return InvalidArgument(
        fmt::format("holdout.identities is {}, but only {} identities have two photos or more",
                    wanted, able.size()));
  }
  RandomStream random(options.seed, kHoldout);
  Shuffle(random, able);
  able.resize(wanted);
  std::sort(able.begin(), able.end());
  return able;
}

// All pairs of one person, and as many of two; each pair once.
class PairMaker {
 public:
  PairMaker(uint64_t seed, std::vector<std::vector<size_t>> people)
      : random_(seed, kPairs), people_(std::move(people)) {}

  std::vector<EvaluationSet::Pair> Make(size_t pairs) {
    std::vector<EvaluationSet::Pair> genuine = Genuine();
    std::vector<EvaluationSet::Pair> impostor = Impostor(std::min(pairs / 2, genuine.size()));
    genuine.resize(std::min({pairs / 2, genuine.size(), impostor.size()}));
    impostor.resize(genuine.size());
    // Each fold has both kinds.
    std::vector<EvaluationSet::Pair> all;
    all.reserve(2 * genuine.size());
    for (size_t i = 0; i < genuine.size(); ++i) {
      all.push_back(genuine[i]);
      all.push_back(impostor[i]);
    }
    return all;
  }

 private:
  std::vector<EvaluationSet::Pair> Genuine() {
    std::vector<EvaluationSet::Pair> all;
    for (const std::vector<size_t>& photos : people_) {
      for (size_t a = 0; a < photos.size(); ++a) {
        for (size_t b = a + 1; b < photos.size(); ++b) {
          all.push_back({.first = photos[a], .second = photos[b], .same = true});
        }
      }
    }
    Shuffle(random_, all);
    return all;
  }

  std::vector<EvaluationSet::Pair> Impostor(size_t wanted) {
    std::vector<EvaluationSet::Pair> all;
    all.reserve(wanted);
    std::set<std::pair<size_t, size_t>> seen;
    // Few people may not have so many pairs.
    for (size_t attempt = 0; attempt < 20 * wanted && all.size() < wanted; ++attempt) {
      const size_t one = random_.Below(people_.size());
      const size_t other = random_.Below(people_.size());
      if (one == other) continue;
      const size_t first = people_[one][random_.Below(people_[one].size())];
      const size_t second = people_[other][random_.Below(people_[other].size())];
      if (!seen.insert(std::minmax(first, second)).second) continue;
      all.push_back({.first = first, .second = second, .same = false});
    }
    return all;
  }

  RandomStream random_;
  const std::vector<std::vector<size_t>> people_;  // numbers in EvaluationSet::photos
};

StatusOr<EvaluationSet> MakeHoldout(const std::shared_ptr<const Dataset>& source,
                                    const PhotosOfLabel& photos, const std::vector<size_t>& labels,
                                    const DataOptions& options) {
  EvaluationSet set{.name = "held-out", .source = source, .photos = {}, .pairs = {}};
  std::vector<std::vector<size_t>> people;
  people.reserve(labels.size());
  for (const size_t label : labels) {
    std::vector<size_t> chosen = photos[label];
    RandomStream random(options.seed, kPhotos, label);
    Shuffle(random, chosen);
    chosen.resize(std::min(chosen.size(), static_cast<size_t>(options.holdout_photos)));
    std::vector<size_t>& person = people.emplace_back();
    person.reserve(chosen.size());
    for (const size_t photo : chosen) {
      person.push_back(set.photos.size());
      set.photos.push_back(photo);
    }
  }
  set.pairs =
      PairMaker(options.seed, std::move(people)).Make(static_cast<size_t>(options.holdout_pairs));
  if (set.pairs.size() < 2 * EvaluationSet::kFolds) {
    return InvalidArgument(
        fmt::format("the photos of {} held-out identities make {} pairs, {} are needed",
                    labels.size(), set.pairs.size(), 2 * EvaluationSet::kFolds));
  }
  return set;
}

StatusOr<EvaluationSet> OpenPairs(const DataOptions& options) {
  FACEGATE_ASSIGN_OR_RETURN(const PairList list, ReadPairList(options.evaluate_pairs));
  if (list.folds != EvaluationSet::kFolds) {
    return InvalidArgument(fmt::format("{} has {} folds, expected {}", options.evaluate_pairs,
                                       list.folds, EvaluationSet::kFolds));
  }
  EvaluationSet set{.name = std::filesystem::path(options.evaluate_pairs).stem().string(),
                    .source = {},
                    .photos = {},
                    .pairs = {}};
  ImageList images{.images = {}, .classes = {"-"}};
  std::map<std::string, size_t> numbers;
  const auto number = [&](const std::string& name) {
    const auto [at, is_new] = numbers.emplace(name, numbers.size());
    if (is_new) {
      images.images.push_back(
          {.path = (std::filesystem::path(options.evaluate_photos) / name).string(), .label = 0});
    }
    return at->second;
  };
  set.pairs.reserve(list.pairs.size());
  for (const FacePair& pair : list.pairs) {
    const size_t first = number(pair.first);
    set.pairs.push_back({.first = first, .second = number(pair.second), .same = pair.same});
  }
  set.photos.resize(images.images.size());
  std::iota(set.photos.begin(), set.photos.end(), size_t{0});
  set.source = Cropped(MakeListDataset(std::move(images)), options);
  return set;
}

std::string DigestOf(const TrainingData& data) {
  std::string text;
  for (size_t i = 0; i < data.training->size(); ++i) {
    text += fmt::format("{} {}\n", data.training->label(i), data.training->name(i));
  }
  for (const EvaluationSet& set : data.sets) {
    for (const size_t photo : set.photos) text += set.source->name(photo) + "\n";
    for (const EvaluationSet::Pair& pair : set.pairs) {
      text += fmt::format("{} {} {}\n", pair.first, pair.second, pair.same);
    }
  }
  return Sha256Hex(text);
}

// Collects what is trained on.
class Choice {
 public:
  void AddLabelled(const std::shared_ptr<const Dataset>& source, const PhotosOfLabel& photos,
                   const std::set<size_t>& left_out, size_t least) {
    for (size_t label = 0; label < photos.size(); ++label) {
      if (photos[label].empty() || photos[label].size() < least || left_out.contains(label)) {
        continue;
      }
      for (const size_t photo : photos[label]) {
        photos_.push_back({.source = source, .number = photo, .label = next_label_});
      }
      labelled_ += photos[label].size();
      ++next_label_;
    }
  }
  void AddUnlabelled(const std::shared_ptr<const Dataset>& source,
                     const std::set<std::string>& left_out) {
    for (size_t i = 0; i < source->size(); ++i) {
      if (left_out.contains(source->name(i))) continue;
      photos_.push_back({.source = source, .number = i, .label = Dataset::kUnlabelled});
    }
  }
  size_t labels() const { return next_label_; }
  size_t labelled() const { return labelled_; }
  std::shared_ptr<const Dataset> Take() {
    return std::make_shared<ChosenPhotos>(std::move(photos_), next_label_);
  }

 private:
  std::vector<ChosenPhotos::Photo> photos_;
  uint32_t next_label_ = 0;
  size_t labelled_ = 0;
};

}  // namespace

StatusOr<TrainingData> OpenTrainingData(const DataOptions& options) {
  TrainingData data;
  Choice choice;
  FACEGATE_ASSIGN_OR_RETURN(const std::set<std::string> left_out, NamesIn(options.leave_out));
  if (!options.train.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(const auto real, OpenAll(options.train, options));
    const PhotosOfLabel photos = ByLabel(*real, left_out);
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<size_t> held_out, ChooseHoldout(photos, options));
    if (!held_out.empty()) {
      FACEGATE_ASSIGN_OR_RETURN(EvaluationSet set, MakeHoldout(real, photos, held_out, options));
      data.sets.push_back(std::move(set));
    }
    choice.AddLabelled(real, photos, {held_out.begin(), held_out.end()},
                       static_cast<size_t>(options.min_photos));
  } else if (options.holdout_identities > 0) {
    return InvalidArgument("holdout.identities needs data.train");
  }
  if (options.synthetic_identities > 0) {
    const std::shared_ptr<const Dataset> synthetic =
        MakeSyntheticDataset({.seed = options.synthetic_seed,
                              .first_identity = 0,
                              .identities = static_cast<size_t>(options.synthetic_identities),
                              .views = static_cast<size_t>(options.synthetic_views)});
    choice.AddLabelled(synthetic, ByLabel(*synthetic, {}), {}, 1);
    data.synthetic = static_cast<size_t>(options.synthetic_identities);
  }
  if (!options.unlabelled.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(const auto unlabelled, OpenAll(options.unlabelled, options));
    choice.AddUnlabelled(unlabelled, left_out);
  }
  if (choice.labels() < 2) {
    return InvalidArgument(fmt::format(
        "{} identities are left to train on, at least 2 are needed (data.min_photos is {}, "
        "holdout.identities {})",
        choice.labels(), options.min_photos, options.holdout_identities));
  }
  data.labelled = choice.labelled();
  data.identities = choice.labels();
  data.training = choice.Take();
  if (!options.evaluate_pairs.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(EvaluationSet set, OpenPairs(options));
    data.sets.push_back(std::move(set));
  }
  data.digest = DigestOf(data);
  return data;
}

}  // namespace facegate
