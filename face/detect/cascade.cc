#include "face/detect/cascade.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <optional>
#include <utility>

#include "face/base/catch.h"
#include "face/detect/cascade_search.h"
#include "face/detect/eye_fusion.h"
#include "face/detect/free_list.h"
#include "face/detect/non_maximum.h"

namespace facegate {
namespace {

// The eyes are looked for in faces of this width, pixels.
constexpr int kEyeSearchWidth = 160;
// Eyes are looked for in no more faces than this: they cost more than the faces.
constexpr size_t kMaxFaces = 64;
constexpr double kSameFaceIou = 0.3;

// An eye cascade and its bias and variance, measured in 919 photos of Labeled Faces in the Wild,
// each turned by an angle from N(0°, 8°), against the mean of eight YuNet runs at different scales.
// Bias (median): of the centre of its hit, in shares of the hit's width. Standard deviation (1.48
// times the median absolute deviation): in shares of the face's width.
struct EyeFinder {
  size_t cascade;  // index into EyeCascades
  int side;
  double bias_x, bias_y;
  double deviation_x, deviation_y;
};
constexpr std::array<EyeFinder, 4> kEyeFinders = {{{0, 0, -0.020, 0.028, 0.0202, 0.0166},
                                                   {0, 1, -0.052, 0.001, 0.0193, 0.0181},
                                                   {1, 0, 0.003, -0.126, 0.0177, 0.0154},
                                                   {2, 1, -0.007, -0.150, 0.0183, 0.0190}}};
// The person's right eye is the one at the left of the picture.
constexpr std::array<const char*, 3> kEyeCascadeFiles = {"haarcascade_eye_tree_eyeglasses.xml",
                                                         "haarcascade_righteye_2splits.xml",
                                                         "haarcascade_lefteye_2splits.xml"};
// The finders err together, as they see the same pixels: their variances are taken as larger by
// this, which was better than 1 on the second half of those photos; no other value was tried.
constexpr double kVarianceInflation = 1.7;
// A hit further than this from the average eye is not an eye, in face widths.
constexpr double kEyeGate = 0.16;
// The hits of one finder are compared by this: so many overlapping hits outweigh one face width of
// distance.
constexpr double kDistancePenalty = 40;

double Square(double value) { return value * value; }

// The prior comes from the same photos, in shares of the box's width from its top left corner.
const EyePrior& Prior() {
  static const EyePrior prior{.middle_mean = {0.5044, 0.3920},
                              .middle_variance = {Square(0.0151), Square(0.0152)},
                              .span_mean = {0.3815, 0.0},
                              .span_variance = {Square(0.0268), Square(0.0389)}};
  return prior;
}

cv::Point2d AverageEye(int side) {
  return Prior().middle_mean + Prior().span_mean * (side == 0 ? -0.5 : 0.5);
}

// One set of cascades. Not thread-safe.
class CascadeSet {
 public:
  static StatusOr<std::unique_ptr<CascadeSet>> Create(const std::string& directory) {
    auto set = std::make_unique<CascadeSet>();
    FACEGATE_RETURN_IF_ERROR(LoadCascade(directory, kFaceCascadeFile, set->faces_));
    for (size_t i = 0; i < kEyeCascadeFiles.size(); ++i) {
      FACEGATE_RETURN_IF_ERROR(LoadCascade(directory, kEyeCascadeFiles[i], set->eyes_[i]));
    }
    return set;
  }

  StatusOr<FaceSearchResult> FindFaces(const cv::Mat& grey, const CascadeSearch& search,
                                       FaceSizes sizes, const StopCheck& stop) {
    return SearchFaces(faces_, grey, search, sizes, stop);
  }

  // The two eyes of the face in `box` of `grey`, pixels (the centre of the first is (0, 0)).
  StatusOr<Landmarks> FindEyes(const cv::Mat& grey, const cv::Rect& box, const StopCheck& stop) {
    cv::Mat face;
    cv::resize(grey(box), face, {kEyeSearchWidth, kEyeSearchWidth}, 0, 0,
               box.width > kEyeSearchWidth ? cv::INTER_AREA : cv::INTER_LINEAR);
    cv::equalizeHist(face, face);
    std::vector<EyeSighting> sightings;
    for (const EyeFinder& finder : kEyeFinders) {
      FACEGATE_RETURN_IF_ERROR(FindEye(face, finder, stop, sightings));
    }
    Landmarks landmarks;
    for (const cv::Point2d& eye : FuseEyes(Prior(), sightings)) {
      landmarks.emplace_back(static_cast<float>(box.x + eye.x * box.width - 0.5),
                             static_cast<float>(box.y + eye.y * box.width - 0.5));
    }
    return landmarks;
  }

 private:
  // Looks in the half of the face where the finder's eye is due, and keeps the best hit.
  Status FindEye(const cv::Mat& face, const EyeFinder& finder, const StopCheck& stop,
                 std::vector<EyeSighting>& sightings) {
    constexpr double kWidth = kEyeSearchWidth;
    const cv::Rect half(static_cast<int>((finder.side == 0 ? 0.05 : 0.45) * kWidth),
                        static_cast<int>(0.15 * kWidth), static_cast<int>(0.50 * kWidth),
                        static_cast<int>(0.45 * kWidth));
    constexpr int kSmallestEye = static_cast<int>(0.14 * kWidth);
    constexpr int kLargestEye = static_cast<int>(0.45 * kWidth);
    FACEGATE_ASSIGN_OR_RETURN(
        const std::vector<CascadeHit> hits,
        FindHits(eyes_[finder.cascade], face(half), {.scale_step = 1.05, .min_neighbours = 2},
                 {.smallest = kSmallestEye, .largest = kLargestEye}, stop));
    double best_rank = 0;
    EyeSighting best;
    bool found = false;
    for (const CascadeHit& hit : hits) {
      const double share = hit.box.width / kWidth;
      const cv::Point2d centre((half.x + hit.box.x + hit.box.width / 2.0) / kWidth,
                               (half.y + hit.box.y + hit.box.height / 2.0) / kWidth);
      const double distance = cv::norm(centre - AverageEye(finder.side));
      const double rank = hit.neighbours - kDistancePenalty * distance;
      if (distance > kEyeGate || (found && rank <= best_rank)) continue;
      found = true;
      best_rank = rank;
      best.position = centre - cv::Point2d(finder.bias_x, finder.bias_y) * share;
    }
    if (!found) return OkStatus();
    best.side = finder.side;
    best.variance = {Square(finder.deviation_x) * kVarianceInflation,
                     Square(finder.deviation_y) * kVarianceInflation};
    sightings.push_back(best);
    return OkStatus();
  }

  cv::CascadeClassifier faces_;
  std::array<cv::CascadeClassifier, kEyeCascadeFiles.size()> eyes_;
};

class CascadeDetector : public Detector {
 public:
  explicit CascadeDetector(CascadeOptions options) : options_(std::move(options)) {}

  StatusOr<std::vector<DetectedFace>> Detect(const Image& image, const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto cascades, cascades_.Borrow([this] {
      return CascadeSet::Create(options_.directory);
    }));
    return CatchToStatus("running the cascades",
                         [&] { return DetectWith(*cascades, image, stop); });
  }

  const std::string& name() const override { return name_; }

 private:
  // The later ones are tried where the earlier ones find none.
  std::array<CascadeSearch, 3> Searches() const {
    const double mild_step = std::min(options_.scale_step, 1.05);
    const int mild_neighbours = std::min(options_.min_neighbours, 2);
    return {{{options_.scale_step, options_.min_neighbours, 0},
             {mild_step, mild_neighbours, 0},
             {mild_step, mild_neighbours, 0.25}}};
  }

  StatusOr<std::vector<DetectedFace>> DetectWith(CascadeSet& cascades, const Image& image,
                                                 const StopCheck& stop) const {
    FACEGATE_ASSIGN_OR_RETURN(const cv::Mat whole, GreyOf(image, stop));
    const ScaledSearch coarse =
        WholeSearch(whole.size(), options_.max_side, options_.min_face_share);
    const std::optional<ScaledSearch> fine = FineSearch(coarse, options_.min_face_pixels);
    const cv::Mat small = ScaledDown(whole, coarse.scale);
    std::vector<DetectedFace> faces;
    bool first = true;
    for (const CascadeSearch& search : Searches()) {
      FACEGATE_RETURN_IF_ERROR(AppendFaces(cascades, small, search, coarse, stop, faces));
      if (first && fine) {
        FACEGATE_RETURN_IF_ERROR(
            AppendFaces(cascades, ScaledDown(whole, fine->scale), search, *fine, stop, faces));
      }
      first = false;
      if (!faces.empty()) break;
    }
    return fine ? SuppressNonMaxima(std::move(faces), kSameFaceIou, 2 * kMaxFaces) : faces;
  }

  // Appends the faces of one search, in pixels of the whole picture.
  Status AppendFaces(CascadeSet& cascades, const cv::Mat& grey, const CascadeSearch& search,
                     const ScaledSearch& scaled, const StopCheck& stop,
                     std::vector<DetectedFace>& all) const {
    FACEGATE_ASSIGN_OR_RETURN(const FaceSearchResult found,
                              cascades.FindFaces(grey, search, scaled.sizes, stop));
    std::vector<DetectedFace> faces;
    faces.reserve(found.hits.size());
    for (const CascadeHit& hit : found.hits) {
      DetectedFace face;
      face.box = hit.box;
      face.score = static_cast<float>(hit.neighbours / (hit.neighbours + 8.0));
      faces.push_back(std::move(face));
    }
    faces = SuppressNonMaxima(std::move(faces), kSameFaceIou, kMaxFaces);
    for (DetectedFace& face : faces) {
      const cv::Rect box(face.box);
      FACEGATE_ASSIGN_OR_RETURN(face.landmarks, cascades.FindEyes(found.wider, box, stop));
      const cv::Point2f offset(static_cast<float>(found.border), static_cast<float>(found.border));
      face.box -= offset;
      for (cv::Point2f& eye : face.landmarks) eye -= offset;
      ScaleUp(face, 1 / scaled.scale);
      all.push_back(std::move(face));
    }
    return OkStatus();
  }

  // Moves a face to the pixels of the whole picture; a point is the centre of a pixel, a box lies
  // on edges.
  static void ScaleUp(DetectedFace& face, double factor) {
    if (factor == 1) return;
    const auto times = static_cast<float>(factor);
    face.box = {face.box.x * times, face.box.y * times, face.box.width * times,
                face.box.height * times};
    for (cv::Point2f& eye : face.landmarks) {
      eye = (eye + cv::Point2f(0.5f, 0.5f)) * times - cv::Point2f(0.5f, 0.5f);
    }
  }

  const CascadeOptions options_;
  const std::string name_ = "haar";
  FreeList<CascadeSet> cascades_;
};

Status CheckOptions(const CascadeOptions& options) {
  // Not "outside": NaN must fail too.
  if (!(options.scale_step > 1) || !(options.min_face_share >= 0 && options.min_face_share <= 1)) {
    return InvalidArgument(
        fmt::format("cascade: scale_step is {}, expected above 1; min_face_share is {}, expected 0 "
                    "to 1",
                    options.scale_step, options.min_face_share));
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

StatusOr<std::unique_ptr<Detector>> CreateCascadeDetector(const CascadeOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  // Reads the files once, so that a missing one is found at the start.
  FACEGATE_RETURN_IF_ERROR(CascadeSet::Create(options.directory).status());
  return std::make_unique<CascadeDetector>(options);
}

}  // namespace facegate
