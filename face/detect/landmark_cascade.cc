#include "face/detect/landmark_cascade.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/detect/cascade_search.h"
#include "face/detect/free_list.h"
#include "face/detect/landmark_finder.h"
#include "face/detect/landmark_net.h"
#include "face/detect/non_maximum.h"

namespace facegate {
namespace {

// The network looks at no more boxes of one search than these, those with the most hits first.
constexpr size_t kMaxBoxes = 64;
constexpr double kSameFaceIou = 0.3;

// What one call works with. Not thread-safe.
struct Instruments {
  cv::CascadeClassifier cascade;
  std::unique_ptr<LandmarkNet> net;
};

// The upright square of the size of the face's frame around it.
cv::Rect2f BoxOf(const FaceFrame& frame) {
  const auto side = static_cast<float>(frame.side);
  return {static_cast<float>(frame.centre.x + 0.5) - side / 2,
          static_cast<float>(frame.centre.y + 0.5) - side / 2, side, side};
}

// Boxes of the search in edges of the whole picture, the most hits first.
std::vector<cv::Rect2d> BoxesOf(FaceSearchResult found, double scale) {
  std::stable_sort(
      found.hits.begin(), found.hits.end(),
      [](const CascadeHit& a, const CascadeHit& b) { return a.neighbours > b.neighbours; });
  if (found.hits.size() > kMaxBoxes) found.hits.resize(kMaxBoxes);
  std::vector<cv::Rect2d> boxes;
  boxes.reserve(found.hits.size());
  for (const CascadeHit& hit : found.hits) {
    boxes.emplace_back((hit.box.x - found.border) / scale, (hit.box.y - found.border) / scale,
                       hit.box.width / scale, hit.box.height / scale);
  }
  return boxes;
}

class LandmarkCascadeDetector final : public Detector {
 public:
  LandmarkCascadeDetector(LandmarkCascadeOptions options, LandmarkWeights weights)
      : options_(std::move(options)),
        weights_(std::move(weights)),
        name_("haar+landmarks:" + weights_.digest) {}

  StatusOr<std::vector<DetectedFace>> Detect(const Image& image, const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto instruments,
                              instruments_.Borrow([this] { return MakeInstruments(); }));
    return CatchToStatus("running the cascade",
                         [&] { return DetectWith(*instruments, image, stop); });
  }

  const std::string& name() const override { return name_; }

  StatusOr<std::unique_ptr<Instruments>> MakeInstruments() const {
    auto made = std::make_unique<Instruments>();
    FACEGATE_RETURN_IF_ERROR(LoadCascade(options_.directory, kFaceCascadeFile, made->cascade));
    FACEGATE_ASSIGN_OR_RETURN(made->net, LandmarkNet::Create(weights_));
    return made;
  }

 private:
  // The later ones are tried where the earlier ones find none.
  std::array<CascadeSearch, 3> Searches() const {
    const double mild_step = std::min(options_.scale_step, 1.05);
    return {{{options_.scale_step, options_.min_neighbours, 0},
             {mild_step, 1, 0},
             {mild_step, 1, 0.25}}};
  }

  StatusOr<std::vector<DetectedFace>> DetectWith(Instruments& instruments, const Image& image,
                                                 const StopCheck& stop) const {
    const GreyPicture small = GreyForSearch(image, options_.max_side);
    cv::Mat whole = small.pixels;
    if (small.scale < 1) cv::cvtColor(image.bgr, whole, cv::COLOR_BGR2GRAY);
    std::vector<DetectedFace> faces;
    for (const CascadeSearch& search : Searches()) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      const std::vector<cv::Rect2d> boxes =
          BoxesOf(SearchFaces(instruments.cascade, small.pixels, search, options_.min_face_share),
                  small.scale);
      FACEGATE_ASSIGN_OR_RETURN(faces, FacesIn(*instruments.net, whole, boxes));
      if (!faces.empty()) break;
    }
    return faces;
  }

  StatusOr<std::vector<DetectedFace>> FacesIn(LandmarkNet& net, const cv::Mat& picture,
                                              const std::vector<cv::Rect2d>& boxes) const {
    std::vector<DetectedFace> faces;
    faces.reserve(boxes.size());
    for (const cv::Rect2d& box : boxes) {
      FACEGATE_ASSIGN_OR_RETURN(
          std::optional<FoundLandmarks> found,
          FindLandmarks(net, picture, FrameOfBox(weights_, box), options_.min_confidence));
      if (!found) continue;
      faces.push_back({.box = BoxOf(found->frame),
                       .landmarks = std::move(found->points),
                       .score = static_cast<float>(found->confidence)});
    }
    return SuppressNonMaxima(std::move(faces), kSameFaceIou, kMaxBoxes);
  }

  const LandmarkCascadeOptions options_;
  const LandmarkWeights weights_;
  const std::string name_;
  FreeList<Instruments> instruments_;
};

Status CheckOptions(const LandmarkCascadeOptions& options) {
  // Not "outside": NaN must fail too.
  if (!(options.scale_step > 1) || !(options.min_face_share >= 0 && options.min_face_share <= 1) ||
      !(options.min_confidence >= 0 && options.min_confidence <= 1)) {
    return InvalidArgument(fmt::format(
        "cascade: scale_step is {}, expected above 1; min_face_share is {} and min_confidence is "
        "{}, expected 0 to 1",
        options.scale_step, options.min_face_share, options.min_confidence));
  }
  if (options.min_neighbours < 1 || options.max_side < kSmallestFace) {
    return InvalidArgument(fmt::format(
        "cascade: min_neighbours is {}, expected at least 1; max_side is {}, expected at least {}",
        options.min_neighbours, options.max_side, kSmallestFace));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Detector>> CreateLandmarkCascadeDetector(
    const LandmarkCascadeOptions& options, LandmarkWeights weights) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  auto detector = std::make_unique<LandmarkCascadeDetector>(options, std::move(weights));
  // Reads the file and builds the network once, so that what is wrong is found at the start.
  FACEGATE_RETURN_IF_ERROR(detector->MakeInstruments().status());
  return detector;
}

}  // namespace facegate
