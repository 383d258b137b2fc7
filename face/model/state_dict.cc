#include "face/model/state_dict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "face/model/quote.h"

namespace facegate {
namespace {

constexpr std::array<std::string_view, 6> kEntries = {
    "state_dict", "model", "net", "backbone", "weights", "state_dict_backbone"};
constexpr std::array<std::string_view, 5> kPrefixes = {"module.", "arcface.", "backbone.", "model.",
                                                       "_orig_mod."};
constexpr int kMaxDepth = 3;
constexpr size_t kMaxListed = 8;

struct Candidate {
  PickleRef dict = 0;
  std::string path;
};

bool IsNamedTensor(const PickleGraph& graph, const std::pair<PickleRef, PickleRef>& entry) {
  return graph.Get<PickleText>(entry.first) != nullptr &&
         graph.Get<TorchTensor>(entry.second) != nullptr;
}

bool IsStateDict(const PickleGraph& graph, const PickleDict& dict) {
  return !dict.entries.empty() &&
         std::all_of(dict.entries.begin(), dict.entries.end(),
                     [&](const auto& entry) { return IsNamedTensor(graph, entry); });
}

void Collect(const PickleGraph& graph, PickleRef ref, const std::string& path, int depth,
             std::vector<Candidate>& found) {
  const auto* dict = graph.Get<PickleDict>(ref);
  if (dict == nullptr) return;
  if (IsStateDict(graph, *dict)) {
    // Two names for the same dict are no ambiguity.
    const bool known = std::any_of(found.begin(), found.end(),
                                   [&](const Candidate& other) { return other.dict == ref; });
    if (!known) found.push_back({ref, path});
    return;
  }
  if (depth == kMaxDepth) return;
  for (const std::string_view name : kEntries) {
    // Of a key that stands twice the last counts, as in Python.
    const auto entry =
        std::find_if(dict->entries.rbegin(), dict->entries.rend(), [&](const auto& candidate) {
          const auto* key = graph.Get<PickleText>(candidate.first);
          return key != nullptr && key->text == name;
        });
    if (entry == dict->entries.rend()) continue;
    Collect(graph, entry->second,
            path.empty() ? std::string(name) : fmt::format("{}.{}", path, name), depth + 1, found);
  }
}

Status NoStateDict(const PickleGraph& graph, PickleRef root) {
  const auto* dict = graph.Get<PickleDict>(root);
  if (dict == nullptr) return InvalidArgument("the file holds no dict, expected a state dict");
  if (dict->entries.empty()) return InvalidArgument("the state dict is empty");
  std::vector<std::string> others;
  bool tensors = false;
  for (const auto& entry : dict->entries) {
    if (IsNamedTensor(graph, entry)) {
      tensors = true;
    } else if (others.size() < kMaxListed) {
      const auto* key = graph.Get<PickleText>(entry.first);
      others.push_back(key != nullptr ? Quote(key->text) : std::string("(a key that is no text)"));
    }
  }
  if (tensors) {
    return InvalidArgument(
        fmt::format("among the tensors stand entries that are none: {}", fmt::join(others, ", ")));
  }
  return InvalidArgument(fmt::format("no state dict is found: the entries are {}, looked for {}",
                                     fmt::join(others, ", "), fmt::join(kEntries, ", ")));
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

StatusOr<PickleRef> FindStateDict(const PickleGraph& graph, PickleRef root) {
  std::vector<Candidate> found;
  Collect(graph, root, "", 0, found);
  if (found.empty()) return NoStateDict(graph, root);
  if (found.size() == 1) return found.front().dict;
  std::vector<std::string_view> paths;
  paths.reserve(found.size());
  for (const Candidate& candidate : found) paths.push_back(candidate.path);
  return InvalidArgument(fmt::format("the file holds {} state dicts: {}; save the wanted one alone",
                                     found.size(), fmt::join(paths, ", ")));
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
