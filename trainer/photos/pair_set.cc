#include "trainer/photos/pair_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "trainer/photos/bcolz_pairs.h"
#include "trainer/photos/memfile_pairs.h"
#include "trainer/photos/pickled_pairs.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNamesShown = 5;

// A folder may hold a bcolz array and the memory file that was made of it, which is read faster.
constexpr PairSetFormat kFormats[] = {
    {"insightface bin", SniffPickledPairs, OpenPickledPairs},
    {"memfile", SniffMemfilePairs, OpenMemfilePairs},
    {"bcolz", SniffBcolzPairs, OpenBcolzPairs},
};

const PairSetFormat* FormatOf(const DatasetCandidate& candidate) {
  for (const PairSetFormat& format : PairSetFormats()) {
    if (format.sniff(candidate)) return &format;
  }
  return nullptr;
}

// The names of the sets that lie in a folder, in order.
std::vector<std::string> SetsIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const StatusOr<DatasetCandidate> candidate = LookAtDataset(entry->path().string());
    if (candidate.ok() && FormatOf(*candidate) != nullptr) {
      names.push_back(entry->path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

StatusOr<std::vector<PicturePair>> PairsInOrder(size_t pictures, const std::vector<bool>& same) {
  if (same.empty() || pictures % 2 != 0 || pictures / 2 != same.size()) {
    return InvalidArgument(
        fmt::format("has {} pictures for {} pairs, expected two for each", pictures, same.size()));
  }
  std::vector<PicturePair> pairs;
  pairs.reserve(same.size());
  for (size_t i = 0; i < same.size(); ++i) {
    pairs.push_back({.first = 2 * i, .second = 2 * i + 1, .same = same[i]});
  }
  return pairs;
}

std::span<const PairSetFormat> PairSetFormats() { return kFormats; }

StatusOr<const PairSetFormat*> FormatOfPairSet(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const DatasetCandidate candidate, LookAtDataset(path));
  const PairSetFormat* const format = FormatOf(candidate);
  if (format != nullptr || !candidate.is_folder) return format;
  std::vector<std::string> names = SetsIn(path);
  if (names.empty()) {
    return InvalidArgument(fmt::format(
        "{} is a folder without a set of pairs; expected a list of pairs, a .bin of InsightFace, "
        "or the folder of a bcolz array or a memfile",
        path));
  }
  const std::string first = ShownName((fs::path(path) / names.front()).string());
  const size_t count = names.size();
  names.resize(std::min(count, kNamesShown));
  std::transform(names.begin(), names.end(), names.begin(), ShownName);
  return InvalidArgument(fmt::format("{} holds {} sets of pairs ({}{}); name one of them: {}", path,
                                     count, fmt::join(names, ", "),
                                     count > kNamesShown ? " ..." : "", first));
}

}  // namespace facegate
