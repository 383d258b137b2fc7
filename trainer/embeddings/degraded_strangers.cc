#include "trainer/embeddings/degraded_strangers.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <string>
#include <unordered_set>
#include <utility>

#include "face/base/catch.h"
#include "trainer/measure/judged_pairs.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

// The faces of one run of photos; an error that is not a missing face ends the work.
Status FirstFailure(std::span<const StatusOr<JudgedCrop>> faces) {
  for (const StatusOr<JudgedCrop>& face : faces) {
    if (!face.ok() && ReasonOf(face.status()) != Reason::kNoFace) return face.status();
  }
  return OkStatus();
}

StatusOr<StrangerRow> MeasureRow(PhotoEmbedder& embedder, const NamedPhotos& photos,
                                 std::span<const size_t> chosen, const Degradation& cell,
                                 const DegradedStrangersOptions& options,
                                 const PersonResampling& resampling,
                                 const std::function<void()>& on_photo) {
  std::vector<float> values;
  std::vector<std::string> names;
  PhotoQualities qualities;
  for (size_t begin = 0; begin < chosen.size(); begin += PhotoEmbedder::kMostFaces) {
    const size_t count = std::min(PhotoEmbedder::kMostFaces, chosen.size() - begin);
    const auto faces = embedder.CutWith(count, [&](size_t i) -> StatusOr<JudgedCrop> {
      const size_t photo = chosen[begin + i];
      FACEGATE_ASSIGN_OR_RETURN(const Image image, photos.Load(photo));
      RandomStream random(options.seed, static_cast<uint64_t>(cell.kind),
                          std::bit_cast<uint64_t>(cell.strength), begin + i);
      auto face = CutDegraded(embedder.cutter(), photos.name(photo), image, cell, random);
      if (!face.ok()) return Annotate(face.status(), ShownName(photos.name(photo)));
      return face;
    });
    FACEGATE_RETURN_IF_ERROR(FirstFailure(faces));
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<float> rows, EmbedFound(embedder, faces));
    values.insert(values.end(), rows.begin(), rows.end());
    for (size_t i = 0; i < count; ++i) {
      names.push_back(photos.name(chosen[begin + i]));
      qualities.push_back(faces[i].ok() ? faces[i]->quality
                                        : std::numeric_limits<double>::quiet_NaN());
      on_photo();
    }
  }
  FACEGATE_ASSIGN_OR_RETURN(const EmbeddingSet set,
                            EmbeddingSet::Make(std::move(names), embedder.width(), values, {},
                                               MirrorRule::kPlain, NoFaceRule::kMiss));
  return CountStrangers(DegradationName(cell), set, qualities, options.limits, options.threshold,
                        resampling);
}

// A turned crop that is not square, in the size of upright ones: about the middle, so that the face
// keeps its shape.
cv::Mat FittedTurned(const cv::Mat& crop, const cv::Size& size) {
  const int across = std::max(0, size.width - crop.cols) / 2;
  const int down = std::max(0, size.height - crop.rows) / 2;
  cv::Mat padded;
  cv::copyMakeBorder(crop, padded, down, down, across, across, cv::BORDER_REPLICATE);
  const cv::Point corner((padded.cols - size.width) / 2, (padded.rows - size.height) / 2);
  return padded(cv::Rect(corner, size)).clone();
}

StatusOr<JudgedCrop> DegradedCrop(const FaceCutter& cutter, const std::string& name,
                                  const Image& photo, const Degradation& degradation,
                                  RandomStream& random) {
  FACEGATE_ASSIGN_OR_RETURN(AlignedFace crop, cutter.Cut(name, photo));
  const cv::Size size = crop.bgr.size();
  const auto points = TemplatePoints(cutter.alignment());
  FACEGATE_ASSIGN_OR_RETURN(
      crop.bgr, Degrade(crop.bgr, Landmarks(points.begin(), points.end()), degradation, random));
  return CatchToStatus("degrading a crop", [&] {
    if (degradation.kind == DegradationKind::kTurn) {
      crop.bgr = FittedTurned(crop.bgr, size);
    } else if (crop.bgr.size() != size) {
      cv::resize(crop.bgr, crop.bgr, size, 0, 0, cv::INTER_CUBIC);
    }
    return cutter.JudgeCrop(std::move(crop));
  });
}

}  // namespace

std::vector<size_t> OnePhotoEach(const EmbeddingSet& set, size_t most) {
  std::vector<size_t> order(set.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return set.names()[a] < set.names()[b]; });
  const PeopleOfPhotos people = NumberPeople(set);
  std::unordered_set<size_t> seen;
  std::erase_if(order, [&](size_t photo) { return !seen.insert(people.person[photo]).second; });
  if (order.size() <= most) return order;
  std::vector<size_t> chosen;
  chosen.reserve(most);
  for (size_t i = 0; i < most; ++i) chosen.push_back(order[i * order.size() / most]);
  return chosen;
}

StatusOr<JudgedCrop> CutDegraded(const FaceCutter& cutter, const std::string& name,
                                 const Image& photo, const Degradation& degradation,
                                 RandomStream& random) {
  if (cutter.IsCrop(photo)) return DegradedCrop(cutter, name, photo, degradation, random);
  FACEGATE_ASSIGN_OR_RETURN(DetectedFace face, cutter.FindFace(name, photo));
  Image degraded;
  FACEGATE_ASSIGN_OR_RETURN(degraded.bgr, Degrade(photo.bgr, face.landmarks, degradation, random));
  if (cutter.detects()) return cutter.CutAndJudge(name, degraded);
  face.landmarks = LandmarksAfter(degradation, photo.bgr.size(), face.landmarks);
  if (degradation.kind == DegradationKind::kTurn) {
    face.quarter_turns = 4 - static_cast<int>(degradation.strength) / 90;
  }
  return cutter.CutFace(degraded, face);
}

StatusOr<std::vector<StrangerRow>> MeasureStrangers(PhotoEmbedder& embedder,
                                                    const NamedPhotos& photos,
                                                    std::span<const size_t> chosen,
                                                    const DegradedStrangersOptions& options,
                                                    const PersonResampling& resampling,
                                                    const std::function<void()>& on_photo) {
  std::vector<StrangerRow> rows;
  rows.reserve(options.cells.size());
  for (const Degradation& cell : options.cells) {
    FACEGATE_ASSIGN_OR_RETURN(
        StrangerRow row, MeasureRow(embedder, photos, chosen, cell, options, resampling, on_photo));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace facegate
