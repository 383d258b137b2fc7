#include "trainer/photos/pair_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "trainer/photos/pair_file.h"

namespace facegate {
namespace {

std::string StemOf(const std::string& path) { return std::filesystem::path(path).stem().string(); }

bool HasBothKinds(const PairList& list) {
  return std::any_of(list.pairs.begin(), list.pairs.end(),
                     [&](const FacePair& pair) { return pair.same != list.pairs.front().same; });
}

StatusOr<PairSource> OpenPictures(const PairSetFormat& format, const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(PairSet pairs, format.open(path));
  return PairSource{.name = std::move(pairs.name),
                    .paths = {path},
                    .list = {},
                    .pictures = std::move(pairs.pictures),
                    .numbers = std::move(pairs.pairs)};
}

PairSource Join(std::vector<std::string> paths, std::vector<PairList> lists) {
  PairSource joined{.paths = std::move(paths), .list = JoinPairLists(std::move(lists))};
  for (const std::string& path : joined.paths) {
    joined.name += (joined.name.empty() ? "" : " + ") + StemOf(path);
  }
  return joined;
}

void NameApart(std::vector<PairSource>& sources) {
  for (size_t i = 1; i < sources.size(); ++i) {
    const auto is_taken = [&](const std::string& name) {
      return std::any_of(sources.begin(), sources.begin() + static_cast<std::ptrdiff_t>(i),
                         [&](const PairSource& other) { return other.name == name; });
    };
    const std::string name = sources[i].name;
    for (int copy = 2; is_taken(sources[i].name); ++copy) {
      sources[i].name = fmt::format("{}-{}", name, copy);
    }
  }
}

// Their photos are called after the set.
void ListPictures(PairSource& source) {
  source.list.pairs.reserve(source.numbers.size());
  for (const PicturePair& pair : source.numbers) {
    source.list.pairs.push_back({.first = source.PictureName(pair.first),
                                 .second = source.PictureName(pair.second),
                                 .same = pair.same});
  }
  LimitFolds(source.list);
}

}  // namespace

std::string PairSource::PictureName(size_t i) const { return fmt::format("{} {}", name, i); }

StatusOr<std::vector<PairSource>> OpenPairSources(const std::vector<std::string>& paths) {
  std::vector<PairSource> sources;
  std::vector<std::string> of_one_kind;
  std::vector<PairList> lists_of_one_kind;
  for (const std::string& path : paths) {
    FACEGATE_ASSIGN_OR_RETURN(const PairSetFormat* const format, FormatOfPairSet(path));
    if (format != nullptr) {
      FACEGATE_ASSIGN_OR_RETURN(PairSource source, OpenPictures(*format, path));
      sources.push_back(std::move(source));
      continue;
    }
    FACEGATE_ASSIGN_OR_RETURN(PairList list, ReadPairList(path));
    if (HasBothKinds(list)) {
      sources.push_back({.name = StemOf(path), .paths = {path}, .list = std::move(list)});
    } else {
      of_one_kind.push_back(path);
      lists_of_one_kind.push_back(std::move(list));
    }
  }
  if (!of_one_kind.empty()) {
    sources.push_back(Join(std::move(of_one_kind), std::move(lists_of_one_kind)));
  }
  NameApart(sources);
  for (PairSource& source : sources) {
    if (!source.is_list()) ListPictures(source);
  }
  return sources;
}

}  // namespace facegate
