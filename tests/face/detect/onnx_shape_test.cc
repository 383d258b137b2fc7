#include "face/detect/onnx_shape.h"

#include <gmock/gmock.h>

#include <array>

#include "onnx/model.pb.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

constexpr std::array<uint32_t, 4> kShape = {1, 3, 320, 300};

// A length-delimited field of at most 127 bytes.
std::string Message(int field, const std::string& body) {
  std::string out;
  out.push_back(static_cast<char>(field << 3 | 2));
  out.push_back(static_cast<char>(body.size()));
  return out + body;
}

std::string Input(const std::string& name, const std::string& shape) {
  const std::string tensor = std::string("\x08\x01", 2) + Message(2, shape);  // elem_type, shape
  return Message(11, Message(1, name) + Message(2, Message(1, tensor)));
}

const std::string kOpset = Message(8, std::string("\x10\x0d", 2));

// A model of an IR version, a graph with a node, two inputs and an output, and an opset.
std::string Model(const std::string& shape) {
  const std::string graph = Message(1, Message(4, "Relu")) + Message(2, "graph") +
                            Input("input", shape) + Input("second", Message(1, "\x08\x07")) +
                            Message(12, Message(1, "output"));
  return std::string("\x08\x06", 2) + Message(7, graph) + kOpset;
}

// The same model with its fields in the order in which they are written back.
std::string InOneOrder(const std::string& model) {
  onnx::ModelProto parsed;
  EXPECT_TRUE(parsed.ParseFromString(model));
  return parsed.SerializeAsString();
}

const std::string& NamedShape() {
  static const std::string shape = Message(1, Message(2, "batch")) + Message(1, "\x08\x03") +
                                   Message(1, Message(2, "height")) + Message(1, Message(2, "w"));
  return shape;
}

TEST(OnnxShapeTest, ReplacesTheShapeOfTheFirstInputAndNothingElse) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string changed,
                                WithInputShape(Model(NamedShape()), kShape));
  const std::string shape = Message(1, "\x08\x01") + Message(1, "\x08\x03") +
                            Message(1, "\x08\xc0\x02") + Message(1, "\x08\xac\x02");
  EXPECT_EQ(InOneOrder(changed), InOneOrder(Model(shape)));
}

// OpenCV refuses an attribute that has no value.
TEST(OnnxShapeTest, KeepsAnAttributeThatIsZero) {
  const std::string attribute = Message(1, "axis") + std::string("\x18\0\xa0\x01\x02", 5);
  const std::string graph =
      Message(1, Message(4, "Flatten") + Message(5, attribute)) + Input("input", NamedShape());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string changed,
                                WithInputShape(Message(7, graph), kShape));
  EXPECT_THAT(changed, ::testing::HasSubstr(Message(5, attribute)));
}

TEST(OnnxShapeTest, LeavesAModelAloneThatHasTheShape) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string once,
                                WithInputShape(Model(NamedShape()), kShape));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string twice, WithInputShape(once, kShape));
  EXPECT_EQ(once, twice);
}

TEST(OnnxShapeTest, RefusesWhatHasNoInputShape) {
  const auto refused = StatusIs(StatusCode::kInvalidArgument);
  EXPECT_THAT(WithInputShape("", kShape), refused);
  EXPECT_THAT(WithInputShape("no model at all", kShape), refused);
  EXPECT_THAT(WithInputShape(Message(7, Message(1, Message(4, "Relu"))), kShape), refused);
  EXPECT_THAT(WithInputShape(std::string(20, '\xff'), kShape), refused);
}

TEST(OnnxShapeTest, RefusesGroupsThatAreNestedWithoutAnEnd) {
  EXPECT_THAT(WithInputShape(std::string(1 << 20, '\x0b'), kShape),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(OnnxShapeTest, RefusesOrSurvivesEveryTruncation) {
  const std::string model = Model(NamedShape());
  const size_t graph_end = model.size() - kOpset.size();
  for (size_t size = 0; size < model.size(); ++size) {
    const auto changed = WithInputShape(model.substr(0, size), kShape);
    // Whole only at the end of the graph, where just the opset is missing.
    EXPECT_EQ(changed.ok(), size == graph_end) << size;
  }
}

}  // namespace
}  // namespace facegate
