#include "face/network/rcan_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "face/network/shape_map.h"
#include "face/weights/quote.h"
#include "face/weights/torch_pickle.h"

namespace facegate {
namespace {

using network::RcanNaming;
using network::RcanShape;

// The tensors of a checkpoint that are an RCAN.
struct Group {
  RcanShape shape;
  size_t dict = 0;
  std::string place;                         // for messages
  std::map<std::string, std::string> names;  // of its tensors in the file, by those of Rcan()
  std::vector<std::string> left;             // of the tensors of that dict that are none of its own
};

// True for the name of a layer of the network, also of one that this network does not have.
bool IsOfNetwork(std::string_view name, RcanNaming naming) {
  const auto begins = [&](std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return name.starts_with(part); });
  };
  return naming == RcanNaming::kOriginal
             ? begins({"sub_mean.", "head.", "body.", "tail.", "add_mean."})
             : begins({"sf.", "rgs.", "conv1.", "upscale.", "conv2."});
}

// Sorts the tensors of a dict into those of the network and others. kInvalidArgument, naming the
// first that do not fit, where they are another network's.
Status SortNames(const TensorMap& tensors, const std::string& prefix, RcanNaming naming,
                 Group& group) {
  const ShapeMap expected = ShapesOf(network::Rcan(group.shape));
  std::map<std::string, std::string> by_file;
  for (const auto& [name, shape] : expected) {
    by_file[prefix + network::RcanTensorName(name, group.shape, naming)] = name;
  }
  TensorMap own;
  for (const auto& [name, tensor] : tensors) {
    const auto found = by_file.find(name);
    if (found != by_file.end()) {
      group.names.emplace(found->second, name);
      own.emplace(found->second, tensor);
    } else if (name.starts_with(prefix) &&
               IsOfNetwork(std::string_view(name).substr(prefix.size()), naming)) {
      own.emplace(name, tensor);
    } else {
      group.left.push_back(name);
    }
  }
  return CheckShapes(expected, own);
}

// Without the bytes, which are not asked for.
TensorMap ShapesAlone(const TensorMap& tensors) {
  TensorMap shapes;
  for (const auto& [name, tensor] : tensors) {
    shapes.emplace(name, Tensor{.dtype = tensor.dtype, .shape = tensor.shape, .bytes = {}});
  }
  return shapes;
}

class GroupFinder {
 public:
  void LookIn(const StateDictShapes& dict, size_t number) {
    for (const auto& [name, tensor] : dict.tensors) {
      for (const RcanNaming naming : {RcanNaming::kOriginal, RcanNaming::kPlain}) {
        const std::string_view telltale = network::RcanTelltale(naming);
        if (!name.ends_with(telltale)) continue;
        const std::string prefix = name.substr(0, name.size() - telltale.size());
        if (prefix.empty() || prefix.ends_with('.')) Try(dict, number, prefix, naming);
      }
    }
  }

  StatusOr<Group> Finish() {
    if (groups_.size() == 1) return std::move(groups_.front());
    if (groups_.empty() && misfit_.ok()) {
      return InvalidArgument(
          "no super-resolution network is among its tensors; expected an RCAN, whose tensors are "
          "called head.0.weight, body.0.body.0.body.0.weight and so on, or sf.weight, "
          "rgs.0.module.0.module.0.weight and so on");
    }
    if (groups_.empty()) return misfit_;
    std::vector<std::string> places;
    places.reserve(groups_.size());
    for (const Group& group : groups_) places.push_back(Quote(group.place));
    return InvalidArgument(fmt::format("it holds {} super-resolution networks, at {}; save one",
                                       groups_.size(), fmt::join(places, ", ")));
  }

 private:
  void Try(const StateDictShapes& dict, size_t number, const std::string& prefix,
           RcanNaming naming) {
    const std::optional<RcanShape> shape =
        FindRcan(network::TensorShapes(dict.tensors, prefix), naming);
    if (!shape.has_value()) {
      misfit_ = InvalidArgument(
          "its tensors are nearly those of an RCAN, but no numbers of groups, blocks and features, "
          "and no enlargement by 2, 3, 4 or 8, fit them");
      return;
    }
    Group group;
    group.shape = *shape;
    group.dict = number;
    group.place = dict.path + "/" + prefix;
    if (Status fit = SortNames(dict.tensors, prefix, naming, group); !fit.ok()) {
      misfit_ = Annotate(fit, network::Rcan(*shape).name);
      return;
    }
    groups_.push_back(std::move(group));
  }

  std::vector<Group> groups_;
  Status misfit_;
};

FoundRcan Found(TensorMap& tensors, Group group) {
  FoundRcan found{.shape = group.shape, .tensors = {}, .left = std::move(group.left)};
  for (const auto& [name, in_file] : group.names) {
    auto node = tensors.extract(in_file);
    node.key() = name;
    found.tensors.insert(std::move(node));
  }
  return found;
}

template <typename Number>
Number NumberAt(const char* bytes) {
  Number number{};
  std::memcpy(&number, bytes, sizeof(number));
  return number;
}

// IEEE 754's binary16: 5 bits of exponent, 10 of fraction.
double HalfOf(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  const double size =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 0x400, exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

// A number of a tensor of floats; 0 of another type.
double FloatAt(DType dtype, const char* bytes) {
  switch (dtype) {
    case DType::kF16:
      return HalfOf(NumberAt<uint16_t>(bytes));
    case DType::kBF16:
      return std::bit_cast<float>(uint32_t{NumberAt<uint16_t>(bytes)} << 16U);
    case DType::kF32:
      return NumberAt<float>(bytes);
    case DType::kF64:
      return NumberAt<double>(bytes);
    default:
      return 0.0;
  }
}

}  // namespace

StatusOr<FoundRcan> ParseRcan(std::string_view bytes) {
  Group group;
  const ChooseTensors choose =
      [&](const std::vector<StateDictShapes>& dicts) -> StatusOr<TensorChoice> {
    GroupFinder finder;
    for (size_t i = 0; i < dicts.size(); ++i) finder.LookIn(dicts[i], i);
    FACEGATE_ASSIGN_OR_RETURN(group, finder.Finish());
    TensorChoice choice{.dict = group.dict};
    for (const auto& [name, in_file] : group.names) choice.names.push_back(in_file);
    return choice;
  };
  FACEGATE_ASSIGN_OR_RETURN(TensorMap tensors, ParseTorchPickle(bytes, choose));
  return Found(tensors, std::move(group));
}

StatusOr<FoundRcan> TakeRcan(TensorMap& tensors) {
  GroupFinder finder;
  finder.LookIn({.path = {}, .tensors = ShapesAlone(tensors)}, 0);
  FACEGATE_ASSIGN_OR_RETURN(Group group, finder.Finish());
  return Found(tensors, std::move(group));
}

double LargestPixelOf(const FoundRcan& found) {
  constexpr double kWhite = 255.0;
  const auto mean = found.tensors.find("sub_mean.bias");
  if (mean == found.tensors.end()) return 1.0;
  const Tensor& tensor = mean->second;
  const size_t size = SizeOf(tensor.dtype);
  double largest = 0.0;
  for (size_t at = 0; at + size <= tensor.bytes.size(); at += size) {
    largest = std::max(largest, std::abs(FloatAt(tensor.dtype, tensor.bytes.data() + at)));
  }
  return largest > 1.0 ? kWhite : 1.0;
}

}  // namespace facegate
