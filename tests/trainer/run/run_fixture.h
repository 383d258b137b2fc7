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
// takes seconds. Its network makes them small, as hardly anything that a run does depends on their
// size.
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
    recipe.network.input = "48x48";
    recipe.card.training_data = "blobs";
    recipe.data.batch = 4;
    recipe.schedule.epochs = 4.0;
    recipe.machine.threads = 1;
    recipe.machine.device = "cpu";
    recipe.checkpoint.every = 2;
    recipe.head.scale = 16.0;
    recipe.schedule.rate = 0.02;
    recipe.optimizer.clip_norm = 5.0;
    recipe.optimizer.momentum = 0.9;
    recipe.augment.crop = 0.5;
    recipe.augment.erase = 0.3;
    return recipe;
  }

  const TempDir dir_;
};

}  // namespace facegate
