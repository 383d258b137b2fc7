#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/run/training_data.h"

namespace facegate {

class TrainingDataTest : public ::testing::Test {
 protected:
  // `people` folders of `photos` crops each.
  std::string Folder(const std::string& name, size_t people, size_t photos) {
    for (size_t person = 0; person < people; ++person) {
      const std::string folder = fmt::format("{}/p{:02}", dir_.File(name), person);
      std::filesystem::create_directories(folder);
      for (size_t i = 0; i < photos; ++i) {
        const auto crop = SyntheticCrop(static_cast<uint32_t>(person * 100 + i));
        EXPECT_THAT(WriteFileAtomically(fmt::format("{}/{}.png", folder, i), Encode(crop, ".png")),
                    IsOk());
      }
    }
    return dir_.File(name);
  }
  // What is chosen is the same for the same seed, and another for another one.
  static void ExpectToFollowFromTheSeed(DataOptions options) {
    const auto one = OpenTrainingData(options);
    const auto same = OpenTrainingData(options);
    options.seed += 1;
    const auto other = OpenTrainingData(options);
    ASSERT_TRUE(one.ok() && same.ok() && other.ok());
    EXPECT_EQ(one->digest, same->digest);
    EXPECT_NE(one->digest, other->digest);
  }

  const TempDir dir_;
};

}  // namespace facegate
