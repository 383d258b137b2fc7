#include "face/detect/upright_detector.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/detect/free_list.h"
#include "face/detect/landmark_net.h"
#include "face/detect/second_look.h"
#include "face/image/quarter_turns.h"

namespace facegate {
namespace {

// A face is plausible from here on, and beats another turn's by its plausibility alone.
constexpr double kPlausible = 0.5;
// Landmarks this far from those of the second look, in distances of the eyes, halve it.
constexpr double kHalvingMisfit = 0.3;

using Faces = std::vector<DetectedFace>;

// Leads from the turned picture back to the given one of `size`.
cv::Point2f TurnedBack(const cv::Point2f& point, int quarter_turns, const cv::Size& size,
                       float edge) {
  const cv::Size turned = quarter_turns == 2 ? size : cv::Size(size.height, size.width);
  return TurnedByQuarters(point, 4 - quarter_turns, turned, edge);
}

void TurnBack(DetectedFace& face, int quarter_turns, const cv::Size& size) {
  const cv::Point2f a = TurnedBack(face.box.tl(), quarter_turns, size, 1);
  const cv::Point2f b = TurnedBack(face.box.br(), quarter_turns, size, 1);
  face.box = {std::min(a.x, b.x), std::min(a.y, b.y), std::abs(a.x - b.x), std::abs(a.y - b.y)};
  for (cv::Point2f& point : face.landmarks) point = TurnedBack(point, quarter_turns, size, 0);
  face.quarter_turns = quarter_turns;
}

class UprightDetector final : public Detector {
 public:
  UprightDetector(std::unique_ptr<Detector> detector, LandmarkWeights weights)
      : detector_(std::move(detector)), weights_(std::move(weights)) {}

  StatusOr<Faces> Detect(const Image& image, const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto net, nets_.Borrow([this] { return MakeNet(); }));
    FACEGATE_ASSIGN_OR_RETURN(Faces upright, detector_->Detect(image, stop));
    FACEGATE_ASSIGN_OR_RETURN(double best, PlausibilityOf(*net, image, upright));
    if (best >= kPlausible) return upright;
    if (std::isnan(best)) best = 0;
    std::optional<Faces> turned;
    for (int quarter_turns = 1; quarter_turns <= 3; ++quarter_turns) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      FACEGATE_ASSIGN_OR_RETURN(const Image picture, TurnedImage(image, quarter_turns));
      FACEGATE_ASSIGN_OR_RETURN(Faces faces, detector_->Detect(picture, stop));
      FACEGATE_ASSIGN_OR_RETURN(const double plausibility, PlausibilityOf(*net, picture, faces));
      if (!(plausibility >= kPlausible && plausibility > best)) continue;  // nor for NaN
      best = plausibility;
      for (DetectedFace& face : faces) TurnBack(face, quarter_turns, image.bgr.size());
      turned = std::move(faces);
    }
    return turned.has_value() ? *std::move(turned) : std::move(upright);
  }

  const std::string& name() const override { return detector_->name(); }

  StatusOr<std::unique_ptr<LandmarkNet>> MakeNet() const { return LandmarkNet::Create(weights_); }

 private:
  static StatusOr<Image> TurnedImage(const Image& image, int quarter_turns) {
    return CatchToStatus("turning a picture", [&]() -> StatusOr<Image> {
      return Image{.bgr = TurnedByQuarters(image.bgr, quarter_turns)};
    });
  }

  // Gives the largest face its second look and returns its plausibility; 0 where there is none that
  // can be aligned.
  static StatusOr<double> PlausibilityOf(LandmarkNet& net, const Image& image, Faces& faces) {
    const auto largest =
        std::max_element(faces.begin(), faces.end(),
                         [](const auto& a, const auto& b) { return a.box.area() < b.box.area(); });
    if (largest == faces.end() || largest->landmarks.empty()) return 0.0;
    const StatusOr<AlignedView> view = ViewOfFace(image, largest->landmarks);
    if (!view.ok()) return 0.0;
    return CatchToStatus("looking at a face again", [&]() -> StatusOr<double> {
      cv::Mat grey;
      cv::cvtColor(view->crop.bgr, grey, cv::COLOR_BGR2GRAY);
      FACEGATE_ASSIGN_OR_RETURN(largest->second_look, LookAgain(net, CutAlignedFrame(grey)));
      const double misfit = LandmarkMisfit(*largest->second_look, view->landmarks);
      return largest->second_look->presence * std::exp2(-misfit / kHalvingMisfit);
    });
  }

  const std::unique_ptr<Detector> detector_;
  const LandmarkWeights weights_;
  FreeList<LandmarkNet> nets_;
};

}  // namespace

StatusOr<std::unique_ptr<Detector>> CreateUprightDetector(std::unique_ptr<Detector> detector,
                                                          LandmarkWeights weights) {
  auto upright = std::make_unique<UprightDetector>(std::move(detector), std::move(weights));
  // Builds the network once, so that what is wrong is found at the start.
  FACEGATE_RETURN_IF_ERROR(upright->MakeNet().status());
  return upright;
}

}  // namespace facegate
