#include "trainer/quality/sample_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <span>
#include <utility>

#include "face/base/embedding.h"
#include "face/base/random.h"
#include "face/detect/second_look.h"
#include "face/image/align.h"

namespace facegate {
namespace {

constexpr uint64_t kChoice = 91;
constexpr uint64_t kView = 92;

// Numbers of crops, in order: a random choice where there are more than wanted.
std::vector<size_t> ChooseCrops(size_t available, size_t most, uint64_t seed, size_t set) {
  std::vector<size_t> all(available);
  std::iota(all.begin(), all.end(), size_t{0});
  if (available <= most) return all;
  RandomStream random(seed, kChoice, set);
  for (size_t i = 0; i < most; ++i) std::swap(all[i], all[i + random.Below(available - i)]);
  all.resize(most);
  std::sort(all.begin(), all.end());
  return all;
}

// The part of ArcFace's crop that a teacher takes.
AlignedFace ForTeacher(const cv::Mat& crop, const Embedder& teacher) {
  const AlignmentTemplate alignment = teacher.card().preprocessing.alignment;
  if (alignment == AlignmentTemplate::kArcFace112) return {.bgr = crop};
  const cv::Size size = CropSize(alignment);
  return {.bgr = crop(cv::Rect({(crop.cols - size.width) / 2, (crop.rows - size.height) / 2}, size))
                     .clone()};
}

// The least cosine of the teachers between the first crop and each other.
StatusOr<std::vector<float>> ScoresOf(const std::vector<cv::Mat>& crops,
                                      const std::vector<Embedder*>& teachers) {
  std::vector<float> scores(crops.size() - 1, 1.0F);
  for (Embedder* const teacher : teachers) {
    std::vector<Embedding> embeddings;
    const auto batch = static_cast<size_t>(teacher->max_batch());
    for (size_t begin = 0; begin < crops.size(); begin += batch) {
      std::vector<AlignedFace> faces;
      for (size_t i = begin; i < std::min(crops.size(), begin + batch); ++i) {
        faces.push_back(ForTeacher(crops[i], *teacher));
      }
      FACEGATE_ASSIGN_OR_RETURN(std::vector<Embedding> part, teacher->Embed(faces));
      std::move(part.begin(), part.end(), std::back_inserter(embeddings));
    }
    for (size_t i = 0; i < scores.size(); ++i) {
      const auto score =
          static_cast<float>(CosineScore(embeddings[0].values(), embeddings[i + 1].values()));
      scores[i] = std::min(scores[i], score);
    }
  }
  return scores;
}

float NumberOf(const std::optional<bool>& visible) {
  if (!visible) return std::numeric_limits<float>::quiet_NaN();
  return *visible ? 1.0F : 0.0F;
}

class SampleMaker {
 public:
  SampleMaker(const std::vector<Embedder*>& teachers, const SampleMakerOptions& options)
      : teachers_(teachers), options_(options) {}

  Status Add(const QualityCrops& set, size_t set_number, size_t crop_number) {
    const std::string name = set.dataset->name(crop_number);
    FACEGATE_ASSIGN_OR_RETURN(const cv::Mat clean, set.dataset->Load(crop_number));
    if (clean.size() != TrainingCropSize()) {
      return InvalidArgument(fmt::format("{} is {}x{} pixels, expected an aligned crop of {}x{}",
                                         name, clean.cols, clean.rows, TrainingCropSize().width,
                                         TrainingCropSize().height));
    }
    std::vector<cv::Mat> crops = {clean};
    std::vector<QualityView> views;
    for (size_t i = 0; i < options_.views; ++i) {
      RandomStream random(options_.seed, kView, set_number, crop_number, i);
      FACEGATE_ASSIGN_OR_RETURN(QualityView view, DrawQualityView(clean, random));
      crops.push_back(view.crop);
      views.push_back(std::move(view));
    }
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<float> scores, ScoresOf(crops, teachers_));
    const uint32_t person = PersonNumber(set.people[set.dataset->label(crop_number)]);
    for (size_t i = 0; i < views.size(); ++i) Keep(views[i], person, scores[i]);
    return OkStatus();
  }

  QualitySamples Take() { return std::move(samples_); }

 private:
  uint32_t PersonNumber(const std::string& name) {
    const auto [place, added] =
        numbers_.emplace(name, static_cast<uint32_t>(samples_.people.size()));
    if (added) samples_.people.push_back(name);
    return place->second;
  }

  void Keep(const QualityView& view, uint32_t person, float score) {
    cv::Mat grey;
    cv::cvtColor(view.crop, grey, cv::COLOR_BGR2GRAY);
    const cv::Mat frame = CutAlignedFrame(grey);
    samples_.pixels.append(frame.ptr<char>(), frame.total());
    samples_.targets.push_back({.person = person,
                                .flaw = view.flaw,
                                .score = score,
                                .eyes_visible = NumberOf(view.eyes_visible),
                                .mouth_visible = NumberOf(view.mouth_visible)});
  }

  const std::vector<Embedder*>& teachers_;
  const SampleMakerOptions options_;
  std::map<std::string, uint32_t> numbers_;
  QualitySamples samples_;
};

}  // namespace

size_t CropsTaken(const std::vector<QualityCrops>& sets, const SampleMakerOptions& options) {
  size_t total = 0;
  for (const QualityCrops& set : sets) total += std::min(options.crops, set.dataset->size());
  return total;
}

StatusOr<QualitySamples> MakeQualitySamples(const std::vector<QualityCrops>& sets,
                                            const std::vector<Embedder*>& teachers,
                                            const SampleMakerOptions& options,
                                            const std::function<void()>& on_crop) {
  SampleMaker maker(teachers, options);
  for (size_t set = 0; set < sets.size(); ++set) {
    for (const size_t crop :
         ChooseCrops(sets[set].dataset->size(), options.crops, options.seed, set)) {
      FACEGATE_RETURN_IF_ERROR(maker.Add(sets[set], set, crop));
      on_crop();
    }
  }
  return maker.Take();
}

}  // namespace facegate
