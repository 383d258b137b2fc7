#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/detect/detector.h"
#include "face/detect/selection.h"
#include "face/image/align.h"
#include "face/image/decode.h"
#include "tests/support/photo_folder.h"
#include "tests/support/same_pixels.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/synthetic/synthetic_face.h"

namespace facegate {

// A drawn photo with one face, encoded as PNG; 0 to 3.
inline const std::string& DrawnPhoto(size_t number) {
  static const std::vector<std::string> photos = [] {
    std::vector<std::string> drawn;
    for (size_t i = 0; i < 4; ++i) {
      const auto face = synthetic::RenderFace({.seed = 5, .identity = i, .view = 0},
                                              {.width = 240, .height = 240, .difficulty = 0.0});
      EXPECT_THAT(face, IsOk());
      drawn.push_back(Encode(face->picture, ".png"));
    }
    return drawn;
  }();
  return photos[number];
}

inline std::string GreyPhoto() {
  return Encode(cv::Mat(90, 120, CV_8UC3, cv::Scalar::all(90)), ".png");
}

// The crop of the face in the middle as the server cuts it.
inline StatusOr<AlignedFace> ServedCrop(Detector& detector, const std::string& encoded) {
  FACEGATE_ASSIGN_OR_RETURN(const Image photo, DecodeImage(encoded, {}));
  FACEGATE_ASSIGN_OR_RETURN(const auto faces, detector.Detect(photo));
  FACEGATE_ASSIGN_OR_RETURN(
      const auto chosen,
      SelectFaces(faces, {.selection = FaceSelection::kCentral, .box = {}}, photo.bgr.size()));
  return AlignFace(photo, chosen.front().landmarks, AlignmentTemplate::kArcFace112);
}

// All files in and below a folder, by their paths in it.
inline std::map<std::string, std::string> FilesIn(const std::string& folder) {
  std::map<std::string, std::string> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const auto bytes = ReadFile(entry.path().string(), 1 << 28);
    EXPECT_THAT(bytes, IsOk());
    files[std::filesystem::relative(entry.path(), folder).string()] = bytes.value_or("");
  }
  return files;
}

// "photos": two people with two photos of a face each, one whose photos show none, and a text that
// is called a photo.
class AlignFixture : public ::testing::Test {
 protected:
  AlignFixture() {
    for (size_t i = 0; i < 4; ++i) {
      WriteBytes(dir_.File(fmt::format("photos/p{}/{}.png", i / 2, i)), DrawnPhoto(i));
    }
    WriteBytes(dir_.File("photos/p0/text.jpg"), "no picture");
    WriteBytes(dir_.File("photos/p2/grey.png"), GreyPhoto());
  }

  std::string File(const std::string& name) const { return dir_.File(name); }
  cv::Mat Picture(const std::string& name) const { return cv::imread(File(name)); }
  std::string Text(const std::string& name) const {
    return ReadFile(File(name), 1 << 24).value_or("absent");
  }

  TempDir dir_;
};

}  // namespace facegate
