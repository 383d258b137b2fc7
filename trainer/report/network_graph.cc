#include "trainer/report/network_graph.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "face/network/layer_fields.h"
#include "face/network/output_shape.h"
#include "face/network/tensor_list.h"
#include "tensorboard/graph.pb.h"

namespace facegate::report {
namespace {

using network::Extents;

// "batch norm" becomes "BatchNorm".
std::string OperationOf(std::string_view kind) {
  std::string operation;
  bool begins = true;
  for (const char letter : kind) {
    if (letter == ' ') {
      begins = true;
      continue;
    }
    const auto plain = static_cast<unsigned char>(letter);
    operation.push_back(begins ? static_cast<char>(std::toupper(plain)) : letter);
    begins = false;
  }
  return operation;
}

// Dots part groups in a state dict, slashes part scopes.
std::string ScopeOf(std::string_view name) {
  std::string scope;
  for (const char letter : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-';
    scope.push_back(letter == '.' ? '/' : plain ? letter : '_');
  }
  return scope;
}

std::string Within(const std::string& scope, std::string_view name) {
  return scope.empty() ? ScopeOf(name) : scope + "/" + ScopeOf(name);
}

tensorboard::AttrValue& Attribute(tensorboard::NodeDef& node, const char* key) {
  tensorboard::NamedValue& attribute = *node.add_attr();
  attribute.set_key(key);
  return *attribute.mutable_value();
}

// An Io of layer_fields.h: fields become attributes.
class AttributeWriter {
 public:
  explicit AttributeWriter(tensorboard::NodeDef& node) : node_(node) {}

  void Number(const char* name, int64_t value, int64_t /*least*/, int64_t /*most*/) {
    Attribute(node_, name).set_i(value);
  }
  void Numbers(const char* name, std::initializer_list<int64_t*> values, int64_t /*least*/,
               int64_t /*most*/) {
    tensorboard::AttrValue::ListValue& list = *Attribute(node_, name).mutable_list();
    for (const int64_t* value : values) list.add_i(*value);
  }
  void Real(const char* name, double value, double /*least*/, double /*most*/) {
    Attribute(node_, name).set_f(static_cast<float>(value));
  }
  void Truth(const char* name, bool value) { Attribute(node_, name).set_b(value); }
  void Layers(const char* /*name*/, const std::vector<network::Layer>& /*layers*/, bool /*dots*/) {}
  void Calls(const char* /*name*/, const std::vector<network::Call>& /*calls*/) {}
  void Divides(const char* /*name*/, int64_t /*whole*/, int64_t /*part*/) {}
  void Require(const char* /*name*/, bool /*fits*/) {}

 private:
  tensorboard::NodeDef& node_;
};

// What a node gives.
struct Value {
  std::string node;
  Extents extents;
};

// Follows a picture through a network, and writes a node for each step.
class GraphWalk {
 public:
  explicit GraphWalk(tensorboard::GraphDef& graph) : graph_(graph) {}

  Value Input(const network::Input& input) {
    Value value{.node = {}, .extents = {input.channels, input.height, input.width}};
    value.node = Append("input", "Placeholder", {}, value.extents).name();
    return value;
  }

  StatusOr<Value> EnterEach(const std::string& scope, const std::vector<network::Layer>& layers,
                            Value value) {
    for (const network::Layer& layer : layers) {
      FACEGATE_ASSIGN_OR_RETURN(value, Enter(scope, layer, value));
    }
    return value;
  }

 private:
  StatusOr<Value> Enter(const std::string& scope, const network::Layer& layer, const Value& input) {
    const std::string name = Within(scope, layer.name);
    if (const auto* const chain = std::get_if<network::Chain>(&layer.kind)) {
      return EnterEach(name, chain->layers, input);
    }
    if (const auto* const residual = std::get_if<network::Residual>(&layer.kind)) {
      FACEGATE_ASSIGN_OR_RETURN(const Value branch, EnterEach(name, residual->layers, input));
      FACEGATE_ASSIGN_OR_RETURN(const Value past, EnterEach(name, residual->shortcut, input));
      return Meet(name, network::Join::kAdd, {branch, past});
    }
    if (const auto* const graph = std::get_if<network::Graph>(&layer.kind)) {
      return EnterCalls(name, *graph, input);
    }
    return Call(name, layer, input);
  }

  StatusOr<Value> Call(const std::string& name, const network::Layer& layer, const Value& input) {
    FACEGATE_ASSIGN_OR_RETURN(Extents extents, network::OutputOf(layer.kind, input.extents));
    tensorboard::NodeDef& node =
        Append(name, OperationOf(network::kKindNames[layer.kind.index()]), {input.node}, extents);
    const int64_t count = network::CountParameters(network::TensorsOf(layer));
    if (count > 0 && counted_.insert(&layer).second) Attribute(node, "parameters").set_i(count);
    AttributeWriter writer(node);
    network::LayerKind kind = layer.kind;  // Fields() takes what a reader could change
    std::visit([&](auto& fields) { Fields(writer, fields); }, kind);
    return Value{.node = node.name(), .extents = std::move(extents)};
  }

  StatusOr<Value> EnterCalls(const std::string& scope, const network::Graph& graph,
                             const Value& input) {
    // Refuses calls of what is not there.
    FACEGATE_RETURN_IF_ERROR(network::ValuesOf(graph, input.extents).status());
    std::vector<Value> values = {input};
    for (const network::Call& call : graph.calls) {
      if (const auto* const number = std::get_if<size_t>(&call.what)) {
        FACEGATE_ASSIGN_OR_RETURN(Value value,
                                  Enter(scope, graph.layers[*number], values[call.inputs.front()]));
        values.push_back(std::move(value));
        continue;
      }
      std::vector<Value> inputs;
      for (const size_t place : call.inputs) inputs.push_back(values[place]);
      FACEGATE_ASSIGN_OR_RETURN(Value value,
                                Meet(scope, std::get<network::Join>(call.what), inputs));
      values.push_back(std::move(value));
    }
    return values.back();
  }

  StatusOr<Value> Meet(const std::string& scope, network::Join join,
                       const std::vector<Value>& inputs) {
    std::vector<Extents> extents;
    std::vector<std::string> nodes;
    for (const Value& input : inputs) {
      extents.push_back(input.extents);
      nodes.push_back(input.node);
    }
    FACEGATE_ASSIGN_OR_RETURN(Extents output, network::OutputOfJoin(join, extents));
    const std::string_view name = network::kJoinNames[static_cast<size_t>(join)];
    const tensorboard::NodeDef& node =
        Append(Within(scope, name), OperationOf(name), nodes, output);
    return Value{.node = node.name(), .extents = std::move(output)};
  }

  // A name that is taken gets a number.
  tensorboard::NodeDef& Append(const std::string& name, const std::string& operation,
                               const std::vector<std::string>& inputs, const Extents& extents) {
    std::string own = name;
    for (int i = 1; !names_.insert(own).second; ++i) own = fmt::format("{}_{}", name, i);
    tensorboard::NodeDef& node = *graph_.add_node();
    node.set_name(own);
    node.set_op(operation);
    for (const std::string& input : inputs) node.add_input(input);
    tensorboard::TensorShapeProto& shape =
        *Attribute(node, "_output_shapes").mutable_list()->add_shape();
    shape.add_dim()->set_size(-1);  // pictures
    for (const int64_t extent : extents) shape.add_dim()->set_size(extent);
    return node;
  }

  tensorboard::GraphDef& graph_;
  std::set<std::string> names_;
  std::set<const network::Layer*> counted_;  // those whose parameters stand at a call before
};

}  // namespace

StatusOr<std::string> NetworkGraph(const network::Description& description) {
  tensorboard::GraphDef graph;
  GraphWalk walk(graph);
  FACEGATE_RETURN_IF_ERROR(
      walk.EnterEach("", description.layers, walk.Input(description.input)).status());
  return graph.SerializeAsString();
}

}  // namespace facegate::report
