// Seeds for onnx_fuzz.cc: models of a few numbers, written byte by byte.
#include "tests/fuzz/seeds.h"
#include "tests/support/onnx_bytes.h"

namespace facegate {
namespace {

using wire::Attribute;
using wire::Bytes;
using wire::Entry;
using wire::Initializer;
using wire::Node;
using wire::Number;
using wire::Packed;

const std::string kFourBytes = Bytes(9, "1234");

// A convolution and a PReLU whose slope is 1·1·1, with the metadata that our own models have.
std::string Network() {
  const std::string conv =
      Node("Conv", {"data", "conv.weight"}, "a",
           Attribute("group", 2, Number(3, 1)) + Attribute("pads", 7, Packed(8, {1, 1, 1, 1})));
  const std::string prelu = Node("PRelu", {"a", "prelu.weight"}, "embedding");
  const std::string graph =
      Bytes(1, conv) + Bytes(1, prelu) + Bytes(2, "net") +
      Initializer(wire::Tensor("conv.weight", 1, {1, 1, 1, 1}, Bytes(9, std::string(4, '\0')))) +
      Initializer(wire::Tensor("prelu.weight", 1, {1, 1, 1}, kFourBytes)) +
      Initializer(wire::Tensor("facegate.mean", 1, {1}, kFourBytes)) +
      Bytes(11, wire::Value("data", {Bytes(2, "N"), Number(1, 1)})) +
      Bytes(12, wire::Value("embedding", {Number(1, 7)}));
  const auto metadata = [](std::string_view key, std::string_view value) {
    return Bytes(14, Entry(key, value));
  };
  return wire::Model(graph,
                     metadata("facegate_card", "{}") +
                         metadata("facegate_batch_counters", R"({"a.num_batches_tracked":7})") +
                         metadata("facegate_float16", R"(["conv.weight"])"));
}

std::string Attributes() {
  return wire::Model(
      Bytes(1, Node("Op", {"a"}, "b",
                    Attribute("f", 1, std::string("\x15\0\0\x80\x3f", 5)) +
                        Attribute("s", 3, Bytes(4, "text")) +
                        Attribute("t", 4, Bytes(5, wire::Tensor("", 2, {4}, kFourBytes))) +
                        Attribute("fs", 6, Bytes(7, "12345678")) +
                        Attribute("ss", 8, Bytes(9, "a") + Bytes(9, "b")))));
}

std::string Types() {
  std::string graph;
  for (const uint64_t type : {3, 5, 6, 9, 10, 16}) {
    graph += Initializer(wire::Tensor("t" + std::to_string(type), type, {2}, Packed(5, {1, 300})));
  }
  graph += Initializer(wire::Tensor("t7", 7, {2}, Packed(7, {1, ~uint64_t{0}})));
  graph += Initializer(wire::Tensor("t11", 11, {1}, Bytes(10, "12345678")));
  return wire::Model(graph);
}

}  // namespace

std::vector<Seed> OnnxSeeds() {
  const std::string network = Network();
  return {
      {"network", network},
      {"attributes", Attributes()},
      {"types", Types()},
      {"truncated", network.substr(0, network.size() / 2)},
      {"external", wire::Model(Initializer(
                       wire::External({{"location", "m.bin"}, {"offset", "4"}, {"length", "4"}})))},
      {"external_outside", wire::Model(Initializer(wire::External({{"location", "../../m.bin"}})))},
      {"subgraph",
       wire::Model(Bytes(1, Node("If", {"a"}, "b", Attribute("then", 5, Bytes(6, network)))))},
      {"sparse", wire::Model(Bytes(15, "\x0a"))},
      {"text_tensor", wire::Model(Initializer(wire::Tensor("t", 8, {1}, Bytes(6, "text"))))},
      {"large_shape",
       wire::Model(Initializer(wire::Tensor("t", 1, {uint64_t{1} << 62, 4, 0}, Bytes(9, ""))))},
      {"long_field", wire::Model("") + "\x3a\xff\xff\xff\xff\x7f"},
      {"empty_nodes", wire::Model(std::string(400, '\x0a'))},
  };
}

}  // namespace facegate
