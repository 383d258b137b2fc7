#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <optional>
#include <string>
#include <vector>

#include "face/base/random.h"
#include "face/base/status.h"
#include "face/image/align.h"
#include "trainer/photos/image_list.h"

namespace facegate {

// The size of the crops that training takes if its recipe says nothing else, and that sets of crops
// are made of: width and height in pixels.
inline cv::Size TrainingCropSize() { return CropSize(AlignmentTemplate::kArcFace112); }

// The crop of `alignment` that a picture is. An ArcFace crop has a SphereFace crop in its middle:
// the points of the two templates are alike, 8 pixels apart. Nothing for a picture of another size.
// It shares the pixels of `picture` where it is all of it.
std::optional<cv::Mat> CropIn(const cv::Mat& picture, AlignmentTemplate alignment);

// Labelled pictures by number. Thread-safe: all calls are const and share nothing that changes.
class Dataset {
 public:
  // The label of a picture of nobody in particular: of use to a teacher alone.
  static constexpr uint32_t kUnlabelled = 0xFFFFFFFF;

  virtual ~Dataset() = default;

  virtual size_t size() const = 0;
  virtual size_t classes() const = 0;
  virtual uint32_t label(size_t i) const = 0;  // 0 to classes() - 1, or kUnlabelled
  // Messages call the picture by this: its path, or its place in a file.
  virtual std::string name(size_t i) const = 0;
  // Tells people how the pictures were found, a line each; see ImageList.
  virtual std::vector<std::string> remarks() const { return {}; }
  // 8-bit BGR. An error names the picture.
  virtual StatusOr<cv::Mat> Load(size_t i) const = 0;
  // The same as training may show it, which follows from `random` alone where it is not always
  // alike.
  virtual StatusOr<cv::Mat> LoadVaried(size_t i, RandomStream& /*random*/) const { return Load(i); }
};

// The photos of a list, decoded when they are asked for.
std::unique_ptr<Dataset> MakeListDataset(ImageList list);

}  // namespace facegate
