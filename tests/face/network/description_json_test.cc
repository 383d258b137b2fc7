#include "face/network/description_json.h"

#include <gmock/gmock.h>

#include <string>

#include "face/network/architecture.h"
#include "face/network/shape_map.h"
#include "tests/support/small_graph.h"
#include "tests/support/small_transformer.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(DescriptionJsonTest, GivesBackEachArchitecture) {
  for (const std::string& name : ArchitectureNames()) {
    const network::Description description = DescribeArchitecture(name).value();
    const std::string json = DescriptionToJson(description);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const network::Description back, DescriptionFromJson(json));
    EXPECT_EQ(DescriptionToJson(back), json) << name;
    EXPECT_EQ(ShapesOf(back), ShapesOf(description)) << name;
  }
}

TEST(DescriptionJsonTest, GivesBackEachKindOfLayer) {
  for (const network::Description& small : {SmallGraph(), SmallTransformer(0.25, 0.5)}) {
    const std::string json = DescriptionToJson(small);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const network::Description back, DescriptionFromJson(json));
    EXPECT_EQ(DescriptionToJson(back), json);
  }
}

TEST(DescriptionJsonTest, RefusesHeadsThatDoNotShareTheChannels) {
  const std::string json =
      Replaced(DescriptionToJson(SmallTransformer()), "\"heads\":2", "\"heads\":3");
  EXPECT_THAT(MessageOf(DescriptionFromJson(json).status()), HasSubstr("does not divide 8"));
}

TEST(DescriptionJsonTest, RefusesWhatItDoesNotKnow) {
  const std::string json = DescriptionToJson(SmallGraph());
  const auto refuses = [&](const std::string& from, const std::string& to, const char* why) {
    const Status status = DescriptionFromJson(Replaced(json, from, to)).status();
    EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument));
    EXPECT_THAT(MessageOf(status), HasSubstr(why));
  };
  refuses("\"kind\":\"sigmoid\"", "\"kind\":\"sinus\"", "\"kind\" is not known");
  refuses("\"groups\":1", "\"groups\":3", "does not divide");
  refuses("\"epsilon\":0.001", "\"epsilon\":-1", "is not a number");
  refuses("\"stride\":[1,2]", "\"stride\":[0,2]", "is not a whole number");
  refuses("\"outputs\":5", "\"outputs\":6", "it says 6");
  refuses("\"name\":\"gate.squeeze\"", "\"name\":\"gate..squeeze\"", "name");
  refuses("\"bias\":true", "\"bias\":true,\"more\":1", "other fields");
  EXPECT_THAT(DescriptionFromJson("[]"), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(DescriptionFromJson(json.substr(0, json.size() / 2)),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(DescriptionJsonTest, RefusesCallsOfWhatIsNotThere) {
  network::Description description = SmallGraph();
  auto& graph = std::get<network::Graph>(description.layers.front().kind);
  graph.calls.back().inputs = {graph.calls.size()};
  EXPECT_THAT(MessageOf(DescriptionFromJson(DescriptionToJson(description)).status()),
              HasSubstr("what stands before it"));
}

TEST(DescriptionJsonTest, RefusesMoreLevelsThanItFollows) {
  network::Description description{
      .name = "deep", .input = {1, 4, 4}, .outputs = 16, .layers = {}, .more = {}};
  network::LayerKind kind = network::Flatten{};
  for (int i = 0; i < 20; ++i) kind = network::Chain{{{"inner", kind}}};
  description.layers = {{"outer", kind}};
  EXPECT_THAT(DescriptionFromJson(DescriptionToJson(description)),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(DescriptionJsonTest, RefusesGraphsThatCallOneAnotherWithoutEnd) {
  network::LayerKind kind = network::Relu{};
  for (int level = 0; level < 12; ++level) {
    network::Graph graph{.layers = {{"inner", kind}}, .calls = {}};
    for (size_t i = 0; i < 8; ++i) graph.calls.push_back({size_t{0}, {i}});
    kind = graph;
  }
  const network::Description description{
      .name = "many", .input = {1, 1, 1}, .outputs = 1, .layers = {{"outer", kind}}, .more = {}};
  EXPECT_THAT(MessageOf(DescriptionFromJson(DescriptionToJson(description)).status()),
              HasSubstr("more than 20000 calls"));
}

TEST(DescriptionJsonTest, RefusesNamesThatGrowTooLong) {
  network::LayerKind kind = network::Relu{};
  for (int level = 0; level < 3; ++level) {
    kind = network::Chain{{{std::string(200, 'a'), std::move(kind)}}};
  }
  const network::Description description{.name = "long",
                                         .input = {1, 1, 1},
                                         .outputs = 1,
                                         .layers = {{"outer", std::move(kind)}},
                                         .more = {}};
  EXPECT_THAT(MessageOf(DescriptionFromJson(DescriptionToJson(description)).status()),
              HasSubstr("is not the name of a layer"));
}

TEST(DescriptionJsonTest, RefusesTensorsOfOneName) {
  const network::Chain inner{{{"b", network::PRelu{1}}}};
  const network::Graph graph{.layers = {{"a", inner}, {"a.b", network::PRelu{1}}},
                             .calls = {{size_t{0}, {0}}, {size_t{1}, {1}}}};
  const network::Description description{
      .name = "twice", .input = {1, 1, 1}, .outputs = 1, .layers = {{"graph", graph}}, .more = {}};
  EXPECT_THAT(MessageOf(DescriptionFromJson(DescriptionToJson(description)).status()),
              HasSubstr("two tensors of the name \"graph.a.b.weight\""));
}

TEST(DescriptionJsonTest, ACardKeepsWhatHasNoName) {
  ModelCard card;
  PutNetwork(SmallGraph(), card);
  EXPECT_THAT(card.architecture, StartsWith("described-"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const network::Description back, NetworkOf(card));
  EXPECT_EQ(ShapesOf(back), ShapesOf(SmallGraph()));
  card.architecture.back() = card.architecture.back() == '0' ? '1' : '0';
  EXPECT_THAT(MessageOf(NetworkOf(card).status()), HasSubstr("and names"));
}

TEST(DescriptionJsonTest, ACardNamesWhatHasOne) {
  ModelCard card;
  PutNetwork(DescribeArchitecture("iresnet-18").value(), card);
  EXPECT_EQ(card.architecture, "iresnet-18");
  EXPECT_EQ(card.network, "");
}

}  // namespace
}  // namespace facegate
