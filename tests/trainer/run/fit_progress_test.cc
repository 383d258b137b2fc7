#include "trainer/run/fit_progress.h"

#include "tests/trainer/run/fit_fixture.h"

namespace facegate {
namespace {

using ::testing::ContainsRegex;

// Loss and accuracy are running means, of which each batch makes a twentieth.
TEST(FitProgressTest, TellsLossAccuracyRateAndSpeed) {
  std::ostringstream out;
  Session session({.out = out, .progress = out, .threads = 1});
  {
    FitProgress progress(session, 0, 2, 1.0);
    progress.Show({.batch = 0, .epoch = 0.5, .loss = 8.0, .accuracy = 0.25});
    progress.Show({.batch = 1,
                   .epoch = 1.0,
                   .loss = 6.0,
                   .accuracy = 0.75,
                   .learning_rate = 0.02,
                   .images_per_second = 31.25});
  }
  EXPECT_EQ(out.str(),
            "epoch 1.00/1  batch 2/2  loss 7.9000  accuracy 27.5 %  rate 0.02  31.2 images/s  "
            "0:00 left\n");
}

TEST(FitProgressTest, ALossThatIsNoNumberDoesNotSpoilTheMean) {
  std::ostringstream out;
  Session session({.out = out, .progress = out, .threads = 1});
  {
    FitProgress progress(session, 0, 2, 1.0);
    progress.Show({.batch = 0, .loss = 8.0, .accuracy = 0.25});
    progress.Show({.batch = 1});
  }
  EXPECT_THAT(out.str(), ::testing::HasSubstr("loss 8.0000  accuracy 25.0 %"));
}

TEST_F(FitTest, PrintsHowItLearns) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.25;
  ASSERT_THAT(Run(recipe, "run"), IsOk());
  EXPECT_THAT(said(), ContainsRegex("batch 3/3  loss [0-9.]+  accuracy [0-9.]+ %  rate [0-9.e-]+  "
                                    "[0-9.]+ images/s"));
}

}  // namespace
}  // namespace facegate
