#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/core.hpp>
#include <string>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/run/recipe.h"

namespace facegate {

// A little set of blobs, some for each class with a noise of their own, and a recipe for it that
// takes seconds.
class RunFixture : public ::testing::Test {
 protected:
  static constexpr size_t kPeople = 6;
  static constexpr size_t kPhotos = 8;

  void SetUp() override {
    for (uint32_t person = 0; person < kPeople; ++person) {
      const std::string folder = fmt::format("{}/p{}", dir_.File("photos"), person);
      std::filesystem::create_directories(folder);
      for (uint32_t i = 0; i < kPhotos; ++i) {
        cv::Mat photo;
        cv::addWeighted(SyntheticCrop(person), 0.8, SyntheticCrop(1000 + 100 * person + i), 0.2,
                        0.0, photo);
        EXPECT_THAT(WriteFileAtomically(fmt::format("{}/{}.png", folder, i), Encode(photo, ".png")),
                    IsOk());
      }
    }
  }

  Recipe SmallRecipe() const {
    Recipe recipe;
    recipe.data.train = {dir_.File("photos")};
    recipe.training_data = "blobs";
    recipe.batch = 4;
    recipe.epochs = 4.0;
    recipe.threads = 1;
    recipe.checkpoint_every = 2;
    recipe.training.head.margin.scale = 16.0;
    recipe.training.schedule.base = 0.02;
    recipe.training.clip_norm = 5.0;
    recipe.training.optimizer.momentum = 0.9;
    recipe.augment.crop = 0.5;
    recipe.augment.erase = 0.3;
    return Resolved(recipe);
  }

  const TempDir dir_;
};

}  // namespace facegate
