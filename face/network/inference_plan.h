#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/weights.h"

// A network as the list of what must be computed, in order.
//
// A description is a tree of layers as they learn. For inference much of it is constant: batch
// norms become part of the weights beside them wherever that is exact, dropout goes, and what
// follows a convolution (its bias, a residual that is added, a PReLU) is one pass over its output.
// A plan holds the result with its numbers, and runs nothing; an engine turns its steps into calls
// of its library.
namespace facegate::network {

// A value is a map (C·H·W), tokens (T·C) or a list of numbers for each picture of a batch. It is
// made by one step, or is the network's input (kInputValue).
using ValueId = size_t;
inline constexpr ValueId kInputValue = 0;

// A step's convolution without bias. `weight` is out · in/groups · kernel · kernel numbers.
struct ConvolutionStep {
  ConvShape shape;
  std::vector<float> weight;
};

// A product with a matrix, `weight`, of out · in numbers. The input is a list, tokens that are
// taken as lists, or a map whose numbers are taken in the order C, H, W.
struct LinearStep {
  int64_t in = 0;
  int64_t out = 0;
  std::vector<float> weight;
};

// The input times a gate for each channel, sigmoid(excite · relu(squeeze · mean of the channel)).
struct GateStep {
  int64_t channels = 0;
  int64_t squeezed = 0;
  std::vector<float> squeeze;  // squeezed · channels
  std::vector<float> excite;   // channels · squeezed
};

struct SubsampleStep {
  int64_t stride = 1;
};

// A convolution without bias under a window; weights as a ConvolutionStep's.
struct OblongStep {
  OblongConvolution shape;
  std::vector<float> weight;
};

struct PoolStep {
  std::variant<MaxPool, AveragePool, GlobalAverage> pool;
};

// Its borders are not all zero.
struct PadStep {
  Borders borders;
};

struct ClipStep {
  double low = 0.0;
  double high = 0.0;
};

struct SigmoidStep {};

// A map as a list, in the order C, H, W; tokens as a list, in the order T, C.
struct FlattenStep {};

struct PixelShuffleStep {
  int64_t factor = 1;
};

// A map as tokens.
struct TokensStep {};

// `numbers` are added, count · channels.
struct PositionStep {
  int64_t count = 0;
  int64_t channels = 0;
  std::vector<float> numbers;
};

// Tokens or a list are normalised.
struct LayerNormStep {
  double epsilon = 0.0;
  std::vector<float> weight;
  std::vector<float> bias;
};

// What the heads give: T·3C, queries, keys and values, to T·C.
struct AttentionStep {
  int64_t heads = 1;
};

// The input joined with other values.
struct JoinStep {
  Join join = Join::kAdd;
  std::vector<ValueId> others;
};

// The input as it is, for what its Finish does.
struct CopyStep {};

// What is done to each channel of a step's output, in this order. A step's output is a value of its
// own, so that an engine may change it in place.
struct Finish {
  std::vector<float> bias;       // added; empty: none
  std::optional<ValueId> added;  // of the same shape
  std::vector<float> slope;      // of a PReLU; zeros for a ReLU; empty: none
};

// A second output: the first one times `scale` plus `shift`, for each channel.
struct Scaled {
  ValueId to = 0;
  std::vector<float> scale;
  std::vector<float> shift;
};

using StepKind =
    std::variant<ConvolutionStep, OblongStep, LinearStep, GateStep, SubsampleStep, PoolStep,
                 PadStep, ClipStep, SigmoidStep, FlattenStep, PixelShuffleStep, TokensStep,
                 PositionStep, LayerNormStep, AttentionStep, JoinStep, CopyStep>;

struct Step {
  StepKind kind;
  ValueId from = 0;
  ValueId to = 0;
  int64_t channels = 0;  // of the output's places or tokens, or as many as a list has numbers
  Finish finish;
  std::optional<Scaled> scaled;
};

struct InferencePlan {
  Input input;
  int64_t outputs = 0;
  std::vector<Step> steps;  // each after those whose outputs it reads
  size_t values = 0;        // ids are below this
  ValueId result = 0;       // a list of `outputs` numbers
};

// Plans the network of that description with the weights `tensors`, all of type kF32.
// kInvalidArgument when they are not the description's.
StatusOr<InferencePlan> PlanInference(const Description& description, const TensorMap& tensors);

}  // namespace facegate::network
