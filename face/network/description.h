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
// Each family of backbones has a file, such as iresnet.h, and architecture.cc lists them; the two
// small networks are in grey_networks.h. Another backbone is one more function and one row; a
// network that came from elsewhere is a description as JSON (description_json.h). Code that must
// know all kinds of layers visits LayerKind, so the compiler names each such place when one is
// added.
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

// Height and width, in pixels.
struct Sides {
  int64_t height = 1;
  int64_t width = 1;
  bool operator==(const Sides&) const = default;
};

// Rows and columns that are put around a map.
struct Borders {
  int64_t top = 0;
  int64_t left = 0;
  int64_t bottom = 0;
  int64_t right = 0;
  bool operator==(const Borders&) const = default;
};

// A window goes over the rows and columns of a map, and gives a place of the output wherever it
// lies wholly within the map and its borders.
struct Window {
  Sides kernel;
  Sides stride;
  Sides dilation;
  Borders padding;
  bool operator==(const Window&) const = default;
};

// A convolution whose window is not square, or not alike on all sides.
struct OblongConvolution {
  int64_t in = 0;  // channels
  int64_t out = 0;
  int64_t groups = 1;
  Window window;
  bool bias = false;
};

// The largest number under the window; what padding adds is never it.
struct MaxPool {
  Window window;
};

// The mean of the numbers under the window. Dilations are 1.
struct AveragePool {
  Window window;
  bool count_padding = true;  // padding counts as zeros; else the mean is of the map's own numbers
};

// The mean of each channel: C·H·W to C·1·1.
struct GlobalAverage {};

// Puts zeros around a map.
struct Pad {
  Borders borders;
};

// The epsilon of PyTorch's batch norms.
inline constexpr double kNormEpsilon = 1e-5;

// A batch norm (Ioffe and Szegedy 2015) normalises the channels of C·H·W, or single numbers.
struct BatchNorm {
  int64_t channels = 0;
  bool fixed_weight = false;  // not trained
  double epsilon = kNormEpsilon;
  bool affine = true;  // has a weight and a bias, which come after it has normalised
};

// Each channel times a number ("weight"), plus a number ("bias"); one of them may be absent.
struct ChannelAffine {
  int64_t channels = 0;
  bool weight = true;
  bool bias = true;
};

// A PReLU (He et al. 2015) has one slope for each channel, or one for all (`channels` is 1).
struct PRelu {
  int64_t channels = 0;
};

struct Relu {};

// Numbers below and above the limits become the limits: 0 and 6 for a ReLU6.
struct Clip {
  double low = 0.0;
  double high = 0.0;
};

struct Sigmoid {};

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

// Makes one channel f times as high and as wide out of each f² channels (Shi et al. 2016): these
// are the numbers of a square of f·f places, row by row.
struct PixelShuffle {
  int64_t factor = 1;
};

// The layers of a transformer (Vaswani et al. 2017; Dosovitskiy et al. 2021) work at tokens, T·C: T
// places with C numbers each. Linear layers, layer norms, ReLUs, clips, sigmoids, dropouts and sums
// take them too, each token like a list; a flattening makes a list of them in the order T, C.

// A map as tokens: C·H·W to (H·W)·C.
struct Tokens {};

// Adds a number to each number of each token. Its one tensor (1·count·channels) is called as the
// layer is.
struct PositionEmbedding {
  int64_t count = 0;  // tokens
  int64_t channels = 0;
};

// A layer norm (Ba et al. 2016) normalises each token, or a list.
struct LayerNorm {
  int64_t channels = 0;
  double epsilon = kNormEpsilon;
};

// Self-attention: "qkv" makes queries, keys and values of each token, in this order, each of them
// for one head after the other; "proj", which has a bias, takes what the heads give.
struct SelfAttention {
  int64_t channels = 0;
  int64_t heads = 1;
  bool bias = false;  // of "qkv"
};

// Stochastic depth (Huang et al. 2016): in training all numbers of a picture become zeros with this
// probability, and are divided by that of the opposite otherwise. The last layer of a residual.
struct DropPath {
  double probability = 0.0;
};

// In training, this share of each picture's tokens is left out, drawn anew for each batch, where a
// MaskToken follows in the same chain.
struct DropTokens {
  double share = 0.0;
};

// What DropTokens left out comes back, at its places, as this one token. Its one tensor
// (1·1·channels) is called as the layer is.
struct MaskToken {
  int64_t channels = 0;
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

// How values meet that become one: number by number, or one behind the other by channels (kConcat).
// Where one of two has a single number for each channel (C·1·1, or as the second a list of C), it
// meets all numbers of it.
enum class Join { kAdd, kSubtract, kMultiply, kDivide, kConcat };

// One step of a graph: a layer of it that is called with one value, or values that are joined (two;
// for kConcat two or more).
struct Call {
  std::variant<size_t, Join> what;  // the number of a layer, or a join
  // 0 is the graph's input, i is what the i-th call gives (counted from 1); below its own number.
  std::vector<size_t> inputs;
};

// In a graph calls are made one after the other, and the last one gives its output. A layer may be
// called more than once. Names of layers may have dots, and then lie in groups that are no layers.
struct Graph {
  std::vector<Layer> layers;
  std::vector<Call> calls;
};

using LayerKind =
    std::variant<Convolution, OblongConvolution, MaxPool, AveragePool, GlobalAverage, Pad,
                 BatchNorm, ChannelAffine, PRelu, Relu, Clip, Sigmoid, Linear, Dropout, Flatten,
                 Subsample, ChannelGate, PixelShuffle, Tokens, PositionEmbedding, LayerNorm,
                 SelfAttention, DropPath, DropTokens, MaskToken, Chain, Residual, Graph>;

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

// A network takes `channels` times `height`×`width` pixels: 3 channels are a crop in colour, 1 is a
// crop in grey.
struct Input {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  bool operator==(const Input&) const = default;
};

// An aligned crop in colour, as most backbones take it.
inline constexpr Input kCropInput{.channels = 3, .height = 112, .width = 112};

struct Description {
  std::string name;  // what messages call it, such as "iresnet-50"; architecture.cc names backbones
  Input input;
  int64_t outputs = 0;  // numbers for each input: the length of the embedding
  std::vector<Layer> layers;
  std::vector<TensorShape> more;  // tensors that are of no layer
};

}  // namespace facegate::network
