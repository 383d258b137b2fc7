#include "trainer/landmarks/preparation.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "face/base/mutex.h"
#include "face/base/random.h"
#include "face/detect/cascade_search.h"
#include "face/detect/face_frame.h"
#include "face/detect/non_maximum.h"
#include "face/image/decode.h"

namespace facegate {
namespace {

constexpr uint64_t kStream = 71;
constexpr DecodeLimits kLimits{.max_bytes = 256ULL << 20, .max_pixels = 200'000'000, .heif = true};
constexpr int kMaxSide = 640;
// The search is as loose as that of the detector that will use the network.
constexpr CascadeSearch kSearch{.scale_step = 1.1, .min_neighbours = 1};
// A patch shows this much more than the frame of the face, or than a negative's box.
constexpr double kPatchOverFrame = 2.2;
constexpr double kPatchOverNegative = 1.6;
// A frame has this side in its patch, in pixels, unless the photo has fewer.
constexpr double kFrameSide = 128.0;
// A box is the face's own where its centre is nearer to that of the frame than this and neither is
// larger than the other by more than kSizeRatio, in sides of the frame.
constexpr double kSameCentre = 0.35;
constexpr double kSizeRatio = 1.7;
// A photo is cut into so many pieces each way.
constexpr int kPieces = 5;
constexpr size_t kMostNegatives = 4;  // of one photo
// A negative has at least this share of the frame of the photo's face: smaller boxes cost the most
// time and teach the same.
constexpr double kLeastNegative = 0.35;

struct Patch {
  cv::Mat pixels;
  cv::Point2d corner;  // its first edge in edges of the picture
  double scale = 1.0;  // its pixels of one of the picture

  cv::Point2d ToPatch(const cv::Point2d& edge) const { return (edge - corner) * scale; }
  cv::Rect2d ToPatch(const cv::Rect2d& box) const { return {ToPatch(box.tl()), ToPatch(box.br())}; }
};

// The upright square of the picture around `centre` (a landmark's pixel).
Patch CutPatch(const cv::Mat& grey, const cv::Point2d& centre, double side, double frame_side) {
  const double most = side / frame_side * kFrameSide;
  const int size = std::max(8, static_cast<int>(std::lround(std::min(side, most))));
  Patch patch;
  patch.pixels = CutFrame(grey, {.centre = centre, .side = side, .angle = 0.0}, size);
  patch.scale = size / side;
  patch.corner = centre + cv::Point2d(0.5, 0.5) - cv::Point2d(side / 2, side / 2);
  return patch;
}

// Boxes of widths from `least` to `most`, pixels of the picture.
StatusOr<std::vector<cv::Rect2d>> BoxesIn(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                                          double least, double most) {
  const double scale =
      std::min(1.0, static_cast<double>(kMaxSide) / std::max(grey.rows, grey.cols));
  cv::Mat small = grey;
  if (scale < 1) cv::resize(grey, small, {}, scale, scale, cv::INTER_AREA);
  cv::Mat equalised;
  cv::equalizeHist(small, equalised);
  const int smallest = std::max(kSmallestFace, static_cast<int>(least * scale));
  const int largest = std::max(smallest, static_cast<int>(most * scale));
  FACEGATE_ASSIGN_OR_RETURN(
      const std::vector<CascadeHit> hits,
      FindHits(cascade, equalised, kSearch, {.smallest = smallest, .largest = largest}, {}));
  std::vector<cv::Rect2d> boxes;
  boxes.reserve(hits.size());
  for (const CascadeHit& hit : hits) {
    boxes.emplace_back(hit.box.x / scale, hit.box.y / scale, hit.box.width / scale,
                       hit.box.height / scale);
  }
  return boxes;
}

std::optional<cv::Rect2d> BoxOfFace(const std::vector<cv::Rect2d>& boxes, const FaceFrame& frame) {
  std::optional<cv::Rect2d> best;
  double nearest = kSameCentre;
  for (const cv::Rect2d& box : boxes) {
    const cv::Point2d centre = (box.tl() + box.br()) * 0.5 - cv::Point2d(0.5, 0.5);
    const double distance = cv::norm(centre - frame.centre) / frame.side;
    const double ratio = std::max(box.width / frame.side, frame.side / box.width);
    if (distance >= nearest || ratio > kSizeRatio) continue;
    nearest = distance;
    best = box;
  }
  return best;
}

cv::Mat UpsideDown(const cv::Mat& grey) {
  cv::Mat turned;
  cv::flip(grey, turned, 0);
  return turned;
}

cv::Mat InPieces(const cv::Mat& grey, RandomStream& random) {
  const cv::Size piece(grey.cols / kPieces, grey.rows / kPieces);
  if (piece.width < 1 || piece.height < 1) return UpsideDown(grey);
  std::vector<int> order(size_t{kPieces} * kPieces);
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  random.Shuffle(std::span(order));
  const auto place = [&](int number) {
    return cv::Rect(number % kPieces * piece.width, number / kPieces * piece.height, piece.width,
                    piece.height);
  };
  cv::Mat mixed(piece.height * kPieces, piece.width * kPieces, CV_8UC1);
  for (size_t i = 0; i < order.size(); ++i) {
    grey(place(order[i])).copyTo(mixed(place(static_cast<int>(i))));
  }
  return mixed;
}

// The samples that one photo gives.
struct PhotoSamples {
  LandmarkSample face;
  std::vector<NegativeSample> negatives;
};

StatusOr<PhotoSamples> SamplesOf(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                                 const Landmarks& landmarks, RandomStream& random) {
  PhotoSamples samples;
  FACEGATE_ASSIGN_OR_RETURN(const FaceFrame frame, FrameOfLandmarks(landmarks));
  const Patch patch = CutPatch(grey, frame.centre, kPatchOverFrame * frame.side, frame.side);
  FACEGATE_ASSIGN_OR_RETURN(samples.face.jpeg, EncodePatch(patch.pixels));
  samples.face.points.reserve(landmarks.size());
  for (const cv::Point2f& point : landmarks) {
    const cv::Point2d edge = patch.ToPatch(cv::Point2d(point) + cv::Point2d(0.5, 0.5));
    samples.face.points.emplace_back(edge - cv::Point2d(0.5, 0.5));
  }
  FACEGATE_ASSIGN_OR_RETURN(
      const std::vector<cv::Rect2d> near_the_face,
      BoxesIn(cascade, grey, frame.side / kSizeRatio, frame.side * kSizeRatio));
  if (const auto box = BoxOfFace(near_the_face, frame)) {
    samples.face.box = patch.ToPatch(*box);
  }
  const cv::Mat faceless = random.Chance(0.5) ? UpsideDown(grey) : InPieces(grey, random);
  FACEGATE_ASSIGN_OR_RETURN(std::vector<cv::Rect2d> boxes,
                            BoxesIn(cascade, faceless, kLeastNegative * frame.side, faceless.cols));
  random.Shuffle(std::span(boxes));
  if (boxes.size() > kMostNegatives) boxes.resize(kMostNegatives);
  samples.negatives.reserve(boxes.size());
  for (const cv::Rect2d& box : boxes) {
    const cv::Point2d centre = (box.tl() + box.br()) * 0.5 - cv::Point2d(0.5, 0.5);
    const Patch around = CutPatch(faceless, centre, kPatchOverNegative * box.width, box.width);
    NegativeSample negative;
    FACEGATE_ASSIGN_OR_RETURN(negative.jpeg, EncodePatch(around.pixels));
    negative.box = around.ToPatch(box);
    samples.negatives.push_back(std::move(negative));
  }
  return samples;
}

StatusOr<PhotoSamples> SamplesOfFile(cv::CascadeClassifier& cascade, const std::string& path,
                                     const Landmarks& landmarks, RandomStream random) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kLimits.max_bytes));
  const StatusOr<Image> photo = DecodeImage(bytes, kLimits);
  if (!photo.ok()) return Annotate(photo.status(), path);
  StatusOr<PhotoSamples> samples = CatchToStatus("preparing", [&]() -> StatusOr<PhotoSamples> {
    cv::Mat grey;
    cv::cvtColor(photo->bgr, grey, cv::COLOR_BGR2GRAY);
    return SamplesOf(cascade, grey, landmarks, random);
  });
  if (!samples.ok()) return Annotate(samples.status(), path);
  return samples;
}

// Prepares photos on several threads; results lie in the order of names.
class Preparation {
 public:
  Preparation(const OrderedLandmarks& landmarks, const PreparationOptions& options,
              const std::function<void()>& on_photo)
      : options_(options), on_photo_(on_photo) {
    work_.reserve(landmarks.size());
    for (const auto& one : landmarks) work_.push_back(&one);
    results_.resize(work_.size());
  }

  StatusOr<LandmarkSamples> Run() {
    std::vector<std::jthread> threads;
    threads.reserve(static_cast<size_t>(options_.threads));
    for (int i = 0; i < options_.threads; ++i) threads.emplace_back([this] { Work(); });
    for (std::jthread& thread : threads) thread.join();
    {
      const MutexLock lock(mutex_);
      FACEGATE_RETURN_IF_ERROR(failure_);
    }
    return Collect();
  }

 private:
  void Work() {
    cv::CascadeClassifier cascade;
    if (const Status loaded = LoadCascade(options_.cascades, kFaceCascadeFile, cascade);
        !loaded.ok()) {
      return Fail(loaded);
    }
    for (size_t i = next_++; i < work_.size(); i = next_++) {
      const std::string path = (std::filesystem::path(options_.photos) / work_[i]->first).string();
      StatusOr<PhotoSamples> samples =
          SamplesOfFile(cascade, path, work_[i]->second, RandomStream(options_.seed, kStream, i));
      if (!samples.ok()) return Fail(samples.status());
      results_[i] = *std::move(samples);
      const MutexLock lock(mutex_);
      on_photo_();
    }
  }

  void Fail(const Status& status) {
    next_ = work_.size();
    const MutexLock lock(mutex_);
    if (failure_.ok()) failure_ = status;
  }

  LandmarkSamples Collect() {
    LandmarkSamples samples;
    samples.photos.reserve(work_.size());
    samples.faces.reserve(work_.size());
    for (size_t i = 0; i < work_.size(); ++i) {
      samples.photos.push_back(work_[i]->first);
      results_[i].face.photo = static_cast<uint32_t>(i);
      samples.faces.push_back(std::move(results_[i].face));
      for (NegativeSample& negative : results_[i].negatives) {
        negative.photo = static_cast<uint32_t>(i);
        samples.negatives.push_back(std::move(negative));
      }
    }
    return samples;
  }

  const PreparationOptions& options_;
  const std::function<void()>& on_photo_;
  std::vector<const OrderedLandmarks::value_type*> work_;
  std::vector<PhotoSamples> results_;  // each written by one thread
  std::atomic<size_t> next_ = 0;
  Mutex mutex_;
  Status failure_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace

StatusOr<LandmarkSamples> PrepareSamples(const OrderedLandmarks& landmarks,
                                         const PreparationOptions& options,
                                         const std::function<void()>& on_photo) {
  return Preparation(landmarks, options, on_photo).Run();
}

}  // namespace facegate
