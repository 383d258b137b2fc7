#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// Networks as plain values.
//
// A description says which layers a network has, in which order, of which shapes and under which
// names. It holds no weights and computes nothing; who wants to know something of a network reads
// it here. face/torch builds LibTorch's modules from it, face/detect lets OpenCV run the small
// ones, trainer/learn adds the batch norms that the small ones learn with. The names and shapes of
// all tensors follow from it (tensor_list.h), and by these architecture.h and backbone_group.h
// recognise weights; so do the shapes of what each layer gives (output_shape.h), in which
// facegate-train summary counts.
//
// Names are those of the PyTorch originals. Joined by dots, from the outermost layer inwards, they
// are the keys of the original's state dict ("layer1.0.bn1.weight"), so that weights move both
// ways. Cards and checkpoints hold them: do not change them.
//
// The networks are in iresnet.h, irse.h and mobilefacenet.h (backbones, listed in architecture.cc)
// and in grey_networks.h (the two small ones). Another backbone is one more function and one row.
// Code that must know all kinds of layers visits LayerKind, so the compiler names each such place
// when one is added.
namespace facegate::network {

// Kernels are square.
struct ConvShape {
  int64_t in = 0;  // channels
  int64_t out = 0;
  int64_t kernel = 1;  // pixels, as are stride and padding
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t groups = 1;
};

struct Convolution {
  ConvShape shape;
  bool bias = false;
};

// A batch norm (Ioffe and Szegedy 2015) normalises the channels of C·H·W, or single numbers.
struct BatchNorm {
  int64_t channels = 0;
  bool fixed_weight = false;  // not trained
};

// A PReLU (He et al. 2015) has one slope for each channel.
struct PRelu {
  int64_t channels = 0;
};

struct Relu {};

struct Linear {
  int64_t in = 0;
  int64_t out = 0;
  bool bias = false;
};

// A dropout (Srivastava et al. 2014) acts in training alone.
struct Dropout {
  double probability = 0.0;
};

// A flattening makes C·H·W a list of as many numbers.
struct Flatten {};

// A subsampling keeps each `stride`-th row and column (a 1×1 max pooling).
struct Subsample {
  int64_t stride = 1;
};

// Squeeze-and-excitation (Hu et al. 2018) scales channels by a gate that is computed from their
// means by two 1×1 convolutions: "fc1" to 1/reduction of the channels, and "fc2" back.
struct ChannelGate {
  int64_t channels = 0;
  int64_t reduction = 1;
};

struct Layer;

// The layers of a chain run one after the other.
struct Chain {
  std::vector<Layer> layers;
};

// In a residual (He et al. 2016) the layers run one after the other, and their input is added to
// their output; before that it passes the layers of the shortcut, where there are some.
struct Residual {
  std::vector<Layer> layers;
  std::vector<Layer> shortcut;
};

using LayerKind = std::variant<Convolution, BatchNorm, PRelu, Relu, Linear, Dropout, Flatten,
                               Subsample, ChannelGate, Chain, Residual>;

struct Layer {
  std::string name;
  LayerKind kind;
  // Its output is a map that a teacher is compared by. Only outermost layers are marked.
  bool map = false;
};

// Makes a chain whose layers are named by their positions, as those of PyTorch's Sequential are.
Chain Sequence(std::vector<LayerKind> kinds);

// A tensor of the state dict has a name and a shape.
struct TensorShape {
  std::string name;
  std::vector<int64_t> shape;  // empty for a scalar
  bool parameter = true;       // false for running statistics and counters
};

// A network takes `channels` times `side`×`side` pixels.
struct Input {
  int64_t channels = 0;
  int64_t side = 0;
};

// All backbones take an aligned crop in colour.
inline constexpr Input kCropInput{.channels = 3, .side = 112};

struct Description {
  std::string name;  // what messages call it, such as "iresnet-50"; architecture.cc names backbones
  Input input;
  int64_t outputs = 0;  // numbers for each input: the length of the embedding
  std::vector<Layer> layers;
  std::vector<TensorShape> more;  // tensors that are of no layer
};

}  // namespace facegate::network
