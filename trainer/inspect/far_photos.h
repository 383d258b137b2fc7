#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "face/base/status.h"

// What the centres of a head say of the labels that it learned from. Where a class has several
// centres, photos of somebody else gather around others than the dominant one, which most photos
// of the class are nearest to (Deng et al., "Sub-center ArcFace", 2020).
namespace facegate {

// The cosines of photos to the centres of the classes that they are labelled with.
struct CenterCosines {
  size_t centers = 1;  // of each class
  size_t classes = 0;
  size_t trained = 0;              // photos, from the front, that the centres have learned from
  std::vector<float> cosines{};    // one photo behind the other, a cosine for each centre
  std::vector<uint32_t> labels{};  // one for each photo; below `classes`

  size_t size() const { return labels.size(); }
  std::span<const float> row(size_t photo) const {
    return std::span(cosines).subspan(photo * centers, centers);
  }
};

// Photos that are far from the dominant centre of their class. What is counted are photos that were
// trained on; of the others only the angles are told.
struct FarPhotos {
  static constexpr size_t kBins = 12;
  static constexpr double kBinDegrees = 15.0;

  struct Class {
    size_t photos = 0;
    std::vector<size_t> nearest{};  // of each centre: photos that are nearest to it
    size_t dominant = 0;            // the centre with the most of them
    size_t far = 0;                 // photos
  };
  std::vector<Class> classes{};
  std::vector<double> degrees{};          // of each photo, to the dominant centre of its class
  std::vector<size_t> photos{};           // numbers of those that are far, ascending
  std::array<size_t, kBins> histogram{};  // of those trained on, by that angle
};

// Finds the photos whose angle to the dominant centre is above `most_degrees`. Of centres with
// equally many photos, that to which its photos are nearer is dominant. kInvalidArgument where
// numbers do not fit together, or a cosine is not finite.
StatusOr<FarPhotos> FindFarPhotos(const CenterCosines& cosines, double most_degrees);

}  // namespace facegate
