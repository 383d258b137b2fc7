#pragma once

#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/detect/face_quality.h"
#include "server/engine/face_engine.h"

// The gate decides whether a face is fit to be compared. A face that was found need not be: two
// turned, tiny or dark faces of strangers may resemble each other more than two good photos of one
// person. This is the one gate between a face that was found and a score: what does not pass loses
// its content, so that nothing is left that could be embedded, compared or stored. Where a face is
// compared with several collections that want different qualities, it passes by the least of them,
// and then by IsFit() for each collection that it is compared with.
//
// Embeddings and stored templates pass: an embedding is the caller's word, and a template was
// judged when it was enrolled, by what the collection wanted then.
namespace facegate {

// Everything that an answer tells of a face.
struct FaceReport {
  std::optional<DetectedFace> detected;     // absent unless it was found in a picture
  std::optional<FaceQuality> quality;       // absent where it was not measured
  double wanted = 0.0;                      // the score that was wanted; 0: none
  std::vector<Shortcoming> shortcomings{};  // what is below it, the worst first

  // True when there is nothing to tell, as of embeddings and stored templates.
  bool empty() const { return !detected.has_value() && !quality.has_value(); }
};

FaceReport ReportOf(const std::optional<DetectedFace>& detected,
                    const std::optional<FaceQuality>& quality, double wanted);

// What is wanted of a face that is compared with several collections.
struct QualityRange {
  double least = 0.0;  // of a face that is compared with any of them
  double most = 0.0;   // of one that is compared with all
};

// False for a face that was measured and is below `wanted`.
bool IsFit(const std::optional<FaceQuality>& quality, double wanted);
// Takes the content of a face that is below `wanted`: it becomes one that cannot be compared.
void WithholdUnfit(double wanted, PreparedFace& face);
// kLowQuality for a face that is below `wanted`; the message names each shortcoming, and the
// metadata of the status has them by name ("7.1/12").
Status CheckFitToEnrol(double wanted, const PreparedFace& face);

// "inter eye distance is 7.1 px, 12 wanted (come closer)".
std::string DescribeShortcoming(const Shortcoming& shortcoming);

}  // namespace facegate
