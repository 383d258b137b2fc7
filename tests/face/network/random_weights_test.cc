#include "face/network/random_weights.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

// Stored expectations of many tests rest on these bits.
TEST(RandomWeightsTest, AreTheSameBitsEverywhere) {
  EXPECT_EQ(ModelDigest("mobilefacenet-128", RandomWeights("mobilefacenet-128", 20).value()),
            "4ffbf7bdfa76e20c1a57512d05f9cc72626fa5226112acda6d69c6eec873dfa0");
}

TEST(RandomWeightsTest, DependOnTheSeedInEachTensor) {
  const TensorMap one = RandomWeights("mobilefacenet-128", 1).value();
  const TensorMap two = RandomWeights("mobilefacenet-128", 2).value();
  for (const auto& [name, tensor] : one) {
    if (name.ends_with("num_batches_tracked")) continue;
    EXPECT_NE(tensor.bytes, two.at(name).bytes) << name;
  }
}

}  // namespace
}  // namespace facegate
