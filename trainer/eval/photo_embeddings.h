#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/image/align.h"
#include "face/image/image.h"
#include "trainer/eval/embedding_set.h"

namespace facegate {

// Five landmarks of photos by name, from a text file: in each line, separated by tabs or blanks,
// the name, ten numbers (x y of each point, in the order of Landmarks, pixels), and anything after
// them. kInvalidArgument names the line.
using LandmarkTable = std::unordered_map<std::string, Landmarks>;
StatusOr<LandmarkTable> ReadLandmarks(const std::string& path);

// Finds the face of a photo and cuts it out as a model wants it.
class FaceCutter {
 public:
  // By given landmarks.
  FaceCutter(LandmarkTable landmarks, AlignmentTemplate alignment);
  // By the central face that the detector finds.
  FaceCutter(std::unique_ptr<Detector> detector, AlignmentTemplate alignment);

  // A photo of exactly the crop's size is taken as cut already.
  StatusOr<AlignedFace> Cut(const std::string& name, const Image& photo) const;

 private:
  const LandmarkTable landmarks_;
  const std::unique_ptr<Detector> detector_;  // null: by landmarks
  const AlignmentTemplate alignment_;
};

struct PhotoEmbeddingOptions {
  std::string model;
  std::string photos;   // the folder that names are relative to
  bool mirror = false;  // the sum of a crop's and its mirror image's raw embeddings
  std::optional<std::string> landmarks;  // a file for ReadLandmarks()
  std::optional<std::string> yunet;      // else this detector, else the cascades
};

// Embeds each photo of `names`. `on_photo` is called after each. Fails with the first photo that
// cannot be read or has no face, which it names.
StatusOr<EmbeddingSet> EmbedPhotos(const PhotoEmbeddingOptions& options,
                                   const std::vector<std::string>& names,
                                   const std::function<void()>& on_photo);

}  // namespace facegate
