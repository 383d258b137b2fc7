#include "trainer/run/training_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "face/base/counted.h"
#include "face/base/random.h"
#include "face/base/sha256.h"
#include "face/image/align.h"
#include "trainer/photos/centre_crop.h"
#include "trainer/photos/joined_dataset.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/photo_source.h"
#include "trainer/photos/synthetic_dataset.h"
#include "trainer/run/evaluation_pairs.h"
#include "trainer/run/held_out.h"
#include "trainer/run/left_out.h"
#include "trainer/run/photo_split.h"

namespace facegate {
namespace {

constexpr size_t kNamesShown = 3;

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
  StatusOr<cv::Mat> LoadVaried(size_t i, RandomStream& random) const override {
    return photos_[i].source->LoadVaried(photos_[i].number, random);
  }

 private:
  const std::vector<Photo> photos_;
  const size_t classes_;
};

// All sets as one; `data` gets their folders, and what is to be known of how they were found.
StatusOr<People> OpenAll(const std::vector<std::string>& paths, const DataOptions& options,
                         TrainingData& data) {
  People people;
  std::vector<std::unique_ptr<Dataset>> parts;
  parts.reserve(paths.size());
  for (const std::string& path : paths) {
    FACEGATE_ASSIGN_OR_RETURN(auto part, OpenPhotoSource(path, options.root));
    if (!part->folder().empty()) data.folders.push_back(part->folder());
    for (const std::string& remark : part->remarks()) {
      data.notes.push_back(fmt::format("{}: {}", path, remark));
    }
    people.names.insert(people.names.end(), part->classes().begin(), part->classes().end());
    parts.push_back(Cropped(MakeDecodedDataset(std::move(part)), options));
  }
  FACEGATE_ASSIGN_OR_RETURN(people.source, JoinDatasets(std::move(parts)));
  return people;
}

void SortByLabel(LeaveOutList& left_out, People& people) {
  people.photos.assign(people.source->classes(), {});
  for (size_t i = 0; i < people.source->size(); ++i) {
    if (left_out.Contains(people.source->name(i))) continue;
    people.photos[people.source->label(i)].push_back(i);
  }
}

Status RefuseTwice(const DataOptions& options) {
  std::set<std::string> seen;
  const auto canonical = [](const std::string& path) {
    const std::filesystem::path whole = std::filesystem::weakly_canonical(path);
    return (whole.has_filename() ? whole : whole.parent_path()).string();
  };
  for (const std::string& path : options.train) {
    if (seen.insert(canonical(path)).second) continue;
    return InvalidArgument(
        fmt::format("data.train names {} twice: everybody in it would be two identities", path));
  }
  for (const std::string& path : options.unlabelled) {
    if (!seen.contains(canonical(path))) continue;
    return InvalidArgument(fmt::format(
        "{} is in data.train and in data.unlabelled. The teacher is asked about the photos of "
        "data.train too, so name it only there",
        path));
  }
  return OkStatus();
}

// A photo, whatever set it is in.
std::string PlaceOf(const std::string& name) { return WholePath(name).string(); }

// Knows who is held out of `data.train`, and finds him in other sets.
class HeldOutPeople {
 public:
  void Add(const People& people, const HeldOut& held_out) {
    for (const size_t label : held_out.labels) {
      if (NamesSomebody(people.names[label])) names_.insert(people.names[label]);
      for (const size_t photo : people.photos[label]) {
        photos_.insert(PlaceOf(people.source->name(photo)));
      }
    }
  }
  // Looks by the name of the person or the place of the photo.
  bool Contains(const People& people, size_t photo) const {
    if (photos_.empty()) return false;
    return names_.contains(people.names[people.source->label(photo)]) ||
           photos_.contains(PlaceOf(people.source->name(photo)));
  }

 private:
  std::set<std::string> names_;
  std::set<std::string> photos_;
};

// People of one name who are trained as two.
void NoteNamesakes(const People& people, const HeldOut& held_out, TrainingData& data) {
  std::map<std::string, size_t> counts;
  for (size_t label = 0; label < people.names.size(); ++label) {
    if (held_out.labels.contains(label) || people.photos[label].empty()) continue;
    if (NamesSomebody(people.names[label])) counts[people.names[label]] += 1;
  }
  const auto twice =
      std::count_if(counts.begin(), counts.end(), [](const auto& one) { return one.second > 1; });
  if (twice > 0) {
    data.notes.push_back(fmt::format(
        "warning: {} names occur in more than one set of data.train, and each time count as "
        "another identity. If they are the same people, put their photos into one set",
        twice));
  }
  if (held_out.namesakes > 0) {
    data.notes.push_back(fmt::format(
        "{} identities are left out of training, because people of the same name are held out",
        held_out.namesakes));
  }
}

Status NoteUnmatched(const LeaveOutList& left_out, TrainingData& data) {
  std::vector<std::string> unmatched = left_out.Unmatched();
  if (unmatched.empty()) return OkStatus();
  const size_t count = unmatched.size();
  unmatched.resize(std::min(count, kNamesShown));
  const std::string text = fmt::format("{} of {} lines of data.leave_out name no photo, such as {}",
                                       count, left_out.lines(), fmt::join(unmatched, ", "));
  if (count == left_out.lines()) return InvalidArgument(text);
  data.notes.push_back("warning: " + text);
  return OkStatus();
}

std::string DigestOf(const TrainingData& data) {
  std::string text;
  for (size_t i = 0; i < data.training->size(); ++i) {
    text += fmt::format("{} {}\n", data.training->label(i),
                        NameBelow(data.training->name(i), data.folders));
  }
  if (data.validation != nullptr) {
    for (size_t i = 0; i < data.validation->size(); ++i) {
      text += fmt::format("kept {} {}\n", data.validation->label(i),
                          NameBelow(data.validation->name(i), data.folders));
    }
  }
  for (const EvaluationSet& set : data.sets) {
    for (const size_t photo : set.photos) {
      text += NameBelow(set.source->name(photo), data.folders) + "\n";
    }
    for (const EvaluationSet::Pair& pair : set.pairs) {
      text += fmt::format("{} {} {}\n", pair.first, pair.second, pair.same);
    }
  }
  return Sha256Hex(text);
}

// Collects what is trained on.
class Choice {
 public:
  explicit Choice(const DataOptions& options) : split_(options) {}

  void AddLabelled(const People& people, const std::set<size_t>& left_out, size_t least) {
    for (size_t label = 0; label < people.photos.size(); ++label) {
      const std::vector<size_t>& own = people.photos[label];
      if (own.empty() || own.size() < least || left_out.contains(label)) continue;
      AddIdentity(people, own);
      names_.push_back(people.names.empty() ? fmt::format("generated {}", label)
                                            : people.names[label]);
    }
  }
  // Photos that are not added.
  struct NotAdded {
    size_t of_held_out = 0;  // show people who are held out
    size_t kept = 0;         // are kept from training in data.train
  };
  NotAdded AddUnlabelled(const People& people, const HeldOutPeople& held_out,
                         LeaveOutList& left_out) {
    NotAdded not_added;
    std::set<std::string> kept;
    for (const ChosenPhotos::Photo& one : kept_) kept.insert(PlaceOf(one.source->name(one.number)));
    for (size_t i = 0; i < people.source->size(); ++i) {
      const std::string name = people.source->name(i);
      if (left_out.Contains(name)) continue;
      if (held_out.Contains(people, i)) {
        not_added.of_held_out += 1;
      } else if (!kept.empty() && kept.contains(PlaceOf(name))) {
        not_added.kept += 1;
      } else {
        photos_.push_back({.source = people.source, .number = i, .label = Dataset::kUnlabelled});
      }
    }
    return not_added;
  }
  size_t labels() const { return next_label_; }
  size_t labelled() const { return labelled_; }
  std::shared_ptr<const Dataset> Take() {
    return std::make_shared<ChosenPhotos>(std::move(photos_), next_label_);
  }
  // Null where nothing was to be kept.
  std::shared_ptr<const Dataset> TakeKept() {
    if (!split_.keeps()) return nullptr;
    return std::make_shared<ChosenPhotos>(std::move(kept_), next_label_);
  }

  std::vector<std::string> TakeNames() { return std::move(names_); }
  std::optional<std::string> FoldNote() const { return split_.FoldNote(); }

 private:
  void AddIdentity(const People& people, std::vector<size_t> own) {
    const size_t kept = split_.KeptFirst(next_label_, own);
    const auto first_trained = own.begin() + static_cast<std::ptrdiff_t>(kept);
    std::sort(own.begin(), first_trained);
    std::sort(first_trained, own.end());
    for (size_t i = 0; i < own.size(); ++i) {
      (i < kept ? kept_ : photos_)
          .push_back({.source = people.source, .number = own[i], .label = next_label_});
    }
    labelled_ += own.size() - kept;
    ++next_label_;
  }

  PhotoSplit split_;
  std::vector<std::string> names_;
  std::vector<ChosenPhotos::Photo> kept_;
  std::vector<ChosenPhotos::Photo> photos_;
  uint32_t next_label_ = 0;
  size_t labelled_ = 0;
};

Status AddReal(const DataOptions& options, LeaveOutList& left_out, Choice& choice,
               HeldOutPeople& held_out_people, TrainingData& data) {
  if (options.train.empty()) {
    if (options.holdout_identities > 0) {
      return InvalidArgument("holdout.identities needs data.train");
    }
    if (options.holdout_folds > 0 && options.holdout_folds_of_people) {
      return InvalidArgument("holdout.folds of people needs data.train");
    }
    return OkStatus();
  }
  FACEGATE_RETURN_IF_ERROR(RefuseTwice(options));
  FACEGATE_ASSIGN_OR_RETURN(People people, OpenAll(options.train, options, data));
  SortByLabel(left_out, people);
  FACEGATE_ASSIGN_OR_RETURN(HeldOut held_out, HoldOut(people, options));
  held_out_people.Add(people, held_out);
  NoteNamesakes(people, held_out, data);
  if (options.holdout_folds > 0 && options.holdout_folds_of_people) {
    data.notes.push_back(fmt::format("fold {} of 0 to {} has {} of the identities",
                                     options.holdout_fold, options.holdout_folds - 1,
                                     held_out.labels.size() - held_out.namesakes));
  }
  choice.AddLabelled(people, held_out.labels, static_cast<size_t>(options.min_photos));
  if (held_out.set.has_value()) data.sets.push_back(*std::move(held_out.set));
  return OkStatus();
}

Status AddUnlabelled(const DataOptions& options, const HeldOutPeople& held_out,
                     LeaveOutList& left_out, Choice& choice, TrainingData& data) {
  if (options.unlabelled.empty()) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const People others, OpenAll(options.unlabelled, options, data));
  const auto [of_held_out, kept] = choice.AddUnlabelled(others, held_out, left_out);
  const auto note = [&](size_t count, std::string_view why) {
    if (count == 0) return;
    data.notes.push_back(fmt::format("{} of data.unlabelled {} left out, because {}",
                                     CountedPhotos(count), count == 1 ? "is" : "are", why));
  };
  note(of_held_out, "the people are held out");
  note(kept, "training is measured by what data.train keeps from it, and they are in that");
  return OkStatus();
}

void AddSynthetic(const DataOptions& options, Choice& choice, TrainingData& data) {
  if (options.synthetic_identities == 0) return;
  People people;
  people.source =
      MakeSyntheticDataset({.seed = options.synthetic_seed,
                            .first_identity = 0,
                            .identities = static_cast<size_t>(options.synthetic_identities),
                            .views = static_cast<size_t>(options.synthetic_views)});
  LeaveOutList nothing;
  SortByLabel(nothing, people);
  choice.AddLabelled(people, {}, 1);
  data.synthetic = static_cast<size_t>(options.synthetic_identities);
}

}  // namespace

std::unique_ptr<Dataset> Cropped(std::unique_ptr<Dataset> dataset, const DataOptions& options) {
  if (options.centre_crop == 0) return dataset;
  return MakeCentreCropDataset(std::move(dataset), {.height = static_cast<int>(options.centre_crop),
                                                    .size = CropSize(options.alignment),
                                                    .elsewhere = options.random_crop});
}

std::string NameBelow(const std::string& name, const std::vector<std::string>& folders) {
  size_t longest = 0;
  for (const std::string& folder : folders) {
    if (name.starts_with(folder)) longest = std::max(longest, folder.size());
  }
  return name.substr(longest);
}

StatusOr<TrainingData> OpenTrainingData(const DataOptions& options) {
  TrainingData data;
  Choice choice(options);
  FACEGATE_ASSIGN_OR_RETURN(LeaveOutList left_out,
                            LeaveOutList::Read(options.leave_out, options.root));
  HeldOutPeople held_out;
  FACEGATE_RETURN_IF_ERROR(AddReal(options, left_out, choice, held_out, data));
  AddSynthetic(options, choice, data);
  FACEGATE_RETURN_IF_ERROR(AddUnlabelled(options, held_out, left_out, choice, data));
  FACEGATE_RETURN_IF_ERROR(NoteUnmatched(left_out, data));
  if (const auto note = choice.FoldNote()) data.notes.push_back(*note);
  if (choice.labels() < 2) {
    return InvalidArgument(fmt::format(
        "{} identities are left to train on, at least 2 are needed (data.min_photos is {}, "
        "holdout.identities {})",
        choice.labels(), options.min_photos, options.holdout_identities));
  }
  data.labelled = choice.labelled();
  data.identities = choice.labels();
  data.names = choice.TakeNames();
  data.training = choice.Take();
  data.validation = choice.TakeKept();
  if (data.validation != nullptr && data.validation->size() == 0) {
    const bool by_share = options.holdout_share > 0.0;
    return RefuseField(
        by_share ? "holdout.share" : "holdout.folds",
        fmt::format("is {:g}: of {} photos none is kept",
                    by_share ? options.holdout_share : static_cast<double>(options.holdout_folds),
                    data.labelled));
  }
  FACEGATE_RETURN_IF_ERROR(OpenEvaluationSets(options, data));
  data.digest = DigestOf(data);
  return data;
}

}  // namespace facegate
