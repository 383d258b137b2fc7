#include "trainer/run/learner.h"

#include <sstream>

#include "tests/trainer/parallel/group_of_threads.h"
#include "tests/trainer/run/run_fixture.h"

namespace facegate {
namespace {

// What differs may be the same a moment later: a sweep tries such a trial again.
TEST_F(RunFixture, LearnersOfOtherPhotosDoNotLearnTogether) {
  if (!HasGloo()) GTEST_SKIP() << "this build's LibTorch has no Gloo";
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RunFacts facts, OpenRunFacts(SpelledOut(SmallRecipe())));
  InGroup(2, [&facts](const auto& group) {
    RunFacts own = facts;
    if (group->rank() == 1) own.data.digest += " and one more";
    std::ostringstream out;
    const Session session({.out = out, .progress = out, .threads = 1});
    const auto learner = Learner::Create(own, session, group);
    EXPECT_THAT(learner, StatusIs(StatusCode::kUnavailable));
    EXPECT_THAT(std::string(MessageOf(learner.status())),
                ::testing::HasSubstr("the photos of process 2 of 2 are not those"));
  });
}

}  // namespace
}  // namespace facegate
