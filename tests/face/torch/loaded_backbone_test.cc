#include "face/torch/loaded_backbone.h"

#include <gmock/gmock.h>

#include "face/network/random_weights.h"
#include "tests/support/small_graph.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(LoadedBackboneTest, HasTheWeights) {
  const TensorMap weights = RandomWeights(SmallGraph(), 3);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto backbone, LoadBackbone(SmallGraph(), weights));
  EXPECT_FALSE(backbone->parameters().empty());
}

// A card of a few bytes may describe terabytes.
TEST(LoadedBackboneTest, TakesNoMemoryForTensorsThatAreNotThere) {
  const network::Description description{
      .name = "large",
      .input = {1, 1024, 1024},
      .outputs = 1 << 20,
      .layers = {{"flatten", network::Flatten{}},
                 {"fc", network::Linear{.in = 1 << 20, .out = 1 << 20}}},
      .more = {}};
  EXPECT_THAT(MessageOf(LoadBackbone(description, {}).status()),
              HasSubstr("tensors do not fit the network: \"fc.weight\""));
}

}  // namespace
}  // namespace facegate
