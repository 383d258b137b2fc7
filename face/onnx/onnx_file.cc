#include "face/onnx/onnx_file.h"

#include <fmt/format.h>

#include <climits>
#include <cstdint>
#include <utility>

#include "face/base/file_kind.h"
#include "face/base/utf8.h"
#include "face/onnx/external_data.h"
#include "face/onnx/field_count.h"
#include "face/onnx/tensor_proto.h"
#include "face/weights/quote.h"
#include "onnx/model.pb.h"

namespace facegate {
namespace {

constexpr std::string_view kOwnDomain = "ai.onnx";  // another name of ""

// AttributeProto.type.
enum AttributeType : int32_t {
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraph = 5,
  kFloats = 6,
  kInts = 7,
  kStrings = 8,
  kGraphs = 10,
};

Status Broken(std::string_view what) { return InvalidArgument(fmt::format("ONNX: {}", what)); }

std::string DomainOf(const std::string& domain) { return domain == kOwnDomain ? "" : domain; }

StatusOr<OnnxAttribute> AttributeFrom(onnx::AttributeProto& proto, ExternalData& external) {
  switch (proto.type()) {
    case kFloat:
      return proto.f();
    case kInt:
      return int64_t{proto.i()};
    case kString:
      return std::move(*proto.mutable_s());
    case kTensor: {
      FACEGATE_ASSIGN_OR_RETURN(Tensor tensor, TensorFromProto(*proto.mutable_t(), external));
      return tensor;
    }
    case kFloats:
      return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case kInts:
      return std::vector<int64_t>(proto.ints().begin(), proto.ints().end());
    case kStrings:
      return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case kGraph:
    case kGraphs:
      return InvalidArgument("holds a graph, and operators that do are not read");
    default:
      return InvalidArgument(
          fmt::format("is of attribute type {}, which is not read", proto.type()));
  }
}

StatusOr<OnnxNode> NodeFrom(onnx::NodeProto& proto, ExternalData& external) {
  OnnxNode node{.op = proto.op_type(),
                .domain = DomainOf(proto.domain()),
                .name = proto.name(),
                .inputs = {proto.input().begin(), proto.input().end()},
                .outputs = {proto.output().begin(), proto.output().end()}};
  const auto where = [&node] {
    return fmt::format("ONNX: operator {} (node {})", Quote(node.op), Quote(node.name));
  };
  if (node.op.empty() || node.outputs.empty()) {
    return Annotate(InvalidArgument("has no type or no output"), where());
  }
  for (onnx::AttributeProto& attribute : *proto.mutable_attribute()) {
    StatusOr<OnnxAttribute> value = AttributeFrom(attribute, external);
    if (!value.ok()) {
      return Annotate(Annotate(value.status(), fmt::format("{}", Quote(attribute.name()))),
                      where());
    }
    if (!node.attributes.emplace(attribute.name(), *std::move(value)).second) {
      return Annotate(InvalidArgument(fmt::format("{} stands twice", Quote(attribute.name()))),
                      where());
    }
  }
  return node;
}

OnnxValue ValueFrom(const onnx::ValueInfoProto& proto) {
  OnnxValue value{.name = proto.name()};
  if (!proto.type().has_tensor_type()) return value;
  const onnx::TypeProto::Tensor& type = proto.type().tensor_type();
  value.dtype = DTypeOfOnnx(type.elem_type());
  if (!type.has_shape()) return value;
  value.shape.emplace();
  for (const onnx::TensorShapeProto::Dimension& extent : type.shape().dim()) {
    const bool fixed = extent.value_case() == onnx::TensorShapeProto::Dimension::kDimValue;
    value.shape->push_back(fixed ? OnnxExtent(extent.dim_value()) : OnnxExtent(extent.dim_param()));
  }
  return value;
}

Status TakeInitializers(onnx::GraphProto& graph, ExternalData& external, TensorMap& tensors) {
  for (onnx::TensorProto& proto : *graph.mutable_initializer()) {
    if (proto.name().empty() || !IsUtf8(proto.name())) {
      return Broken(fmt::format("an initializer has the name {}", Quote(proto.name())));
    }
    StatusOr<Tensor> tensor = TensorFromProto(proto, external);
    if (!tensor.ok()) {
      return Annotate(tensor.status(), fmt::format("ONNX: initializer {}", Quote(proto.name())));
    }
    if (!tensors.emplace(proto.name(), *std::move(tensor)).second) {
      return Broken(fmt::format("initializer {} stands twice", Quote(proto.name())));
    }
  }
  return OkStatus();
}

void AttributeToProto(const std::string& name, OnnxAttribute value, onnx::AttributeProto& proto) {
  struct Setter {
    void operator()(float number) const {
      proto.set_f(number);
      proto.set_type(kFloat);
    }
    void operator()(int64_t number) const {
      proto.set_i(number);
      proto.set_type(kInt);
    }
    void operator()(std::string& text) const {
      proto.set_s(std::move(text));
      proto.set_type(kString);
    }
    void operator()(Tensor& tensor) const {
      TensorToProto(std::move(tensor), *proto.mutable_t());
      proto.set_type(kTensor);
    }
    void operator()(const std::vector<float>& numbers) const {
      *proto.mutable_floats() = {numbers.begin(), numbers.end()};
      proto.set_type(kFloats);
    }
    void operator()(const std::vector<int64_t>& numbers) const {
      *proto.mutable_ints() = {numbers.begin(), numbers.end()};
      proto.set_type(kInts);
    }
    void operator()(std::vector<std::string>& texts) const {
      for (std::string& text : texts) proto.add_strings(std::move(text));
      proto.set_type(kStrings);
    }
    onnx::AttributeProto& proto;
  };
  proto.set_name(name);
  std::visit(Setter{proto}, value);
}

void NodeToProto(OnnxNode node, onnx::NodeProto& proto) {
  for (std::string& input : node.inputs) proto.add_input(std::move(input));
  for (std::string& output : node.outputs) proto.add_output(std::move(output));
  proto.set_name(node.name);
  proto.set_op_type(node.op);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  for (auto& [name, value] : node.attributes) {
    AttributeToProto(name, std::move(value), *proto.add_attribute());
  }
}

void ValueToProto(const OnnxValue& value, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  if (!value.dtype) return;
  onnx::TypeProto::Tensor& type = *proto.mutable_type()->mutable_tensor_type();
  type.set_elem_type(OnnxTypeOf(*value.dtype));
  if (!value.shape) return;
  type.mutable_shape();
  for (const OnnxExtent& extent : *value.shape) {
    onnx::TensorShapeProto::Dimension& dimension = *type.mutable_shape()->add_dim();
    if (const auto* const number = std::get_if<int64_t>(&extent)) {
      dimension.set_dim_value(*number);
    } else if (const std::string& name = std::get<std::string>(extent); !name.empty()) {
      dimension.set_dim_param(name);
    }
  }
}

}  // namespace

StatusOr<OnnxModel> ParseOnnx(std::string_view bytes, const std::string& folder) {
  if (bytes.size() > INT_MAX) {
    return Broken(fmt::format("a model of {} bytes, limit is 2 GiB", bytes.size()));
  }
  FACEGATE_RETURN_IF_ERROR(CheckOnnxFields(bytes));
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Broken("the model is broken: a field does not have its type");
  }
  if (proto.ir_version() < 1 || !proto.has_graph()) {
    return Broken("the file is no model: it has no IR version or no graph");
  }
  onnx::GraphProto& graph = *proto.mutable_graph();
  if (graph.sparse_initializer_size() > 0) {
    return Broken("the graph has sparse tensors, which are not read");
  }
  OnnxModel model{.ir_version = proto.ir_version(),
                  .opsets = {},
                  .producer = proto.producer_name(),
                  .name = graph.name()};
  for (const onnx::OperatorSetIdProto& opset : proto.opset_import()) {
    model.opsets[DomainOf(opset.domain())] = opset.version();
  }
  for (onnx::StringStringEntryProto& entry : *proto.mutable_metadata_props()) {
    model.metadata.insert_or_assign(entry.key(), std::move(*entry.mutable_value()));
  }
  ExternalData external(folder);
  FACEGATE_RETURN_IF_ERROR(TakeInitializers(graph, external, model.initializers));
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    FACEGATE_ASSIGN_OR_RETURN(OnnxNode read, NodeFrom(node, external));
    model.nodes.push_back(std::move(read));
  }
  for (const onnx::ValueInfoProto& input : graph.input()) {
    // Before IR version 4 each initializer is an input, too.
    if (!model.initializers.contains(input.name())) model.inputs.push_back(ValueFrom(input));
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    model.outputs.push_back(ValueFrom(output));
  }
  return model;
}

StatusOr<std::string> SerializeOnnx(OnnxModel model) {
  uint64_t numbers = 0;
  for (const auto& [name, tensor] : model.initializers) numbers += tensor.bytes.size();
  const auto too_large = [](uint64_t bytes) {
    return Broken(
        fmt::format("a model of {} bytes, and protocol buffers hold less than 2 GiB: a "
                    ".safetensors has no such limit",
                    bytes));
  };
  if (numbers > INT_MAX) return too_large(numbers);
  onnx::ModelProto proto;
  proto.set_ir_version(model.ir_version);
  proto.set_producer_name(model.producer);
  for (const auto& [domain, version] : model.opsets) {
    onnx::OperatorSetIdProto& opset = *proto.add_opset_import();
    opset.set_domain(domain);
    opset.set_version(version);
  }
  onnx::GraphProto& graph = *proto.mutable_graph();
  graph.set_name(model.name);
  for (OnnxNode& node : model.nodes) NodeToProto(std::move(node), *graph.add_node());
  for (auto& [name, tensor] : model.initializers) {
    onnx::TensorProto& initializer = *graph.add_initializer();
    initializer.set_name(name);
    TensorToProto(std::move(tensor), initializer);
  }
  for (const OnnxValue& input : model.inputs) ValueToProto(input, *graph.add_input());
  for (const OnnxValue& output : model.outputs) ValueToProto(output, *graph.add_output());
  for (const auto& [key, value] : model.metadata) {
    onnx::StringStringEntryProto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  const uint64_t bytes = proto.ByteSizeLong();
  if (bytes > INT_MAX) return too_large(bytes);
  return proto.SerializeAsString();
}

bool LooksLikeOnnx(std::string_view bytes) {
  return FileKindName(bytes.substr(0, kFileKindBytes)) == "an ONNX model";
}

}  // namespace facegate
