#include "trainer/run/run_facts.h"

#include "tests/trainer/run/run_fixture.h"

namespace facegate {
namespace {

class RunFactsTest : public RunFixture {
 protected:
  Preprocessing PreprocessingOf(const std::string& architecture) {
    Recipe recipe = SmallRecipe();
    recipe.network.architecture = architecture;
    recipe.network.input.clear();
    const auto facts = OpenRunFacts(SpelledOut(recipe));
    EXPECT_THAT(facts, IsOk());
    return facts.ok() ? facts->recipe.preprocessing : Preprocessing{};
  }
};

TEST_F(RunFactsTest, CropsBecomeWhatTheNetworkTakes) {
  EXPECT_EQ(PreprocessingOf("mobilefacenet-128"), Preprocessing{});
  EXPECT_EQ(PreprocessingOf("resnet-face-18"), (Preprocessing{.input_width = 128,
                                                              .input_height = 128,
                                                              .colour_order = ColourOrder::kGrey,
                                                              .letterbox = true}));
  EXPECT_EQ(PreprocessingOf("resnet-face-18-rgb200"),
            (Preprocessing{.input_width = 200, .input_height = 200, .letterbox = true}));
}

}  // namespace
}  // namespace facegate
