#include <fmt/format.h>

#include <algorithm>

#include "face/onnx/graph_follower.h"
#include "face/onnx/graph_parts.h"
#include "face/weights/quote.h"

namespace facegate::onnx_graph {
namespace {

using network::Extents;
using network::Join;

constexpr size_t kMaxOnes = 2;  // behind a list: it has the rank of a map then

}  // namespace

Status GraphReader::Pass() {
  FACEGATE_ASSIGN_OR_RETURN(const Value value, Any(0));
  return GiveSame(value);
}

Status GraphReader::Cast() {
  if (!CastsToReal(*node_)) return Unread("makes other numbers than fractions of the picture");
  return Pass();
}

Status GraphReader::TellShape() {
  FACEGATE_ASSIGN_OR_RETURN(const Value value, Data(0));
  const std::vector<int64_t> all = OnnxShape(value);
  const auto count = static_cast<int64_t>(all.size());
  const int64_t begin = SliceBound(IntegerOf(*node_, "start").value_or(0), count);
  const int64_t end = std::max(begin, SliceBound(IntegerOf(*node_, "end").value_or(count), count));
  GraphConstant shape{.whole = true, .wholes = {all.begin() + begin, all.begin() + end}};
  shape.shape = {static_cast<int64_t>(shape.wholes.size())};
  constants_[node_->outputs.front()] = std::move(shape);
  return OkStatus();
}

StatusOr<std::vector<float>> GraphReader::ByChannel(const GraphConstant& constant,
                                                    const Value& value) const {
  const auto channels = static_cast<size_t>(value.shape[0]);
  std::vector<int64_t> shape = constant.shape;
  if (!shape.empty() && shape.size() == OnnxShape(value).size() && shape[0] == 1) {
    shape.erase(shape.begin());
  }
  bool fits = constant.reals.size() == 1 && shape.size() <= OnnxShape(value).size();
  if (!fits && constant.reals.size() == channels && value.flattened.empty()) {
    std::vector<int64_t> expected(value.shape.size() + value.ones, 1);
    (value.channels_last ? expected.back() : expected.front()) = value.shape[0];
    // Leading extents of 1 may be missing.
    while (expected.size() > shape.size() && expected.front() == 1) {
      expected.erase(expected.begin());
    }
    fits = shape == expected;
  }
  if (!fits) return Unread("has a constant of the shape " + ShapeText(constant.shape));
  return constant.reals;
}

Status GraphReader::Meet() {
  if (node_->inputs.size() != 2) return Unread("has not two inputs");
  const bool both = values_.contains(node_->inputs[0]) && values_.contains(node_->inputs[1]);
  return both ? JoinTwo() : MeetConstant();
}

Status GraphReader::MeetConstant() {
  const std::string& op = node_->op;
  const bool first = values_.contains(node_->inputs[0]);
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Any(first ? 0 : 1));
  FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const constant, Weights(first ? 1 : 0));
  if (input.length_of.has_value()) {
    const bool keeps = op == "Add" && constant->size() == 1 && constant->reals[0] >= 0.0F;
    return keeps ? GiveSame(input) : Unread("changes the length of an embedding");
  }
  FACEGATE_RETURN_IF_ERROR(Spend(static_cast<size_t>(input.shape[0])));
  FACEGATE_ASSIGN_OR_RETURN(std::vector<float> numbers, ByChannel(*constant, input));
  numbers.resize(static_cast<size_t>(input.shape[0]), numbers.front());
  if (op == "Add") return GiveAffine(input, {}, std::move(numbers));
  if (op == "Sub" && !first) {
    std::vector<float> turned(numbers.size(), -1.0F);
    return GiveAffine(input, std::move(turned), std::move(numbers));
  }
  if (op == "Sub") {
    for (float& one : numbers) one = -one;
    return GiveAffine(input, {}, std::move(numbers));
  }
  if (op == "Div") {
    if (!first) return Unread("divides a constant by what depends on the picture");
    for (float& one : numbers) {
      if (one == 0.0F) return Unread("divides by zero");
      one = 1.0F / one;
    }
  }
  return GiveAffine(input, std::move(numbers), {});
}

Status GraphReader::GiveAffine(const Value& input, std::vector<float> scale,
                               std::vector<float> shift) {
  const int64_t channels = input.shape[0];
  LayerTensors tensors;
  if (!scale.empty()) tensors.emplace_back("weight", FloatTensor({channels}, scale));
  if (!shift.empty()) tensors.emplace_back("bias", FloatTensor({channels}, shift));
  FACEGATE_RETURN_IF_ERROR(GiveInOrder(
      network::ChannelAffine{
          .channels = channels, .weight = !scale.empty(), .bias = !shift.empty()},
      input, tensors));
  if (input.number != prepared_) return OkStatus();
  // The picture is still being prepared.
  prepares_ = true;
  prepared_ = values_[node_->outputs.front()].number;
  scale.resize(static_cast<size_t>(channels), 1.0F);
  shift.resize(static_cast<size_t>(channels), 0.0F);
  preparation_ = network::Composed(
      preparation_, {.scale = {scale.begin(), scale.end()}, .shift = {shift.begin(), shift.end()}});
  return OkStatus();
}

Status GraphReader::JoinTwo() {
  FACEGATE_ASSIGN_OR_RETURN(const Value one, Data(0));
  FACEGATE_ASSIGN_OR_RETURN(const Value other, Any(1));
  // An embedding divided by its length points where it did.
  if (node_->op == "Div" && other.length_of == one.number) {
    normalised_ = true;
    return GiveSame(one);
  }
  if (other.length_of.has_value()) return Unread("takes the length of an embedding");
  if (one.channels_last != other.channels_last || one.flattened != other.flattened) {
    return Unread("joins channels that come first with such that come last");
  }
  if (OnnxShape(one).size() != OnnxShape(other).size()) {
    return Unread(fmt::format("joins the shapes {} and {}", ShapeText(OnnxShape(one)),
                              ShapeText(OnnxShape(other))));
  }
  const bool swapped = one.shape.size() < other.shape.size();
  if (swapped && (node_->op == "Sub" || node_->op == "Div")) {
    return Unread("has a list in front of a map");
  }
  const Value& first = swapped ? other : one;
  const Value& second = swapped ? one : other;
  const auto join = static_cast<Join>(
      std::find(kJoinOperators.begin(), kJoinOperators.end(), node_->op) - kJoinOperators.begin());
  FACEGATE_ASSIGN_OR_RETURN(Extents shape,
                            network::OutputOfJoin(join, {first.shape, second.shape}));
  FACEGATE_RETURN_IF_ERROR(GiveCall({join, {first.number, second.number}}, std::move(shape)));
  Value& output = values_[node_->outputs.front()];
  output.channels_last = one.channels_last;
  output.ones = first.ones;
  output.flattened = one.flattened;
  return OkStatus();
}

Status GraphReader::Concat() {
  network::Call call{.what = Join::kConcat, .inputs = {}};
  std::vector<Extents> shapes;
  FACEGATE_ASSIGN_OR_RETURN(const Value first, Data(0));
  for (size_t i = 0; i < node_->inputs.size(); ++i) {
    FACEGATE_ASSIGN_OR_RETURN(const Value value, Data(i));
    if (value.channels_last || !value.flattened.empty()) return Unread("has channels last");
    if (value.ones != first.ones) return Unread("joins lists of other ranks");
    call.inputs.push_back(value.number);
    shapes.push_back(value.shape);
  }
  const int64_t axis = IntegerOf(*node_, "axis").value_or(1);
  if (axis != 1 && axis != 1 - static_cast<int64_t>(OnnxShape(first).size())) {
    return Unread("joins another axis than the channels");
  }
  if (call.inputs.size() == 1) return Pass();
  FACEGATE_ASSIGN_OR_RETURN(Extents shape, network::OutputOfJoin(Join::kConcat, shapes));
  FACEGATE_RETURN_IF_ERROR(GiveCall(std::move(call), std::move(shape)));
  values_[node_->outputs.front()].ones = first.ones;
  return OkStatus();
}

Status GraphReader::GiveProduct(const Value& input, int64_t in, int64_t out,
                                const std::function<float(int64_t, int64_t)>& at,
                                const Tensor* bias) {
  if (input.shape[0] != in)
    return Unread(fmt::format("takes {} numbers, given are {}", in, input.shape[0]));
  // Where in the list of C·H·W each of its numbers is.
  std::vector<int64_t> places(static_cast<size_t>(in));
  for (int64_t i = 0; i < in; ++i) places[static_cast<size_t>(i)] = i;
  if (const Extents& map = input.flattened; !map.empty()) {
    for (int64_t i = 0; i < in; ++i) {
      places[static_cast<size_t>(i)] = i % map[0] * (map[1] * map[2]) + i / map[0];
    }
  }
  FACEGATE_RETURN_IF_ERROR(Spend(static_cast<size_t>(in)));
  std::vector<float> weight(static_cast<size_t>(in * out));
  for (int64_t o = 0; o < out; ++o) {
    for (int64_t i = 0; i < in; ++i) {
      weight[static_cast<size_t>(o * in + places[static_cast<size_t>(i)])] = at(i, o);
    }
  }
  LayerTensors tensors = {{"weight", FloatTensor({out, in}, weight)}};
  if (bias != nullptr) tensors.emplace_back("bias", *bias);
  return Give(network::Linear{.in = in, .out = out, .bias = bias != nullptr}, input, tensors);
}

Status GraphReader::Gemm() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, List(0));
  FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const weight, Weights(1));
  const bool transposed = IntegerOf(*node_, "transB").value_or(0) != 0;
  const float alpha = RealOf(*node_, "alpha").value_or(1.0F);
  const float beta = RealOf(*node_, "beta").value_or(1.0F);
  if (weight->shape.size() != 2 || weight->size() == 0 ||
      IntegerOf(*node_, "transA").value_or(0) != 0) {
    return Unread("is a product of other shapes");
  }
  const int64_t in = weight->shape[transposed ? 1 : 0];
  const int64_t out = weight->shape[transposed ? 0 : 1];
  std::optional<Tensor> bias;
  if (Has(2)) {
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const numbers, Weights(2));
    std::vector<float> all = numbers->reals;
    if (all.size() == 1) all.resize(static_cast<size_t>(out), all.front());
    if (all.size() != static_cast<size_t>(out)) return Unread("has a bias of another size");
    for (float& one : all) one *= beta;
    bias = FloatTensor({out}, all);
  }
  const auto at = [&](int64_t i, int64_t o) {
    return alpha * weight->reals[static_cast<size_t>(transposed ? o * in + i : i * out + o)];
  };
  return GiveProduct(input, in, out, at, bias.has_value() ? &*bias : nullptr);
}

Status GraphReader::MatMul() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, List(0));
  FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const weight, Weights(1));
  if (weight->shape.size() != 2 || weight->size() == 0) {
    return Unread("is a product of other shapes");
  }
  const int64_t out = weight->shape[1];
  const auto at = [&](int64_t i, int64_t o) {
    return weight->reals[static_cast<size_t>(i * out + o)];
  };
  return GiveProduct(input, weight->shape[0], out, at, nullptr);
}

Status GraphReader::Flatten() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
  const auto rank = static_cast<int64_t>(OnnxShape(input).size());
  const int64_t axis = IntegerOf(*node_, "axis").value_or(1);
  if (axis != 1 && axis != 1 - rank) return Unread("flattens from another axis on");
  return GiveList(input);
}

Status GraphReader::Squeeze() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
  FACEGATE_ASSIGN_OR_RETURN(const auto given, Axes(1));
  const std::vector<int64_t> shape = OnnxShape(input);
  // Without axes, those of all extents of 1: N is none.
  std::vector<int64_t> places;
  const size_t channels = input.channels_last ? shape.size() - 1 : 1;
  for (size_t i = 1; i < shape.size(); ++i) {
    if (i != channels && shape[i] == 1) places.push_back(static_cast<int64_t>(i));
  }
  const auto axes = given.has_value() ? AxesFromZero(*given, shape.size()) : std::optional(places);
  const bool rows_left = input.channels_last && axes != places;
  if (places.size() + 2 != shape.size() || !axes.has_value() || rows_left ||
      !std::includes(places.begin(), places.end(), axes->begin(), axes->end())) {
    return Unread("squeezes the shape " + ShapeText(shape));
  }
  return GiveList(input, places.size() - axes->size());
}

// A list with extents of 1 behind it stays a list here.
Status GraphReader::Unsqueeze() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
  FACEGATE_ASSIGN_OR_RETURN(const auto given, Axes(1));
  const size_t more = given.has_value() ? std::min(given->size(), kMaxConstantRank) : 0;
  const auto axes =
      given.has_value() ? AxesFromZero(*given, OnnxShape(input).size() + more) : std::nullopt;
  if (input.shape.size() != 1 || !input.flattened.empty() || !axes.has_value() || axes->empty() ||
      axes->front() < 2 || input.ones + axes->size() > kMaxOnes) {
    return Unread("puts extents elsewhere than behind the channels");
  }
  return GiveList(input, input.ones + axes->size());
}

Status GraphReader::Reshape() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
  if (!Has(1)) return Unread("has no shape");
  FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const wanted, Constant(node_->inputs[1]));
  if (wanted == nullptr || !wanted->whole) return Unread("has a shape that is not constant");
  if (wanted->size() > kMaxConstantRank) {
    return Unread(fmt::format("makes a value of {} extents", wanted->size()));
  }
  const std::vector<int64_t> from = OnnxShape(input);
  const auto to = ReshapedTo(from, wanted->wholes);
  if (to == from) return GiveSame(input);
  const bool list = to.has_value() && to->size() >= 2 && to->size() <= 2 + kMaxOnes &&
                    (*to)[0] == 1 && (*to)[1] == ElementCount(from);
  if (list) return GiveList(input, to->size() - 2);
  return Unread(fmt::format("makes {} of {}", ShapeText(wanted->wholes), ShapeText(from)));
}

Status GraphReader::Transpose() {
  FACEGATE_ASSIGN_OR_RETURN(Value input, Data(0));
  const auto order = IntegersOf(*node_, "perm");
  const bool to_first = order == std::vector<int64_t>{0, 3, 1, 2};
  const bool to_last = order == std::vector<int64_t>{0, 2, 3, 1};
  if (input.shape.size() != 3 || (input.channels_last ? !to_first : !to_last)) {
    return Unread("transposes into another order than N·C·H·W or N·H·W·C");
  }
  input.channels_last = to_last;
  return GiveSame(input);
}

Status GraphReader::Length() {
  FACEGATE_ASSIGN_OR_RETURN(Value input, List(0));
  FACEGATE_ASSIGN_OR_RETURN(const auto axes, Axes(1));
  const bool of_each = axes.has_value() && AxesFromZero(*axes, 2) == std::vector<int64_t>{1};
  if (!of_each || IntegerOf(*node_, "keepdims").value_or(1) == 0) {
    return Unread("is a length over other axes, or without them");
  }
  input.length_of = input.number;
  return GiveSame(input);
}

Status GraphReader::PassLength() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Any(0));
  if (!input.length_of.has_value()) return Unread("repeats a value");
  return GiveSame(input);
}

Status GraphReader::Unit() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, List(0));
  const int64_t axis = IntegerOf(*node_, "axis").value_or(-1);
  if (IntegerOf(*node_, "p").value_or(2) != 2 || (axis != -1 && axis != 1)) {
    return Unread("is by another length");
  }
  normalised_ = true;
  return GiveSame(input);
}

}  // namespace facegate::onnx_graph
