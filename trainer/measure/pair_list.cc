#include "trainer/measure/pair_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "face/base/counted.h"

namespace facegate {
namespace {

constexpr size_t kLeastFolds = 2;

}  // namespace

void LimitFolds(PairList& list) {
  if (list.folds > list.pairs.size()) list.folds = std::max(kLeastFolds, list.pairs.size());
}

MissingPairPhotos FindMissing(const PairList& list,
                              const std::function<bool(const std::string&)>& exists) {
  MissingPairPhotos missing;
  std::unordered_map<std::string_view, bool> known;
  const auto is_there = [&](const std::string& name) {
    const auto [at, is_new] = known.try_emplace(name, false);
    if (is_new) at->second = exists(name);
    if (is_new && !at->second) missing.photos.push_back(name);
    return at->second;
  };
  for (const FacePair& pair : list.pairs) {
    const bool first = is_there(pair.first);
    const bool second = is_there(pair.second);
    if (!first || !second) ++missing.pairs;
  }
  missing.names = known.size();
  return missing;
}

void LeaveOutPairs(const std::vector<std::string>& missing, PairList& list) {
  const std::unordered_set<std::string_view> names(missing.begin(), missing.end());
  std::erase_if(list.pairs, [&names](const FacePair& pair) {
    return names.contains(pair.first) || names.contains(pair.second);
  });
  LimitFolds(list);
}

Status CheckMeasurable(const PairList& list) {
  if (list.pairs.size() < kLeastFolds || list.folds < kLeastFolds) {
    return InvalidArgument(fmt::format("there {} in {}, at least {} of both are needed",
                                       Counted(list.pairs.size(), "pair is", "pairs are"),
                                       Counted(list.folds, "fold", "folds"), kLeastFolds));
  }
  const auto genuine = static_cast<size_t>(std::count_if(
      list.pairs.begin(), list.pairs.end(), [](const FacePair& pair) { return pair.same; }));
  if (genuine > 0 && genuine < list.pairs.size()) return OkStatus();
  return InvalidArgument(fmt::format(
      "all {} pairs are of {}, and figures need pairs of both kinds; two lists are read as one",
      list.pairs.size(), genuine > 0 ? "one person" : "two people"));
}

}  // namespace facegate
