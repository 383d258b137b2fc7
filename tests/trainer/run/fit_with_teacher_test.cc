#include <algorithm>

#include "face/weights/model_file.h"
#include "tests/trainer/run/fit_fixture.h"
#include "trainer/report/run_log.h"
#include "trainer/run/fit.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(FitTest, LearnsFromATeacher) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 1.0;
  const auto teacher = Run(recipe, "teacher");
  ASSERT_THAT(teacher, IsOk());
  recipe.network.seed = 9;
  recipe.schedule.epochs = 7.0;
  recipe.augment = Recipe::Augment();
  recipe.augment.flip = 0.0;
  recipe.teacher.model = teacher->model;
  std::filesystem::copy(dir_.File("photos"), dir_.File("more"),
                        std::filesystem::copy_options::recursive);
  recipe.data.unlabelled = {dir_.File("more")};
  recipe.teacher.weight = 10.0;
  recipe.teacher.map_weight = 5.0;
  recipe.card.intended_use = "a test";
  const auto student = Run(recipe, "student");
  ASSERT_THAT(student, IsOk());
  const auto model = ReadModelFile(student->model);
  ASSERT_THAT(model, IsOk());
  EXPECT_THAT(model->card.teacher, HasSubstr("trained on: blobs"));
  EXPECT_THAT(model->card.recipe, HasSubstr("teacher.map_weight: 5\n"));
  EXPECT_THAT(model->card.recipe, Not(HasSubstr(dir_.path())));
  EXPECT_EQ(model->card.intended_use, "a test");
  const auto steps = report::ReadSteps(dir_.File("student"));
  ASSERT_THAT(steps, IsOk());
  const auto mean = [&](double report::StepRow::*column, size_t begin) {
    double sum = 0.0;
    for (size_t i = begin; i < begin + 8; ++i) sum += (*steps)[i].*column / 8.0;
    return sum;
  };
  for (double report::StepRow::*const column :
       {&report::StepRow::distillation, &report::StepRow::map_distillation}) {
    EXPECT_LT(mean(column, steps->size() - 8), 0.9 * mean(column, 0));
  }
}

TEST_F(FitTest, ATeacherOfNarrowCropsTeachesAStudentOfThem) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.25;
  recipe.data.alignment = "sphereface-96x112";
  recipe.network.input.clear();
  const auto teacher = Run(recipe, "teacher");
  ASSERT_THAT(teacher, IsOk());
  recipe.teacher.model = teacher->model;
  EXPECT_THAT(Run(recipe, "student"), IsOk());
}

TEST_F(FitTest, GoesOnToTheBitWithItsTeacherAndNoOther) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.25;
  const auto teacher = Run(recipe, "teacher");
  ASSERT_THAT(teacher, IsOk());
  recipe.schedule.epochs = 0.5;
  recipe.teacher.model = teacher->model;
  recipe.augment.blend = 0.5;
  recipe.augment.degrade = 0.5;
  recipe.loss.likeness = 1.0;
  recipe.teacher.map_weight = 2.0;
  const auto whole = Run(recipe, "whole");
  ASSERT_THAT(whole, IsOk());
  ASSERT_THAT(Run(recipe, "parts", 3), IsOk());
  // Another model under the same name.
  std::filesystem::rename(teacher->model, dir_.File("kept"));
  std::filesystem::copy_file(whole->model, teacher->model);
  EXPECT_THAT(Run(recipe, "parts"), StatusIs(StatusCode::kFailedPrecondition));
  std::filesystem::rename(dir_.File("kept"), teacher->model);
  const auto parts = Run(recipe, "parts");
  ASSERT_THAT(parts, IsOk());
  EXPECT_EQ(parts->resumed_at, 3);
  EXPECT_EQ(ReadFile(whole->model, 1 << 30).value(), ReadFile(parts->model, 1 << 30).value());
}

TEST_F(FitTest, RefusesATeacherWithOtherMaps) {
  Recipe recipe = SmallRecipe();
  recipe.network.architecture = "mobilefacenet-512";
  recipe.schedule.epochs = 0.25;
  const auto teacher = Run(recipe, "teacher");
  ASSERT_THAT(teacher, IsOk());
  recipe.teacher.model = teacher->model;
  recipe.network.architecture = "iresnet-18";
  recipe.teacher.map_weight = 1.0;
  const auto report = Run(recipe, "student");
  EXPECT_THAT(std::string(MessageOf(report.status())), HasSubstr("teacher.map_weight"));
}

TEST_F(FitTest, RefusesATeacherOfAnotherSize) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.25;
  const auto teacher = Run(recipe, "teacher");
  ASSERT_THAT(teacher, IsOk());
  recipe.teacher.model = teacher->model;
  recipe.network.architecture = "mobilefacenet-512";
  const auto report = Run(recipe, "student");
  EXPECT_THAT(std::string(MessageOf(report.status())), HasSubstr("128"));
}

}  // namespace
}  // namespace facegate
