#include "trainer/photos/pair_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "trainer/photos/dataset_format.h"
#include "trainer/photos/list_text.h"
#include "trainer/photos/pair_layout.h"
#include "trainer/photos/text_table.h"

namespace facegate {
namespace {

// "a\1.jpg" becomes "a/1.jpg" where no name has a slash of its own.
void UseSlashes(PairList& list) {
  const auto has = [](const FacePair& pair, char sign) {
    return pair.first.find(sign) != std::string::npos ||
           pair.second.find(sign) != std::string::npos;
  };
  const bool slashes = std::any_of(list.pairs.begin(), list.pairs.end(),
                                   [&](const FacePair& pair) { return has(pair, '/'); });
  if (slashes) return;
  for (FacePair& pair : list.pairs) {
    std::replace(pair.first.begin(), pair.first.end(), '\\', '/');
    std::replace(pair.second.begin(), pair.second.end(), '\\', '/');
  }
}

// Bytes that are no text may be a set of pairs of another program.
StatusOr<std::string> ReadPairText(const std::string& path) {
  StatusOr<std::string> text = ReadListText(path);
  if (text.ok()) return text;
  const std::optional<std::string> advice = ForeignDatasetAdvice(path);
  return advice.has_value() ? InvalidArgument(fmt::format("{} {}", path, *advice)) : text.status();
}

// LFW announces the pairs of each kind in each fold; a number alone may be of all pairs.
Status CheckAnnounced(const std::string& path, const PairLayout& layout, size_t pairs) {
  if (!layout.announced.has_value()) return OkStatus();
  const auto [folds, count] = *layout.announced;
  const size_t each = std::max<size_t>(1, folds) * count;
  if (pairs == 2 * each || (folds == 0 && pairs == each)) return OkStatus();
  return InvalidArgument(fmt::format("{} announces {} pairs and has {}", path, 2 * each, pairs));
}

}  // namespace

StatusOr<PairList> ReadPairList(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadPairText(path));
  const PairLayout layout = LayoutOfPairs(text);
  PairList list{.pairs = {}};
  if (layout.announced.has_value() && layout.announced->first > 0) {
    list.folds = layout.announced->first;
  }
  bool header = layout.has_header;
  const Status status = ForEachRow(text, layout.separator, [&](const TextRow& row) {
    if (std::exchange(header, false)) return OkStatus();
    std::optional<FacePair> pair = layout.Parse(row);
    if (!pair.has_value()) {
      return InvalidArgument(fmt::format("line {}: expected {}", row.line, layout.Expected()));
    }
    list.pairs.push_back(*std::move(pair));
    return OkStatus();
  });
  if (!status.ok()) {
    return InvalidArgument(fmt::format("{}, {}", path, MessageOf(status)));
  }
  FACEGATE_RETURN_IF_ERROR(CheckAnnounced(path, layout, list.pairs.size()));
  if (list.pairs.empty()) return InvalidArgument(fmt::format("{} has no pairs", path));
  UseSlashes(list);
  if (!layout.announced.has_value() || layout.announced->first == 0) LimitFolds(list);
  if (!layout.remark.empty()) list.remarks.push_back(fmt::format("{}: {}", path, layout.remark));
  return list;
}

PairList JoinPairLists(std::vector<PairList> lists) {
  if (lists.size() == 1) return std::move(lists.front());
  PairList all;
  size_t pairs = 0;
  for (PairList& list : lists) {
    std::move(list.remarks.begin(), list.remarks.end(), std::back_inserter(all.remarks));
    pairs += list.pairs.size();
  }
  all.pairs.reserve(pairs);
  for (size_t fold = 0; fold < all.folds; ++fold) {
    for (const PairList& list : lists) {
      const auto at = [&](size_t number) {
        return list.pairs.begin() +
               static_cast<std::ptrdiff_t>(number * list.pairs.size() / all.folds);
      };
      all.pairs.insert(all.pairs.end(), at(fold), at(fold + 1));
    }
  }
  LimitFolds(all);
  return all;
}

StatusOr<PairList> ReadPairLists(const std::vector<std::string>& paths) {
  std::vector<PairList> lists;
  lists.reserve(paths.size());
  for (const std::string& path : paths) {
    FACEGATE_ASSIGN_OR_RETURN(PairList list, ReadPairList(path));
    lists.push_back(std::move(list));
  }
  return JoinPairLists(std::move(lists));
}

}  // namespace facegate
