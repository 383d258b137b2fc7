#include "face/detect/landmark_cascade.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <optional>
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
// A fine search looks at more: in a large picture more than one or two hits may be faces.
constexpr size_t kMaxSmallBoxes = 256;
constexpr double kSameFaceIou = 0.3;

// One call works with these. Not thread-safe.
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
std::vector<cv::Rect2d> BoxesOf(FaceSearchResult found, double scale, size_t most) {
  std::stable_sort(
      found.hits.begin(), found.hits.end(),
      [](const CascadeHit& a, const CascadeHit& b) { return a.neighbours > b.neighbours; });
  if (found.hits.size() > most) found.hits.resize(most);
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
    FACEGATE_ASSIGN_OR_RETURN(const cv::Mat whole, GreyOf(image, stop));
    const ScaledSearch coarse =
        WholeSearch(whole.size(), options_.max_side, options_.min_face_share);
    const cv::Mat small = ScaledDown(whole, coarse.scale);
    std::vector<DetectedFace> faces;
    bool first = true;
    for (const CascadeSearch& search : Searches()) {
      FACEGATE_ASSIGN_OR_RETURN(
          const FaceSearchResult found,
          SearchFaces(instruments.cascade, small, search, coarse.sizes, stop));
      FACEGATE_RETURN_IF_ERROR(AppendFaces(*instruments.net, whole,
                                           BoxesOf(found, coarse.scale, kMaxBoxes), stop, faces));
      if (first) {
        FACEGATE_RETURN_IF_ERROR(AppendSmallFaces(instruments, whole, coarse, stop, faces));
      }
      first = false;
      if (!faces.empty()) break;
    }
    return SuppressNonMaxima(std::move(faces), kSameFaceIou, kMaxBoxes + kMaxSmallBoxes);
  }

  // Appends the faces that the search of the whole picture is too coarse for.
  Status AppendSmallFaces(Instruments& instruments, const cv::Mat& whole,
                          const ScaledSearch& coarse, const StopCheck& stop,
                          std::vector<DetectedFace>& faces) const {
    const std::optional<ScaledSearch> fine = FineSearch(coarse, options_.min_face_pixels);
    if (!fine) return OkStatus();
    FACEGATE_ASSIGN_OR_RETURN(const FaceSearchResult found,
                              SearchFaces(instruments.cascade, ScaledDown(whole, fine->scale),
                                          Searches().front(), fine->sizes, stop));
    return AppendFaces(*instruments.net, whole, BoxesOf(found, fine->scale, kMaxSmallBoxes), stop,
                       faces);
  }

  Status AppendFaces(LandmarkNet& net, const cv::Mat& picture, const std::vector<cv::Rect2d>& boxes,
                     const StopCheck& stop, std::vector<DetectedFace>& faces) const {
    for (const cv::Rect2d& box : boxes) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      FACEGATE_ASSIGN_OR_RETURN(
          std::optional<FoundLandmarks> found,
          FindLandmarks(net, picture, FrameOfBox(weights_, box), options_.min_confidence));
      if (!found) continue;
      faces.push_back({.box = BoxOf(found->frame),
                       .landmarks = std::move(found->points),
                       .score = static_cast<float>(found->confidence)});
    }
    return OkStatus();
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
  if (options.min_neighbours < 1 || options.max_side < kSmallestFace ||
      options.min_face_pixels < kSmallestFace) {
    return InvalidArgument(fmt::format(
        "cascade: min_neighbours is {}, expected at least 1; max_side is {} and min_face_pixels is "
        "{}, expected at least {} each",
        options.min_neighbours, options.max_side, options.min_face_pixels, kSmallestFace));
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
