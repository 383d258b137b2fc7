#include "trainer/run/held_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <utility>

#include "face/base/random.h"

namespace facegate {
namespace {

// Each number names a purpose of random numbers.
constexpr uint64_t kHoldout = 51;
constexpr uint64_t kPhotos = 52;
constexpr uint64_t kPairs = 53;

// Takes every so-manieth, from that of the fold on.
StatusOr<std::vector<size_t>> FoldOf(const std::vector<size_t>& able, const DataOptions& options) {
  const auto folds = static_cast<size_t>(options.holdout_folds);
  if (able.size() < 2 * folds) {
    return InvalidArgument(
        fmt::format("holdout.folds is {}, but only {} identities have two photos or more: each "
                    "fold needs two of them",
                    folds, able.size()));
  }
  std::vector<size_t> fold;
  for (auto i = static_cast<size_t>(options.holdout_fold); i < able.size(); i += folds) {
    fold.push_back(able[i]);
  }
  return fold;
}

// The labels that are held out.
StatusOr<std::vector<size_t>> ChooseLabels(const People& people, const DataOptions& options) {
  std::vector<size_t> able;
  std::set<std::string> names;
  for (size_t label = 0; label < people.photos.size(); ++label) {
    const std::string& name = people.names[label];
    if (people.photos[label].size() < 2) continue;
    if (!NamesSomebody(name) || names.insert(name).second) able.push_back(label);
  }
  const auto wanted = static_cast<size_t>(options.holdout_identities);
  if (able.size() < wanted) {
    return InvalidArgument(
        fmt::format("holdout.identities is {}, but only {} identities have two photos or more",
                    wanted, able.size()));
  }
  RandomStream random(options.seed, kHoldout);
  random.Shuffle(std::span(able));
  if (options.holdout_folds > 0 && options.holdout_folds_of_people) {
    FACEGATE_ASSIGN_OR_RETURN(able, FoldOf(able, options));
  } else {
    able.resize(wanted);
  }
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
    // They would lie in the order of people otherwise, and each fold would have other ones.
    random_.Shuffle(std::span(genuine));
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
  // Takes from all people in turn.
  std::vector<EvaluationSet::Pair> Genuine() {
    std::vector<std::vector<EvaluationSet::Pair>> of_person;
    of_person.reserve(people_.size());
    size_t most = 0;
    for (const std::vector<size_t>& photos : people_) {
      std::vector<EvaluationSet::Pair>& own = of_person.emplace_back();
      for (size_t a = 0; a < photos.size(); ++a) {
        for (size_t b = a + 1; b < photos.size(); ++b) {
          own.push_back({.first = photos[a], .second = photos[b], .same = true});
        }
      }
      random_.Shuffle(std::span(own));
      most = std::max(most, own.size());
    }
    std::vector<EvaluationSet::Pair> all;
    for (size_t turn = 0; turn < most; ++turn) {
      for (const auto& own : of_person) {
        if (turn < own.size()) all.push_back(own[turn]);
      }
    }
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

StatusOr<EvaluationSet> MakeSet(const People& people, const std::vector<size_t>& labels,
                                const DataOptions& options) {
  EvaluationSet set{.name = "held-out", .source = people.source, .photos = {}, .pairs = {}};
  std::vector<std::vector<size_t>> photos;
  photos.reserve(labels.size());
  for (const size_t label : labels) {
    std::vector<size_t> chosen = people.photos[label];
    RandomStream random(options.seed, kPhotos, label);
    random.Shuffle(std::span(chosen));
    chosen.resize(std::min(chosen.size(), static_cast<size_t>(options.holdout_photos)));
    std::vector<size_t>& person = photos.emplace_back();
    person.reserve(chosen.size());
    for (const size_t photo : chosen) {
      person.push_back(set.photos.size());
      set.photos.push_back(photo);
    }
  }
  set.pairs =
      PairMaker(options.seed, std::move(photos)).Make(static_cast<size_t>(options.holdout_pairs));
  if (set.pairs.size() < EvaluationSet::kFewestPairs) {
    return InvalidArgument(fmt::format(
        "the photos of {} held-out identities make {} pairs, {} are needed: hold out more "
        "identities (holdout.identities), or such with more photos",
        labels.size(), set.pairs.size(), EvaluationSet::kFewestPairs));
  }
  return set;
}

}  // namespace

bool NamesSomebody(const std::string& name) {
  return !std::all_of(name.begin(), name.end(),
                      [](unsigned char letter) { return std::isdigit(letter) != 0; });
}

StatusOr<HeldOut> HoldOut(const People& people, const DataOptions& options) {
  HeldOut held_out;
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<size_t> chosen, ChooseLabels(people, options));
  if (chosen.empty()) return held_out;
  FACEGATE_ASSIGN_OR_RETURN(held_out.set, MakeSet(people, chosen, options));
  std::set<std::string> names;
  for (const size_t label : chosen) {
    held_out.labels.insert(label);
    if (NamesSomebody(people.names[label])) names.insert(people.names[label]);
  }
  for (size_t label = 0; label < people.names.size(); ++label) {
    if (!names.contains(people.names[label])) continue;
    if (held_out.labels.insert(label).second) held_out.namesakes += 1;
  }
  return held_out;
}

}  // namespace facegate
