#include "trainer/command/eval_sets.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "trainer/photos/pair_file.h"
#include "trainer/photos/pair_set.h"

namespace facegate {
namespace {

std::string StemOf(const std::string& path) { return std::filesystem::path(path).stem().string(); }

bool HasBothKinds(const PairList& list) {
  return std::any_of(list.pairs.begin(), list.pairs.end(),
                     [&](const FacePair& pair) { return pair.same != list.pairs.front().same; });
}

StatusOr<EvalSet> OpenPictures(const PairSetFormat& format, const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(PairSet pairs, format.open(path));
  EvalSet set{.name = std::move(pairs.name), .pictures = std::move(pairs.pictures)};
  set.list.pairs.reserve(pairs.pairs.size());
  for (const PicturePair& pair : pairs.pairs) {
    set.list.pairs.push_back({.first = set.PictureName(pair.first),
                              .second = set.PictureName(pair.second),
                              .same = pair.same});
  }
  LimitFolds(set.list);
  return set;
}

}  // namespace

std::string EvalSet::PictureName(size_t i) const { return fmt::format("{} {}", name, i); }

StatusOr<std::vector<EvalSet>> OpenEvalSets(const std::vector<std::string>& paths) {
  std::vector<EvalSet> sets;
  std::vector<std::string> of_one_kind;
  for (const std::string& path : paths) {
    FACEGATE_ASSIGN_OR_RETURN(const PairSetFormat* const format, FormatOfPairSet(path));
    if (format != nullptr) {
      FACEGATE_ASSIGN_OR_RETURN(EvalSet set, OpenPictures(*format, path));
      sets.push_back(std::move(set));
      continue;
    }
    FACEGATE_ASSIGN_OR_RETURN(PairList list, ReadPairList(path));
    if (HasBothKinds(list)) {
      sets.push_back({.name = StemOf(path), .list = std::move(list)});
    } else {
      of_one_kind.push_back(path);
    }
  }
  if (of_one_kind.empty()) return sets;
  EvalSet joined;
  for (const std::string& path : of_one_kind) {
    joined.name += (joined.name.empty() ? "" : " + ") + StemOf(path);
  }
  FACEGATE_ASSIGN_OR_RETURN(joined.list, ReadPairLists(of_one_kind));
  sets.push_back(std::move(joined));
  return sets;
}

}  // namespace facegate
