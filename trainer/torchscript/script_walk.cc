#include "trainer/torchscript/script_walk.h"

#include <ATen/ExpandUtils.h>
#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "face/weights/quote.h"
#include "face/weights/weights.h"

namespace facegate::torch_script {
namespace {

namespace jit = torch::jit;

constexpr size_t kMostSteps = 1 << 18;  // a network of a thousand layers has some 30,000
constexpr size_t kMostElements = 4096;  // of a list
constexpr std::string_view kAten = "aten::";

// What is asked of a value that depends on the picture, and does not depend on its numbers.
bool AsksForShape(std::string_view op) {
  static const std::set<std::string_view> ops = {
      "aten::size",        "aten::dim",    "aten::numel",
      "aten::len",         "aten::__is__", "aten::__isnot__",
      "aten::__getitem__", "aten::append", "aten::is_floating_point",
      "prim::dtype",       "prim::device", "prim::layout",
      "prim::is_cuda",     "prim::type"};
  return ops.contains(op);
}

// What is computed of numbers, texts, lists and constant tensors.
bool IsPlain(std::string_view op) {
  static const std::set<std::string_view> ops = {"aten::add",
                                                 "aten::sub",
                                                 "aten::mul",
                                                 "aten::div",
                                                 "aten::neg",
                                                 "aten::floordiv",
                                                 "aten::remainder",
                                                 "aten::floor_divide",
                                                 "aten::floor",
                                                 "aten::ceil",
                                                 "aten::sqrt",
                                                 "aten::rsqrt",
                                                 "aten::eq",
                                                 "aten::ne",
                                                 "aten::lt",
                                                 "aten::le",
                                                 "aten::gt",
                                                 "aten::ge",
                                                 "aten::__not__",
                                                 "aten::__and__",
                                                 "aten::__or__",
                                                 "aten::Int",
                                                 "aten::Float",
                                                 "aten::Bool",
                                                 "aten::item",
                                                 "aten::IntImplicit",
                                                 "aten::FloatImplicit",
                                                 "aten::ScalarImplicit",
                                                 "aten::slice",
                                                 "aten::list",
                                                 "aten::t",
                                                 "aten::transpose",
                                                 "aten::permute",
                                                 "aten::view",
                                                 "aten::reshape",
                                                 "aten::flatten",
                                                 "aten::unsqueeze",
                                                 "aten::squeeze",
                                                 "aten::contiguous",
                                                 "aten::detach",
                                                 "aten::to",
                                                 "aten::clone",
                                                 "aten::__contains__",
                                                 "prim::NumToTensor",
                                                 "prim::min",
                                                 "prim::max"};
  return AsksForShape(op) || ops.contains(op);
}

Status Unread(std::string_view what) {
  return InvalidArgument(fmt::format("{}, which is not read", what));
}

// These give tensors that lie on the numbers of what they are given.
bool GivesAView(std::string_view op) {
  static const std::set<std::string_view> ops = {"aten::t",      "aten::transpose", "aten::permute",
                                                 "aten::view",   "aten::unsqueeze", "aten::squeeze",
                                                 "aten::detach", "aten::slice"};
  return AsksForShape(op) || ops.contains(op);
}

// Makes rows of a matrix columns.
bool ExchangesRows(std::string_view op, const std::vector<c10::IValue>& inputs) {
  if ((op != "aten::t" && op != "aten::transpose") || inputs.at(0).toTensor().dim() != 2) {
    return false;
  }
  return op == "aten::t" || (inputs.at(1).toInt() - inputs.at(2).toInt()) % 2 != 0;
}

// "relu_" is the relu that changes its input.
std::string_view NameIn(std::string_view op) {
  op.remove_prefix(std::min(op.size(), kAten.size()));
  if (op.ends_with('_') && !op.ends_with("__")) op.remove_suffix(1);
  return op;
}

}  // namespace

StatusOr<c10::IValue> ScriptWalk::Run(const jit::Graph& graph,
                                      const std::vector<c10::IValue>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) known_[graph.inputs().at(i)] = inputs[i];
  FACEGATE_RETURN_IF_ERROR(Follow(*graph.block()));
  if (graph.outputs().empty()) return InvalidArgument("forward() returns nothing");
  return Known(graph.outputs().at(0));
}

Status ScriptWalk::Follow(const jit::Block& block) {
  for (const Node* const node : block.nodes()) {
    if (++steps_ > kMostSteps) return InvalidArgument("forward() does more than networks do");
    if (const Status status = Step(*node); !status.ok()) {
      return Annotate(status, fmt::format("operator {}", node->kind().toQualString()));
    }
  }
  return OkStatus();
}

Status ScriptWalk::Step(const Node& node) {
  using Handler = Status (ScriptWalk::*)(const Node&);
  static const std::map<std::string_view, Handler> handlers = {
      {"prim::Constant", &ScriptWalk::Constant},
      {"prim::GetAttr", &ScriptWalk::Attribute},
      {"prim::If", &ScriptWalk::Condition},
      {"prim::Loop", &ScriptWalk::Loop},
      {"prim::ListConstruct", &ScriptWalk::MakeList},
      {"prim::TupleConstruct", &ScriptWalk::MakeTuple},
      {"prim::ListUnpack", &ScriptWalk::Unpack},
      {"prim::TupleUnpack", &ScriptWalk::Unpack},
      {"prim::unchecked_cast", &ScriptWalk::Pass},
      {"prim::unchecked_unwrap_optional", &ScriptWalk::Pass},
      {"aten::_unwrap_optional", &ScriptWalk::Pass},
      {"aten::format", &ScriptWalk::Skip},
      {"aten::warn", &ScriptWalk::Skip},
      {"prim::Print", &ScriptWalk::Skip},
      {"prim::Uninitialized", &ScriptWalk::Skip},
      {"prim::RaiseException", &ScriptWalk::Raise},
  };
  const auto handler = handlers.find(node.kind().toQualString());
  return handler != handlers.end() ? (this->*handler->second)(node) : Apply(node);
}

std::vector<c10::IValue> ScriptWalk::Inputs(const Node& node) const {
  std::vector<c10::IValue> inputs;
  for (const jit::Value* const input : node.inputs()) inputs.push_back(Known(input));
  return inputs;
}

Status ScriptWalk::Give(const Node& node, std::vector<c10::IValue> outputs) {
  if (outputs.size() != node.outputs().size()) return Unread("gives another number of values");
  for (size_t i = 0; i < outputs.size(); ++i) known_[node.outputs()[i]] = std::move(outputs[i]);
  return OkStatus();
}

Status ScriptWalk::Constant(const Node& node) {
  // Functions, whose calls are inlined, are none.
  const auto value = jit::toIValue(node.output());
  return Give(node, {value.has_value() ? *value : c10::IValue()});
}

Status ScriptWalk::Attribute(const Node& node) {
  return Give(node, {Known(node.input()).toObjectRef().getAttr(node.s(c10::attr::name))});
}

Status ScriptWalk::Condition(const Node& node) {
  const jit::Block& block = *node.blocks().at(Known(node.input()).toBool() ? 0 : 1);
  // What is said of a node in it names that one.
  FACEGATE_RETURN_IF_ERROR(Follow(block));
  std::vector<c10::IValue> outputs;
  for (const jit::Value* const output : block.outputs()) outputs.push_back(Known(output));
  return Give(node, std::move(outputs));
}

Status ScriptWalk::Loop(const Node& node) {
  const jit::Block& block = *node.blocks().at(0);
  std::vector<c10::IValue> carried = Inputs(node);
  const int64_t most = carried.at(0).toInt();
  bool goes_on = carried.at(1).toBool();
  carried.erase(carried.begin(), carried.begin() + 2);
  for (int64_t i = 0; goes_on && i < most; ++i) {
    if (++steps_ > kMostSteps) return Unread("goes on for too long");
    known_[block.inputs().at(0)] = i;
    for (size_t k = 0; k < carried.size(); ++k) known_[block.inputs().at(k + 1)] = carried[k];
    FACEGATE_RETURN_IF_ERROR(Follow(block));
    goes_on = Known(block.outputs().at(0)).toBool();
    for (size_t k = 0; k < carried.size(); ++k) carried[k] = Known(block.outputs().at(k + 1));
  }
  return Give(node, std::move(carried));
}

Status ScriptWalk::MakeList(const Node& node) {
  c10::impl::GenericList list(node.output()->type()->containedType(0));
  for (c10::IValue& value : Inputs(node)) list.push_back(std::move(value));
  return Give(node, {c10::IValue(std::move(list))});
}

Status ScriptWalk::MakeTuple(const Node& node) {
  return Give(node, {c10::ivalue::Tuple::create(Inputs(node))});
}

Status ScriptWalk::Unpack(const Node& node) {
  const c10::IValue& whole = Known(node.input());
  if (whole.isTuple()) {
    const auto& elements = whole.toTupleRef().elements();
    return Give(node, std::vector<c10::IValue>(elements.begin(), elements.end()));
  }
  return Give(node, whole.toListRef().vec());
}

Status ScriptWalk::Pass(const Node& node) { return Give(node, {Known(node.inputs().at(0))}); }

// Texts are for messages alone.
Status ScriptWalk::Skip(const Node& node) {
  const bool text =
      node.outputs().size() == 1 && node.output()->type()->kind() == c10::TypeKind::StringType;
  return Give(node, std::vector<c10::IValue>(node.outputs().size(),
                                             text ? c10::IValue("") : c10::IValue()));
}

Status ScriptWalk::Raise(const Node& node) {
  const c10::IValue& text = Known(node.inputs().at(0));
  return Unread(fmt::format("refuses the picture: {}",
                            text.isString() ? Quote(text.toStringRef()) : std::string("\"\"")));
}

Status ScriptWalk::SpendOn(std::string_view op, const std::vector<c10::IValue>& inputs) {
  std::vector<int64_t> shape;
  for (const c10::IValue& input : inputs) {
    // Sums and products of lists and texts are longer than these are.
    const bool longer = op == "aten::add" || op == "aten::mul";
    if (longer && (input.isList() || input.isString())) {
      return Unread("is of lists or texts");
    }
    if (input.isList() && input.toListRef().size() > kMostElements) {
      return Unread("has a long list");
    }
    if (!input.isTensor()) continue;
    shape = at::infer_size(shape, input.toTensor().sizes());
  }
  const std::optional<int64_t> numbers = ElementCount(shape);
  if (!numbers.has_value() || static_cast<size_t>(*numbers) > numbers_left_) {
    return Unread("computes more numbers of constants than networks do");
  }
  if (!GivesAView(op) && !shape.empty()) numbers_left_ -= static_cast<size_t>(*numbers);
  return OkStatus();
}

Status ScriptWalk::NoteChanges(const Node& node, const std::vector<c10::IValue>& inputs) {
  const auto& arguments = node.schema().arguments();
  for (size_t i = 0; i < std::min(arguments.size(), inputs.size()); ++i) {
    const auto* const alias = arguments[i].alias_info();
    if (alias == nullptr || !alias->isWrite() || !inputs[i].isTensor()) continue;
    FACEGATE_RETURN_IF_ERROR(trace_.NoteChange(inputs[i].toTensor()));
  }
  return OkStatus();
}

Status ScriptWalk::Apply(const Node& node) {
  const std::string_view op = node.kind().toQualString();
  const std::vector<c10::IValue> inputs = Inputs(node);
  const bool follows = std::any_of(inputs.begin(), inputs.end(), [this](const c10::IValue& input) {
    return trace_.Follows(input);
  });
  const bool written = follows && op.starts_with(kAten) && IsWritten(NameIn(op));
  if (!written && !(follows ? AsksForShape(op) : IsPlain(op))) {
    return Unread("is another operator than those known here");
  }
  if (!follows) FACEGATE_RETURN_IF_ERROR(SpendOn(op, inputs));
  if (written) FACEGATE_RETURN_IF_ERROR(NoteChanges(node, inputs));
  jit::Stack stack(inputs.begin(), inputs.end());
  node.getOperation()(stack);
  if (written) {
    if (stack.size() != 1 || !stack[0].isTensor()) return Unread("gives several values");
    const ScriptCall call{
        .op = NameIn(op), .schema = node.schema(), .inputs = inputs, .output = stack[0].toTensor()};
    FACEGATE_RETURN_IF_ERROR(WriteOperator(call, trace_));
  } else if (!follows && ExchangesRows(op, inputs)) {
    trace_.NoteTransposed(stack.at(0).toTensor(), inputs[0].toTensor());
  }
  return Give(node, std::vector<c10::IValue>(stack.begin(), stack.end()));
}

}  // namespace facegate::torch_script
