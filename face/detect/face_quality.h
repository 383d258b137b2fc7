#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace facegate {

// A face must have these qualities to be compared, and to be enrolled, where nobody says otherwise.
inline constexpr double kDefaultProbeQuality = 0.4;
inline constexpr double kDefaultEnrolQuality = 0.5;

// Names what can make a face unfit for a comparison. The names are those of ISO/IEC 29794-5 where
// it has one. They are on the wire and in records: do not renumber them.
enum class QualityComponent {
  kInterEyeDistance = 1,  // pixels of the source picture that are their own, over the cosine of the
                          // yaw; of a crop: as kSharpness, for it may have been enlarged
  kSharpness = 2,         // pixels: the distance of the eyes at which a sharp picture would show as
                          // much detail; an enlarged or blurred face has few
  kUnderExposure = 3,     // share of the face's pixels that are nearly black
  kOverExposure = 4,      // share of the face's pixels that are nearly white
  kDynamicRange = 5,      // bits: entropy of the face's luminances
  kHeadRoll = 6,          // degrees, clockwise as seen; what alignment undoes
  kHeadYaw = 7,           // degrees, from the landmarks
  kHeadPitch = 8,         // degrees, from the landmarks
  kFacePresence = 9,      // probability that the aligned crop shows a face where it should
  kLandmarkFit = 10,      // mean distance from where a second look finds the landmarks, in shares
                          // of the distance of the eyes
  kFaceInPicture = 11,    // share of the aligned crop that lies inside the picture
  kEyesVisible = 12,      // probability
  kMouthVisible = 13,     // probability
  kDetectionScore = 14,   // 0..1; not comparable between detectors
  kExpectedGenuineScore = 15,  // the cosine to be expected with a faultless copy of the same photo
  kNoise = 16,                 // grey levels: deviation of the noise in the crop
  kCompressionArtifacts = 17,  // ratio of the steps between JPEG's blocks to those within them
  kIlluminationUniformity = 18,  // share that the luminances of both halves of the face have in
                                 // common
};
inline constexpr size_t kQualityComponents = 18;
// All of them, in their order.
std::array<QualityComponent, kQualityComponents> AllQualityComponents();

// A component of a face: what was measured, in the component's unit, and how good that is.
struct ComponentQuality {
  QualityComponent component{};
  double value = 0.0;
  double quality = 0.0;  // 0..1, comparable between components
};

// Tells how fit a face is to be compared. A chain is as strong as its weakest link: the score is
// the least quality of the components. Judge it by what passes: the false match rate of what has a
// score of t or more, beside the share of genuine faces that has less (error versus discard).
struct FaceQuality {
  double score = 0.0;                        // 0..1
  std::vector<ComponentQuality> components;  // measured ones, in the order of the enumeration
};

// A component that is below what is wanted.
struct Shortcoming {
  QualityComponent component{};
  double value = 0.0;   // as in ComponentQuality
  double wanted = 0.0;  // the value from which on the component would do; in the same unit
};

// "inter_eye_distance"; "px"; what a person before a camera can do about it ("come closer").
std::string_view QualityName(QualityComponent component);
std::string_view QualityUnit(QualityComponent component);
std::string_view QualityAdvice(QualityComponent component);

// The edges (the values of quality kDefaultProbeQuality) were set on photos of 60 LFW people under
// the degradations of tests/bench/degradation_bench, so that at most 0.2 % of the pairs of
// strangers match with either of two models, and so that of all clean photos of LFW less than 1 %
// fall below. The bench judges them by the same people, so its figures are a little too good.
// Light, distance, blur, motion, noise and JPEG blocks are caught by the components that name them,
// so that a person learns what to do; covers, negatives and what nobody thought of by kEyesVisible,
// kMouthVisible, kFacePresence and kExpectedGenuineScore. A high expected score alone is not
// enough: noise and blocks make strangers alike before they make a face unlike itself. Colours are
// not looked at, but for what they do to the luminance.
//
// QualityOf() gives the quality of a component's value, 0..1, and ValueOfQuality() the value that
// has this quality (of those on both sides of the best one, that on the side of `value`).
double QualityOf(QualityComponent component, double value);
double ValueOfQuality(QualityComponent component, double quality, double value);

// The components whose quality is below `wanted` (0..1), the worst first.
std::vector<Shortcoming> ShortcomingsOf(const FaceQuality& quality, double wanted);

// Makes the whole of its components.
FaceQuality Combine(std::vector<ComponentQuality> components);

}  // namespace facegate
