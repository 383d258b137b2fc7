#include "face/network/backbone_group.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "face/network/architecture.h"
#include "face/network/shape_map.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr size_t kAnchors = 5;
constexpr size_t kMostPrefixes = 64;
constexpr size_t kShown = 4;

std::string FirstPart(std::string_view name) { return std::string(name.substr(0, name.find('.'))); }

std::string PlaceOf(const std::string& path, const std::string& prefix) {
  const std::string inner = prefix.empty() ? prefix : prefix.substr(0, prefix.size() - 1);
  if (path.empty() || inner.empty()) return path + inner;
  return path + "." + inner;
}

// Tells how a group under a prefix compares with a network.
struct Comparison {
  BackboneGroup group;
  size_t expected = 0;              // tensors of the network
  size_t fitting = 0;               // that are there in the right shape
  std::vector<std::string> faults;  // the first few of what does not fit, in words
  size_t fault_count = 0;
  std::string place;

  void AddFault(std::string text) {
    if (++fault_count <= kShown) faults.push_back(std::move(text));
  }
};

// A network's names and shapes, and the names by which its groups are found.
class Pattern {
 public:
  explicit Pattern(network::FoundNetwork network)
      : network_(std::move(network)), shapes_(ShapesOf(network_.network)) {
    std::vector<std::string> names;
    for (const auto& [name, shape] : shapes_) {
      families_.insert(FirstPart(name));
      if (!IsBatchCounter(name)) names.push_back(name);
    }
    for (size_t i = 0; i < kAnchors; ++i) {
      anchors_.push_back(names[i * (names.size() - 1) / (kAnchors - 1)]);
    }
  }

  // Lists what stands before the anchors in the names of `dict`: those with the most anchors first,
  // as blocks of a network have names that end like one of them.
  std::vector<std::string> Prefixes(const TensorMap& dict) const {
    std::map<std::string, size_t> counts;
    for (const auto& [name, tensor] : dict) {
      for (const std::string& anchor : anchors_) {
        if (!name.ends_with(anchor)) continue;
        std::string prefix = name.substr(0, name.size() - anchor.size());
        if (prefix.empty() || prefix.ends_with('.')) counts[std::move(prefix)] += 1;
      }
    }
    std::vector<std::string> prefixes;
    for (size_t count = kAnchors; count > 0; --count) {
      for (const auto& [prefix, own] : counts) {
        if (own == count && prefixes.size() < kMostPrefixes) prefixes.push_back(prefix);
      }
    }
    return prefixes;
  }

  Comparison Compare(const StateDictShapes& dict, size_t number, const std::string& prefix) const {
    Comparison result;
    result.group = {.network = network_.network,
                    .remarks = network_.remarks,
                    .dict = number,
                    .prefix = prefix,
                    .names = {},
                    .left = {}};
    result.place = PlaceOf(dict.path, prefix);
    for (const auto& [name, shape] : shapes_) {
      if (IsBatchCounter(name)) continue;
      ++result.expected;
      const auto found = dict.tensors.find(prefix + name);
      if (found == dict.tensors.end()) {
        result.AddFault(fmt::format("{} is missing", Quote(prefix + name)));
      } else if (found->second.shape != shape) {
        result.AddFault(fmt::format("{} has the shape {}, expected {}", Quote(prefix + name),
                                    ShapeText(found->second.shape), ShapeText(shape)));
      } else {
        ++result.fitting;
      }
    }
    for (const auto& [name, tensor] : dict.tensors) SortIn(name, result);
    return result;
  }

 private:
  // A tensor of the dict: one of the group's, one that is left, or a fault.
  void SortIn(const std::string& name, Comparison& result) const {
    const std::string& prefix = result.group.prefix;
    const bool below = name.starts_with(prefix);
    const std::string own = below ? name.substr(prefix.size()) : name;
    if (below && shapes_.contains(own)) {
      result.group.names.push_back(name);
      return;
    }
    if (below && families_.contains(FirstPart(own))) {
      result.AddFault(fmt::format("{} is unexpected", Quote(name)));
    }
    result.group.left.push_back(name);
  }

  const network::FoundNetwork network_;
  const ShapeMap shapes_;
  std::set<std::string> families_;
  std::vector<std::string> anchors_;
};

bool IsWanted(const BackboneWish& wish, const Comparison& one, const std::string& path) {
  if (!wish.entry.has_value()) return true;
  const std::string& prefix = one.group.prefix;
  return one.place == *wish.entry || path == *wish.entry || prefix == *wish.entry ||
         prefix == *wish.entry + ".";
}

Status NothingFits(const std::vector<StateDictShapes>& dicts, const BackboneWish& wish,
                   const std::optional<Comparison>& nearest) {
  if (nearest.has_value() && nearest->fitting > 0) {
    return InvalidArgument(fmt::format(
        "no group of tensors is a network of a known architecture or family; the nearest is {}{}: "
        "{} of its {} tensors fit, but {} do not: {}{}",
        nearest->group.network.name,
        nearest->place.empty() ? "" : fmt::format(" at {}", Quote(nearest->place)),
        nearest->fitting, nearest->expected, nearest->fault_count, fmt::join(nearest->faults, "; "),
        nearest->fault_count > kShown ? "; ..." : ""));
  }
  const StateDictShapes& largest = *std::max_element(
      dicts.begin(), dicts.end(), [](const StateDictShapes& a, const StateDictShapes& b) {
        return a.tensors.size() < b.tensors.size();
      });
  std::vector<std::string> names;
  for (const auto& [name, tensor] : largest.tensors) {
    if (names.size() < kShown) names.push_back(Quote(name));
  }
  return InvalidArgument(fmt::format(
      "no group of tensors is a network of a known architecture ({}) or family ({}); there are {} "
      "tensors with names such as {}",
      fmt::join(wish.preferred.empty() ? ArchitectureNames() : wish.preferred, ", "),
      network::FamilyNames(), largest.tensors.size(), fmt::join(names, ", ")));
}

StatusOr<BackboneGroup> OnlyOne(std::vector<Comparison> fits) {
  const size_t largest =
      std::max_element(fits.begin(), fits.end(), [](const Comparison& a, const Comparison& b) {
        return a.expected < b.expected;
      })->expected;
  std::erase_if(fits, [largest](const Comparison& one) { return one.expected < largest; });
  if (fits.size() == 1) return std::move(fits.front().group);
  std::vector<std::string> places;
  places.reserve(fits.size());
  for (const Comparison& one : fits) {
    places.push_back(one.place.empty() ? std::string("(outermost)") : one.place);
  }
  return InvalidArgument(fmt::format("{} networks of {} are in the file: {}; choose one by --entry",
                                     fits.size(), fits.front().group.network.name,
                                     fmt::join(places, ", ")));
}

// Looks for networks in the dicts: keeps those that fit, and the nearest.
class Search {
 public:
  Search(const std::vector<StateDictShapes>& dicts, const BackboneWish& wish)
      : dicts_(dicts), wish_(wish) {}

  Status TryArchitectures() {
    std::vector<std::string> architectures = wish_.preferred;
    for (const std::string& name : ArchitectureNames()) {
      if (std::find(architectures.begin(), architectures.end(), name) == architectures.end()) {
        architectures.push_back(name);
      }
    }
    if (wish_.architecture.has_value()) architectures = {*wish_.architecture};
    for (const std::string& architecture : architectures) {
      FACEGATE_ASSIGN_OR_RETURN(network::Description description,
                                DescribeArchitecture(architecture));
      const Pattern pattern({.network = std::move(description)});
      for (size_t i = 0; i < dicts_.size(); ++i) {
        for (const std::string& prefix : pattern.Prefixes(dicts_[i].tensors)) {
          Try(pattern, i, prefix);
        }
      }
    }
    return OkStatus();
  }

  void TryFamilies() {
    for (size_t i = 0; i < dicts_.size(); ++i) {
      const TensorMap& tensors = dicts_[i].tensors;
      std::vector<std::string> prefixes = network::TelltalePrefixes(tensors);
      if (prefixes.size() > kMostPrefixes) prefixes.resize(kMostPrefixes);
      for (const std::string& prefix : prefixes) {
        for (auto& found : network::DescribeTensors(tensors, prefix, wish_.hints)) {
          Try(Pattern(std::move(found)), i, prefix);
        }
      }
    }
  }

  bool found() const { return !fits_.empty(); }
  StatusOr<BackboneGroup> Result() && {
    if (fits_.empty()) return NothingFits(dicts_, wish_, nearest_);
    return OnlyOne(std::move(fits_));
  }

 private:
  void Try(const Pattern& pattern, size_t dict, const std::string& prefix) {
    Comparison one = pattern.Compare(dicts_[dict], dict, prefix);
    if (!IsWanted(wish_, one, dicts_[dict].path)) return;
    if (!nearest_.has_value() || one.fitting > nearest_->fitting) nearest_ = one;
    if (one.fault_count == 0) fits_.push_back(std::move(one));
  }

  const std::vector<StateDictShapes>& dicts_;
  const BackboneWish& wish_;
  std::vector<Comparison> fits_;
  std::optional<Comparison> nearest_;
};

}  // namespace

StatusOr<BackboneGroup> FindBackbone(const std::vector<StateDictShapes>& dicts,
                                     const BackboneWish& wish) {
  if (dicts.empty()) return InvalidArgument("there are no tensors");
  Search search(dicts, wish);
  FACEGATE_RETURN_IF_ERROR(search.TryArchitectures());
  if (!search.found() && !wish.architecture.has_value()) search.TryFamilies();
  return std::move(search).Result();
}

}  // namespace facegate
