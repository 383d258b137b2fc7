#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "face/weights/weights.h"
#include "trainer/torchscript/script_trace.h"

namespace facegate::torch_script {
namespace {

using Names = std::vector<std::string>;

Status Unread(std::string_view what) {
  return InvalidArgument(fmt::format("{}, which is not read", what));
}

std::vector<int64_t> ListOf(const c10::IValue& value) {
  if (value.isInt()) return {value.toInt()};
  return value.isIntList() ? value.toIntVector() : std::vector<int64_t>();
}

// Height and width, which may be one number.
std::vector<int64_t> SidesOf(const c10::IValue& value) {
  std::vector<int64_t> sides = ListOf(value);
  if (sides.size() == 1) sides.push_back(sides.front());
  return sides;
}

// Paddings as ONNX has them: top, left, bottom, right.
std::vector<int64_t> Around(const std::vector<int64_t>& padding) {
  std::vector<int64_t> borders = padding;
  borders.insert(borders.end(), padding.begin(), padding.end());
  return borders;
}

std::optional<float> NumberOf(const c10::IValue& value) {
  if (value.isScalar()) return value.toScalar().to<float>();
  return std::nullopt;
}

bool IsTrue(const c10::IValue& value) { return value.isBool() && value.toBool(); }

at::Tensor TensorOf(const c10::IValue& value) {
  return value.isTensor() ? value.toTensor() : at::Tensor();
}

StatusOr<std::string> NameOf(const ScriptCall& call, const char* argument, ScriptTrace& trace) {
  const at::Tensor tensor = TensorOf(call.Argument(argument));
  if (!tensor.defined()) return Unread(fmt::format("has no {}", argument));
  return trace.Name(tensor);
}

// Writes an operator of one input.
Status Give(const ScriptCall& call, const char* op, Attributes attributes, ScriptTrace& trace) {
  FACEGATE_ASSIGN_OR_RETURN(std::string input, NameOf(call, "self", trace));
  trace.Give(op, {std::move(input)}, std::move(attributes), &call.output);
  return OkStatus();
}

Status Convolve(const ScriptCall& call, ScriptTrace& trace) {
  if (IsTrue(call.Argument("transposed"))) return Unread("is transposed");
  FACEGATE_ASSIGN_OR_RETURN(std::string input, NameOf(call, "input", trace));
  FACEGATE_ASSIGN_OR_RETURN(std::string weight, NameOf(call, "weight", trace));
  Names inputs = {std::move(input), std::move(weight)};
  if (const at::Tensor bias = TensorOf(call.Argument("bias")); bias.defined()) {
    FACEGATE_ASSIGN_OR_RETURN(std::string name, trace.Name(bias));
    inputs.push_back(std::move(name));
  }
  Attributes attributes = {{"strides", SidesOf(call.Argument("stride"))},
                           {"dilations", SidesOf(call.Argument("dilation"))},
                           {"group", call.Argument("groups").toInt()}};
  const c10::IValue padding = call.Argument("padding");
  if (padding.isString()) {
    attributes["auto_pad"] = std::string(padding.toStringRef() == "same" ? "SAME_UPPER" : "VALID");
  } else {
    attributes["pads"] = Around(SidesOf(padding));
  }
  trace.Give("Conv", std::move(inputs), std::move(attributes), &call.output);
  return OkStatus();
}

Status Normalise(const ScriptCall& call, ScriptTrace& trace) {
  if (IsTrue(call.Argument("training"))) return Unread("takes the statistics of the batch");
  FACEGATE_ASSIGN_OR_RETURN(std::string input, NameOf(call, "input", trace));
  Names inputs = {std::move(input)};
  const at::Tensor mean = TensorOf(call.Argument("running_mean"));
  for (const char* name : {"weight", "bias", "running_mean", "running_var"}) {
    const at::Tensor numbers = TensorOf(call.Argument(name));
    if (!numbers.defined() && !mean.defined()) return Unread("has no statistics");
    // Without factors and summands of its own.
    const float neutral = inputs.size() == 1 ? 1.0F : 0.0F;
    FACEGATE_ASSIGN_OR_RETURN(
        std::string given,
        numbers.defined()
            ? trace.Name(numbers)
            : trace.Numbers({mean.numel()},
                            std::vector<float>(static_cast<size_t>(mean.numel()), neutral)));
    inputs.push_back(std::move(given));
  }
  trace.Give("BatchNormalization", std::move(inputs),
             {{"epsilon", static_cast<float>(call.Argument("eps").toDouble())}}, &call.output);
  return OkStatus();
}

Status Slopes(const ScriptCall& call, ScriptTrace& trace) {
  FACEGATE_ASSIGN_OR_RETURN(std::string input, NameOf(call, "self", trace));
  const at::Tensor slopes = TensorOf(call.Argument("weight"));
  std::vector<int64_t> shape = slopes.sizes().vec();
  if (slopes.numel() > 1) shape.resize(static_cast<size_t>(call.output.dim()) - 1, 1);
  FACEGATE_ASSIGN_OR_RETURN(std::string weight, trace.Constant(slopes, std::move(shape)));
  trace.Give("PRelu", {std::move(input), std::move(weight)}, {}, &call.output);
  return OkStatus();
}

Status Limit(const ScriptCall& call, ScriptTrace& trace) {
  Attributes attributes;
  for (const auto& [argument, attribute] :
       {std::pair("min", "min"), std::pair("max", "max"), std::pair("min_val", "min"),
        std::pair("max_val", "max")}) {
    const c10::IValue limit = call.Argument(argument);
    if (limit.isNone()) continue;
    const std::optional<float> number = NumberOf(limit);
    if (!number.has_value()) return Unread("has limits that are tensors");
    attributes[attribute] = *number;
  }
  if (call.op == "relu6") attributes = {{"min", 0.0F}, {"max", 6.0F}};
  return Give(call, "Clip", std::move(attributes), trace);
}

Status Leaky(const ScriptCall& call, ScriptTrace& trace) {
  const std::optional<float> slope = NumberOf(call.Argument("negative_slope"));
  return Give(call, "LeakyRelu", {{"alpha", slope.value_or(0.01F)}}, trace);
}

Status Swish(const ScriptCall& call, ScriptTrace& trace) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string input, NameOf(call, "self", trace));
  const std::string gate = trace.Give("Sigmoid", {input}, {}, nullptr);
  trace.Give("Mul", {input, gate}, {}, &call.output);
  return OkStatus();
}

// Sums, differences, products and quotients of two values, or of one and a number.
Status Meet(const ScriptCall& call, ScriptTrace& trace) {
  constexpr std::array<std::pair<std::string_view, const char*>, 5> kOperators = {
      {{"add", "Add"}, {"sub", "Sub"}, {"mul", "Mul"}, {"div", "Div"}, {"rsub", "Sub"}}};
  if (NumberOf(call.Argument("alpha")).value_or(1.0F) != 1.0F) {
    return Unread("takes the second input several times");
  }
  if (!call.Argument("rounding_mode").isNone()) return Unread("rounds");
  Names inputs;
  for (const char* argument : {"self", "other"}) {
    const c10::IValue value = call.Argument(argument);
    const std::optional<float> number = NumberOf(value);
    FACEGATE_ASSIGN_OR_RETURN(std::string name, number.has_value() ? trace.Numbers({}, {*number})
                                                                   : NameOf(call, argument, trace));
    inputs.push_back(std::move(name));
  }
  if (call.op == "rsub") std::swap(inputs[0], inputs[1]);
  const auto* const found = std::find_if(kOperators.begin(), kOperators.end(),
                                         [&](const auto& one) { return one.first == call.op; });
  trace.Give(found->second, std::move(inputs), {}, &call.output);
  return OkStatus();
}

Status Negate(const ScriptCall& call, ScriptTrace& trace) {
  FACEGATE_ASSIGN_OR_RETURN(std::string input, NameOf(call, "self", trace));
  FACEGATE_ASSIGN_OR_RETURN(std::string minus, trace.Numbers({}, {-1.0F}));
  trace.Give("Mul", {std::move(input), std::move(minus)}, {}, &call.output);
  return OkStatus();
}

// A product of a list and a matrix, which may be one of the state dict with rows and columns
// exchanged.
Status Multiply(const at::Tensor& input, const at::Tensor& matrix, bool transposed,
                const at::Tensor& bias, Attributes attributes, const ScriptCall& call,
                ScriptTrace& trace) {
  if (!input.defined() || input.dim() != 2 || !matrix.defined() || matrix.dim() != 2) {
    return Unread("is a product of other shapes");
  }
  const at::Tensor original = trace.TransposeOf(matrix);
  const bool exchanged = transposed != original.defined();
  FACEGATE_ASSIGN_OR_RETURN(std::string list, trace.Name(input));
  FACEGATE_ASSIGN_OR_RETURN(std::string weight, trace.Name(original.defined() ? original : matrix));
  Names inputs = {std::move(list), std::move(weight)};
  if (bias.defined()) {
    FACEGATE_ASSIGN_OR_RETURN(std::string name, trace.Name(bias));
    inputs.push_back(std::move(name));
  }
  attributes["transB"] = int64_t{exchanged ? 1 : 0};
  trace.Give("Gemm", std::move(inputs), std::move(attributes), &call.output);
  return OkStatus();
}

Status Linear(const ScriptCall& call, ScriptTrace& trace) {
  return Multiply(TensorOf(call.Argument("input")), TensorOf(call.Argument("weight")), true,
                  TensorOf(call.Argument("bias")), {}, call, trace);
}

Status AddProduct(const ScriptCall& call, ScriptTrace& trace) {
  return Multiply(TensorOf(call.Argument("mat1")), TensorOf(call.Argument("mat2")), false,
                  TensorOf(call.Argument("self")),
                  {{"alpha", NumberOf(call.Argument("alpha")).value_or(1.0F)},
                   {"beta", NumberOf(call.Argument("beta")).value_or(1.0F)}},
                  call, trace);
}

Status Product(const ScriptCall& call, ScriptTrace& trace) {
  const at::Tensor matrix = TensorOf(call.Argument(call.op == "mm" ? "mat2" : "other"));
  return Multiply(TensorOf(call.Argument("self")), matrix, false, {}, {}, call, trace);
}

// What gives a value another shape; its numbers stay in their order.
Status Reshape(const ScriptCall& call, ScriptTrace& trace) {
  FACEGATE_ASSIGN_OR_RETURN(std::string input, NameOf(call, "self", trace));
  trace.Give("Reshape", {std::move(input), trace.Whole(call.output.sizes().vec())}, {},
             &call.output);
  return OkStatus();
}

Status Transpose(const ScriptCall& call, ScriptTrace& trace) {
  const int64_t rank = call.output.dim();
  const auto from_zero = [rank](int64_t axis) { return axis < 0 ? axis + rank : axis; };
  std::vector<int64_t> order = ListOf(call.Argument("dims"));
  if (order.empty()) {
    for (int64_t i = 0; i < rank; ++i) order.push_back(i);
    const bool named = call.op == "transpose";
    const int64_t first = named ? call.Argument("dim0").toInt() : 0;
    const int64_t second = named ? call.Argument("dim1").toInt() : rank - 1;
    std::swap(order.at(static_cast<size_t>(from_zero(first))),
              order.at(static_cast<size_t>(from_zero(second))));
  }
  std::transform(order.begin(), order.end(), order.begin(), from_zero);
  return Give(call, "Transpose", {{"perm", std::move(order)}}, trace);
}

Status Mean(const ScriptCall& call, ScriptTrace& trace) {
  const std::vector<int64_t> axes = ListOf(call.Argument("dim"));
  if (axes.empty()) return Unread("is a mean of all numbers");
  return Give(call, "ReduceMean",
              {{"axes", axes}, {"keepdims", int64_t{IsTrue(call.Argument("keepdim")) ? 1 : 0}}},
              trace);
}

Status MeanTo(const ScriptCall& call, ScriptTrace& trace) {
  const at::Tensor input = TensorOf(call.Argument("self"));
  if (input.dim() != 4) return Unread("is of another shape than N·C·H·W");
  std::vector<int64_t> kernel;
  for (const int64_t axis : {2, 3}) {
    if (input.size(axis) % call.output.size(axis) != 0) return Unread("has windows that overlap");
    kernel.push_back(input.size(axis) / call.output.size(axis));
  }
  if (call.output.size(2) == 1 && call.output.size(3) == 1) {
    return Give(call, "GlobalAveragePool", {}, trace);
  }
  return Give(call, "AveragePool", {{"kernel_shape", kernel}, {"strides", kernel}}, trace);
}

Status Pool(const ScriptCall& call, ScriptTrace& trace) {
  const std::vector<int64_t> kernel = SidesOf(call.Argument("kernel_size"));
  std::vector<int64_t> stride = SidesOf(call.Argument("stride"));
  if (stride.empty()) stride = kernel;
  Attributes attributes = {{"kernel_shape", kernel},
                           {"strides", stride},
                           {"pads", Around(SidesOf(call.Argument("padding")))},
                           {"ceil_mode", int64_t{IsTrue(call.Argument("ceil_mode")) ? 1 : 0}}};
  if (call.op == "max_pool2d") {
    attributes["dilations"] = SidesOf(call.Argument("dilation"));
    return Give(call, "MaxPool", std::move(attributes), trace);
  }
  if (!call.Argument("divisor_override").isNone()) return Unread("divides by another number");
  attributes["count_include_pad"] = int64_t{IsTrue(call.Argument("count_include_pad")) ? 1 : 0};
  return Give(call, "AveragePool", std::move(attributes), trace);
}

Status Concat(const ScriptCall& call, ScriptTrace& trace) {
  Names inputs;
  for (const at::Tensor& tensor : call.Argument("tensors").toTensorVector()) {
    FACEGATE_ASSIGN_OR_RETURN(std::string name, trace.Name(tensor));
    inputs.push_back(std::move(name));
  }
  trace.Give("Concat", std::move(inputs), {{"axis", call.Argument("dim").toInt()}}, &call.output);
  return OkStatus();
}

Status PadBorders(const ScriptCall& call, ScriptTrace& trace) {
  const c10::IValue mode = call.Argument("mode");
  std::vector<int64_t> pad = ListOf(call.Argument("pad"));
  pad.resize(std::max<size_t>(pad.size(), 4));
  // The last extent's come first there.
  if (pad.size() != 4 || (mode.isString() && mode.toStringRef() != "constant")) {
    return Unread("pads otherwise than by a number around a map");
  }
  return Give(call, "Pad",
              {{"pads", std::vector<int64_t>{0, 0, pad[2], pad[0], 0, 0, pad[3], pad[1]}},
               {"value", NumberOf(call.Argument("value")).value_or(0.0F)}},
              trace);
}

Status Length(const ScriptCall& call, ScriptTrace& trace) {
  const c10::IValue given = call.Argument("p");
  const c10::IValue kind = given.isNone() ? call.Argument("ord") : given;
  const std::vector<int64_t> axes = ListOf(call.Argument("dim"));
  if ((!kind.isNone() && NumberOf(kind) != 2.0F) || axes.empty()) {
    return Unread("is another length than Euclid's of each list");
  }
  return Give(call, "ReduceL2",
              {{"axes", axes}, {"keepdims", int64_t{IsTrue(call.Argument("keepdim")) ? 1 : 0}}},
              trace);
}

Status Drop(const ScriptCall& call, ScriptTrace& trace) {
  if (IsTrue(call.Argument("train"))) return Unread("drops numbers");
  // Its name is "self" where the input is changed.
  FACEGATE_ASSIGN_OR_RETURN(std::string input, trace.Name(call.inputs.at(0).toTensor()));
  trace.Give("Identity", {std::move(input)}, {}, &call.output);
  return OkStatus();
}

template <const char* const& kOp>
Status Plain(const ScriptCall& call, ScriptTrace& trace) {
  return Give(call, kOp, {}, trace);
}

constexpr const char* kRelu = "Relu";
constexpr const char* kSigmoid = "Sigmoid";
constexpr const char* kIdentity = "Identity";
constexpr const char* kExpand = "Expand";

using Writer = Status (*)(const ScriptCall&, ScriptTrace&);

const std::map<std::string_view, Writer>& Writers() {
  static const std::map<std::string_view, Writer> writers = {
      {"_convolution", &Convolve},
      {"conv2d", &Convolve},
      {"batch_norm", &Normalise},
      {"prelu", &Slopes},
      {"relu", &Plain<kRelu>},
      {"relu6", &Limit},
      {"hardtanh", &Limit},
      {"clamp", &Limit},
      {"clamp_min", &Limit},
      {"clamp_max", &Limit},
      {"leaky_relu", &Leaky},
      {"sigmoid", &Plain<kSigmoid>},
      {"silu", &Swish},
      {"add", &Meet},
      {"sub", &Meet},
      {"rsub", &Meet},
      {"mul", &Meet},
      {"div", &Meet},
      {"neg", &Negate},
      {"linear", &Linear},
      {"addmm", &AddProduct},
      {"matmul", &Product},
      {"mm", &Product},
      {"flatten", &Reshape},
      {"view", &Reshape},
      {"_unsafe_view", &Reshape},
      {"reshape", &Reshape},
      {"squeeze", &Reshape},
      {"unsqueeze", &Reshape},
      {"permute", &Transpose},
      {"transpose", &Transpose},
      {"t", &Transpose},
      {"mean", &Mean},
      {"adaptive_avg_pool2d", &MeanTo},
      {"avg_pool2d", &Pool},
      {"max_pool2d", &Pool},
      {"cat", &Concat},
      {"constant_pad_nd", &PadBorders},
      {"pad", &PadBorders},
      {"norm", &Length},
      {"linalg_vector_norm", &Length},
      {"expand", &Plain<kExpand>},
      {"expand_as", &Plain<kExpand>},
      {"dropout", &Drop},
      {"feature_dropout", &Drop},
      {"contiguous", &Plain<kIdentity>},
      {"clone", &Plain<kIdentity>},
      {"detach", &Plain<kIdentity>},
      {"to", &Plain<kIdentity>},
  };
  return writers;
}

}  // namespace

bool IsWritten(std::string_view op) { return Writers().contains(op); }

Status WriteOperator(const ScriptCall& call, ScriptTrace& trace) {
  if (call.output.scalar_type() != at::kFloat) {
    return Unread("computes with other numbers than those of 32 bits");
  }
  if (call.output.numel() == 0) return Unread("gives a value without numbers");
  return Writers().at(call.op)(call, trace);
}

}  // namespace facegate::torch_script
