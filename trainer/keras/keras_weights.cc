#include "trainer/keras/keras_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/weights/model_file.h"
#include "face/weights/quote.h"
#include "trainer/keras/h5_file.h"
#include "trainer/keras/tensorflow_checkpoint.h"

namespace facegate {
namespace {

constexpr std::string_view kNormBase = "batch_normalization";
constexpr std::string_view kDenseBase = "dense";
constexpr std::string_view kHead = "OutputLayer/";
constexpr std::string_view kInnerHead = "/OutputLayer/";
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kLeaves = {
    {{"kernel", "weight"},
     {"depthwise_kernel", "weight"},
     {"bias", "bias"},
     {"gamma", "weight"},
     {"beta", "bias"},
     {"moving_mean", "running_mean"},
     {"moving_variance", "running_var"}}};

// "a/b/conv1/kernel:0" is of the layer "conv1".
struct KerasName {
  std::string layer;
  std::string leaf;      // without the number after it
  bool in_head = false;  // in a group "OutputLayer"
};

std::optional<KerasName> Parsed(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view leaf = path.substr(slash + 1);
  const std::string_view rest = path.substr(0, slash);
  const size_t before = rest.rfind('/');
  return KerasName{
      .layer = std::string(before == std::string_view::npos ? rest : rest.substr(before + 1)),
      .leaf = std::string(leaf.substr(0, leaf.find(':'))),
      .in_head = path.starts_with(kHead) || path.find(kInnerHead) != std::string_view::npos};
}

// The number of a layer that Keras named: "dense" is 0, "dense_3" is 3.
std::optional<int> NumberOf(std::string_view layer, std::string_view base) {
  if (!layer.starts_with(base)) return std::nullopt;
  if (layer == base) return 0;
  const std::string_view digits = layer.substr(base.size());
  int number = 0;
  const auto [end, error] =
      std::from_chars(digits.data() + 1, digits.data() + digits.size(), number);
  const bool whole = digits.front() == '_' && digits.size() > 1 && error == std::errc() &&
                     end == digits.data() + digits.size() && number > 0;
  return whole ? std::optional(number) : std::nullopt;
}

// `take` says from where in the old tensor each number of the new one comes.
template <typename Take>
Tensor Rearranged(const Tensor& old, std::vector<int64_t> shape, const Take& take) {
  Tensor tensor{.dtype = old.dtype, .shape = std::move(shape), .bytes = {}};
  tensor.bytes.resize(old.bytes.size());
  const auto count = static_cast<size_t>(old.element_count());
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(tensor.bytes.data() + i * sizeof(float), old.bytes.data() + take(i) * sizeof(float),
                sizeof(float));
  }
  return tensor;
}

size_t At(const Tensor& tensor, size_t dimension) {
  return static_cast<size_t>(tensor.shape[dimension]);
}

Tensor ConvolutionOf(const Tensor& kernel) {
  const auto& shape = kernel.shape;
  const size_t places = At(kernel, 0) * At(kernel, 1);
  const size_t in = At(kernel, 2);
  const size_t out = At(kernel, 3);
  return Rearranged(kernel, {shape[3], shape[2], shape[0], shape[1]}, [=](size_t i) {
    return (i % places * in + i / places % in) * out + i / places / in;
  });
}

Tensor DepthwiseOf(const Tensor& kernel) {
  const auto& shape = kernel.shape;
  const size_t places = At(kernel, 0) * At(kernel, 1);
  const size_t channels = At(kernel, 2);
  return Rearranged(kernel, {shape[2], 1, shape[0], shape[1]},
                    [=](size_t i) { return i % places * channels + i / places; });
}

// `channels` of the map that was flattened before it; 1 where none was.
Tensor DenseOf(const Tensor& kernel, size_t channels) {
  const size_t in = At(kernel, 0);
  const size_t out = At(kernel, 1);
  const size_t places = in / channels;
  return Rearranged(kernel, {kernel.shape[1], kernel.shape[0]}, [=](size_t i) {
    const size_t input = i % in;
    return (input % places * channels + input / places) * out + i / in;
  });
}

bool IsNumbered(const KerasName& name) {
  return NumberOf(name.layer, kNormBase).has_value() ||
         NumberOf(name.layer, kDenseBase).has_value();
}

class Renamer {
 public:
  explicit Renamer(const TensorMap& tensors) {
    for (const auto& [path, tensor] : tensors) {
      const std::optional<KerasName> name = Parsed(path);
      if (name.has_value() && name->in_head) grouped_ = true;
    }
    std::set<int> norms;
    std::set<int> dense;
    for (const auto& [path, tensor] : tensors) {
      const std::optional<KerasName> name = Parsed(path);
      if (!name.has_value() || IsForeign(*name)) continue;
      if (name->layer == "conv1_conv") backbone_ = "resnet50.";
      if (name->layer == "bn_Conv1") backbone_ = "mobilenetv2.";
      if (const auto number = NumberOf(name->layer, kDenseBase)) dense.insert(*number);
      if (const auto number = NumberOf(name->layer, kNormBase)) {
        norms.insert(*number);
        if (*number == *norms.begin() && name->leaf == "gamma" && tensor.shape.size() == 1) {
          channels_ = std::max<size_t>(1, At(tensor, 0));
        }
      }
    }
    Enumerate(kNormBase, norms);
    Enumerate(kDenseBase, dense);
  }

  // True for numbered layers beside the head: those of a loss.
  bool IsForeign(const KerasName& name) const {
    return grouped_ && !name.in_head && IsNumbered(name);
  }
  // The name in the network, without the tensor's own.
  std::string LayerOf(const std::string& layer) const {
    const auto found = head_.find(layer);
    return found == head_.end() ? backbone_ + layer : "OutputLayer." + found->second;
  }
  size_t channels() const { return channels_; }

 private:
  void Enumerate(std::string_view base, const std::set<int>& numbers) {
    int place = 0;
    for (const int number : numbers) {
      head_[Numbered(base, number)] = Numbered(base, place);
      ++place;
    }
  }
  static std::string Numbered(std::string_view base, int number) {
    return number == 0 ? std::string(base) : fmt::format("{}_{}", base, number);
  }

  bool grouped_ = false;  // the head has a group
  std::string backbone_;
  std::map<std::string, std::string> head_;
  size_t channels_ = 1;
};

StatusOr<Tensor> Converted(const std::string& path, const KerasName& name, Tensor tensor,
                           size_t channels) {
  const size_t dimensions = tensor.shape.size();
  if (name.leaf == "depthwise_kernel" && dimensions == 4 && tensor.shape[3] == 1) {
    return DepthwiseOf(tensor);
  }
  if (name.leaf == "kernel" && dimensions == 4) return ConvolutionOf(tensor);
  if (name.leaf == "kernel" && dimensions == 2) {
    const bool map = NumberOf(name.layer, kDenseBase).has_value() && At(tensor, 0) % channels == 0;
    return DenseOf(tensor, map ? channels : 1);
  }
  if (!name.leaf.ends_with("kernel") && dimensions == 1) return tensor;
  return InvalidArgument(fmt::format("Keras: {} has the shape {}, which no {} has", Quote(path),
                                     ShapeText(tensor.shape), name.leaf));
}

}  // namespace

// The tensors are moved out of the map.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
StatusOr<TensorMap> FromKeras(TensorMap tensors) {
  const Renamer renamer(tensors);
  TensorMap renamed;
  for (auto& [path, tensor] : tensors) {
    const std::optional<KerasName> name = Parsed(path);
    const auto* const leaf =
        !name.has_value() || renamer.IsForeign(*name)
            ? kLeaves.end()
            : std::find_if(kLeaves.begin(), kLeaves.end(),
                           [&](const auto& one) { return one.first == name->leaf; });
    std::string own = path;
    if (leaf != kLeaves.end()) {
      own = fmt::format("{}.{}", renamer.LayerOf(name->layer), leaf->second);
      FACEGATE_ASSIGN_OR_RETURN(tensor,
                                Converted(path, *name, std::move(tensor), renamer.channels()));
    }
    if (!renamed.emplace(own, std::move(tensor)).second) {
      return InvalidArgument(fmt::format("Keras: there are two tensors {}, the second is {}",
                                         Quote(own), Quote(path)));
    }
  }
  return renamed;
}

bool LooksLikeKeras(std::string_view bytes) {
  return LooksLikeH5(bytes) || LooksLikeTensorFlowIndex(bytes);
}

StatusOr<KerasWeights> ReadKerasWeights(std::string_view bytes, const std::string& path) {
  TensorMap tensors;
  Sha256 digest;
  digest.Update(bytes);
  size_t files = 1;
  if (LooksLikeH5(bytes)) {
    FACEGATE_ASSIGN_OR_RETURN(tensors, ParseH5(bytes));
  } else {
    FACEGATE_ASSIGN_OR_RETURN(const size_t count, TensorFlowShards(bytes));
    files += count;
    std::vector<std::string> shards;
    uint64_t left = kMaxWeightFileBytes;
    for (size_t i = 0; i < count; ++i) {
      FACEGATE_ASSIGN_OR_RETURN(std::string shard,
                                ReadFile(TensorFlowShardPath(path, i, count), left));
      left -= shard.size();
      digest.Update(shard);
      shards.push_back(std::move(shard));
    }
    FACEGATE_ASSIGN_OR_RETURN(tensors, ParseTensorFlowCheckpoint(bytes, shards));
  }
  FACEGATE_ASSIGN_OR_RETURN(tensors, FromKeras(std::move(tensors)));
  return KerasWeights{.tensors = std::move(tensors), .sha256 = digest.HexDigest(), .files = files};
}

}  // namespace facegate
