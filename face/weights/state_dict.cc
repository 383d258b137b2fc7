#include "face/weights/state_dict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr std::array<std::string_view, 5> kPrefixes = {"module.", "arcface.", "backbone.", "model.",
                                                       "_orig_mod."};
constexpr int kMaxDepth = 8;
constexpr size_t kMaxListed = 8;
constexpr size_t kMaxKeyBytes = 256;  // of a key in a path; crafted files share longer ones

bool IsNamedTensor(const PickleGraph& graph, const std::pair<PickleRef, PickleRef>& entry) {
  return graph.Get<PickleText>(entry.first) != nullptr &&
         graph.Get<TorchTensor>(entry.second) != nullptr;
}

// Walks through dicts, lists and tuples; each value is looked at once, however often it is shared.
class Collector {
 public:
  explicit Collector(const PickleGraph& graph) : graph_(graph), seen_(graph.values.size(), false) {}

  void Collect(PickleRef ref, const std::string& path, int depth) {
    if (seen_[ref] || depth > kMaxDepth) return;
    seen_[ref] = true;
    if (const auto* dict = graph_.Get<PickleDict>(ref); dict != nullptr) {
      CollectDict(ref, *dict, path, depth);
    } else if (const auto* list = graph_.Get<PickleList>(ref); list != nullptr) {
      CollectItems(list->items, path, depth);
    } else if (const auto* tuple = graph_.Get<PickleTuple>(ref); tuple != nullptr) {
      CollectItems(tuple->items, path, depth);
    }
  }

  std::vector<StateDictPlace> places() { return std::move(places_); }

 private:
  // Asked before a path is made: that would cost more than the walk.
  bool IsNew(PickleRef ref) const {
    return !seen_[ref] &&
           (graph_.Get<PickleDict>(ref) != nullptr || graph_.Get<PickleList>(ref) != nullptr ||
            graph_.Get<PickleTuple>(ref) != nullptr);
  }

  void CollectDict(PickleRef ref, const PickleDict& dict, const std::string& path, int depth) {
    const auto tensors = static_cast<size_t>(
        std::count_if(dict.entries.begin(), dict.entries.end(),
                      [&](const auto& entry) { return IsNamedTensor(graph_, entry); }));
    if (tensors > 0) places_.push_back({.dict = ref, .path = path, .tensors = tensors});
    for (const auto& [key, value] : dict.entries) {
      if (IsNew(value)) Collect(value, Below(path, key), depth + 1);
    }
  }

  void CollectItems(const std::vector<PickleRef>& items, const std::string& path, int depth) {
    for (size_t i = 0; i < items.size(); ++i) {
      if (IsNew(items[i])) Collect(items[i], Joined(path, std::to_string(i)), depth + 1);
    }
  }

  std::string Below(const std::string& path, PickleRef key) const {
    if (const auto* text = graph_.Get<PickleText>(key); text != nullptr) {
      return Joined(path, std::string(text->text.substr(0, kMaxKeyBytes)));
    }
    const auto* number = graph_.Get<int64_t>(key);
    return Joined(path, number != nullptr ? std::to_string(*number) : "?");
  }

  static std::string Joined(const std::string& path, const std::string& last) {
    return path.empty() ? last : path + "." + last;
  }

  const PickleGraph& graph_;
  std::vector<bool> seen_;
  std::vector<StateDictPlace> places_;
};

Status NoStateDict(const PickleGraph& graph, PickleRef root) {
  const auto* dict = graph.Get<PickleDict>(root);
  if (dict == nullptr) return InvalidArgument("the file holds no dict, expected a state dict");
  if (dict->entries.empty()) return InvalidArgument("the state dict is empty");
  std::vector<std::string> keys;
  for (const auto& entry : dict->entries) {
    if (keys.size() == kMaxListed) break;
    const auto* key = graph.Get<PickleText>(entry.first);
    keys.push_back(key != nullptr ? Quote(key->text) : std::string("(a key that is not text)"));
  }
  return InvalidArgument(fmt::format("no tensors with names are in the file: the entries are {}",
                                     fmt::join(keys, ", ")));
}

// The prefix of kPrefixes that all names share and are longer than, or nothing.
std::string_view SharedPrefix(const TensorMap& tensors) {
  for (const std::string_view prefix : kPrefixes) {
    const bool shared = std::all_of(tensors.begin(), tensors.end(), [&](const auto& named) {
      return named.first.starts_with(prefix) && named.first.size() > prefix.size();
    });
    if (shared) return prefix;
  }
  return {};
}

}  // namespace

StatusOr<std::vector<StateDictPlace>> FindStateDicts(const PickleGraph& graph, PickleRef root) {
  Collector collector(graph);
  collector.Collect(root, "", 0);
  std::vector<StateDictPlace> places = collector.places();
  if (places.empty()) return NoStateDict(graph, root);
  return places;
}

StatusOr<StateDictPlace> LargestStateDict(const std::vector<StateDictPlace>& places) {
  const StateDictPlace& largest = *std::max_element(
      places.begin(), places.end(),
      [](const StateDictPlace& a, const StateDictPlace& b) { return a.tensors < b.tensors; });
  std::vector<std::string> paths;
  for (const StateDictPlace& place : places) {
    if (place.tensors == largest.tensors) paths.push_back(Quote(place.path));
  }
  if (paths.size() == 1) return largest;
  const size_t count = paths.size();
  if (count > kMaxListed) paths.resize(kMaxListed);
  return InvalidArgument(fmt::format("the file holds {} state dicts of {} tensors: {}", count,
                                     largest.tensors, fmt::join(paths, ", ")));
}

TensorMap DropSharedPrefixes(TensorMap tensors) {
  if (tensors.empty()) return tensors;
  for (auto prefix = SharedPrefix(tensors); !prefix.empty(); prefix = SharedPrefix(tensors)) {
    TensorMap shorter;
    while (!tensors.empty()) {
      auto node = tensors.extract(tensors.begin());
      node.key().erase(0, prefix.size());
      shorter.insert(shorter.end(), std::move(node));
    }
    tensors = std::move(shorter);
  }
  return tensors;
}

}  // namespace facegate
