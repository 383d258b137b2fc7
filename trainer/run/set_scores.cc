#include "trainer/run/set_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "face/base/counted.h"
#include "face/base/embedding.h"

namespace facegate {
namespace {

using MaybeEmbedding = std::optional<Embedding>;

StatusOr<AlignedFace> LoadCrop(const EvaluationSet& set, size_t photo,
                               AlignmentTemplate alignment) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Mat picture, set.source->Load(photo));
  std::optional<cv::Mat> crop = CropIn(picture, alignment);
  if (crop.has_value()) return AlignedFace{.bgr = *std::move(crop)};
  const cv::Size size = CropSize(alignment);
  return InvalidArgument(fmt::format("{}: is {} x {}, expected an aligned crop of {} x {}",
                                     set.source->name(photo), picture.cols, picture.rows,
                                     size.width, size.height));
}

// Counts why photos could not be used, for each reason.
class Reasons {
 public:
  void Add(const std::string& photo, const Status& status) {
    std::string reason(MessageOf(status));
    // The same reason of two photos differs in their names.
    if (const size_t at = reason.find(photo); at != std::string::npos) {
      reason.replace(at, photo.size(), "");
    }
    const size_t begin = reason.find_first_not_of(": ");
    counts_[begin == std::string::npos ? "unknown" : reason.substr(begin)] += 1;
    count_ += 1;
  }
  size_t count() const { return count_; }
  // The most frequent first.
  std::string Text() const {
    std::vector<std::pair<std::string, size_t>> all(counts_.begin(), counts_.end());
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& one, const auto& other) { return one.second > other.second; });
    all.resize(std::min(all.size(), kReasonsShown));
    std::string text;
    for (const auto& [reason, count] : all) {
      text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", Counted(count, "time", "times"),
                          reason);
    }
    return text;
  }

 private:
  static constexpr size_t kReasonsShown = 4;
  std::map<std::string, size_t> counts_;
  size_t count_ = 0;
};

StatusOr<std::vector<MaybeEmbedding>> EmbedAll(
    const EvaluationSet& set, Embedder& embedder,
    const std::function<void(const Status&)>& on_bad_photo, Reasons& reasons) {
  const AlignmentTemplate alignment = embedder.card().preprocessing.alignment;
  const auto most = static_cast<size_t>(embedder.max_batch());
  std::vector<MaybeEmbedding> all(set.photos.size());
  std::vector<AlignedFace> faces;
  std::vector<size_t> places;
  faces.reserve(most);
  places.reserve(most);
  const auto embed = [&]() -> Status {
    if (faces.empty()) return OkStatus();
    FACEGATE_ASSIGN_OR_RETURN(auto embeddings, embedder.Embed(faces));
    for (size_t i = 0; i < places.size(); ++i) all[places[i]] = std::move(embeddings[i]);
    faces.clear();
    places.clear();
    return OkStatus();
  };
  for (size_t i = 0; i < set.photos.size(); ++i) {
    auto face = LoadCrop(set, set.photos[i], alignment);
    if (!face.ok()) {
      on_bad_photo(face.status());
      reasons.Add(set.source->name(set.photos[i]), face.status());
      continue;
    }
    faces.push_back(*std::move(face));
    places.push_back(i);
    if (faces.size() == most) FACEGATE_RETURN_IF_ERROR(embed());
  }
  // The last batch is as the others, only smaller.
  FACEGATE_RETURN_IF_ERROR(embed());
  return all;
}

cv::Mat PictureOf(const EvaluationSet& set, size_t photo) {
  auto picture = set.source->Load(set.photos[photo]);
  return picture.ok() ? *std::move(picture) : cv::Mat();
}

}  // namespace

StatusOr<SetScores> ScoreSet(const EvaluationSet& set, Embedder& embedder,
                             const std::function<void(const Status&)>& on_bad_photo) {
  Reasons reasons;
  FACEGATE_ASSIGN_OR_RETURN(const auto embeddings, EmbedAll(set, embedder, on_bad_photo, reasons));
  SetScores scores;
  scores.pairs.reserve(set.pairs.size());
  scores.numbers.reserve(set.pairs.size());
  for (size_t i = 0; i < set.pairs.size(); ++i) {
    const EvaluationSet::Pair& pair = set.pairs[i];
    const MaybeEmbedding& first = embeddings[pair.first];
    const MaybeEmbedding& second = embeddings[pair.second];
    if (!first.has_value() || !second.has_value()) continue;
    scores.pairs.push_back(
        {.cosine = CosineScore(first->values(), second->values()), .same = pair.same});
    scores.numbers.push_back(i);
  }
  if (scores.pairs.size() < EvaluationSet::kFewestPairs) {
    return InvalidArgument(fmt::format(
        "{} of the {} pairs of {} are left, {} are needed: {} of {} photos cannot be used ({})",
        scores.pairs.size(), set.pairs.size(), set.name, EvaluationSet::kFewestPairs,
        reasons.count(), set.photos.size(), reasons.Text()));
  }
  FACEGATE_ASSIGN_OR_RETURN(
      scores.accuracy, CrossValidate(scores.pairs, EvaluationSet::kFolds, ThresholdRule::kExact));
  FACEGATE_ASSIGN_OR_RETURN(const auto distribution, ScoreDistribution::Make(scores.pairs));
  FACEGATE_ASSIGN_OR_RETURN(const AcceptanceAtFar at_1e2, distribution.AtFar(1e-2));
  FACEGATE_ASSIGN_OR_RETURN(const AcceptanceAtFar at_1e3, distribution.AtFar(1e-3));
  scores.tar_1e2 = at_1e2.tar.value;
  scores.tar_1e3 = at_1e3.tar.value;
  scores.threshold_1e3 = at_1e3.threshold;
  scores.impostors = distribution.impostor().size();
  scores.eer = distribution.EqualErrorRate();
  scores.auc = distribution.Auc();
  scores.d_prime = distribution.DPrime();
  return scores;
}

report::EvaluationRow RowOf(const SetScores& scores, const std::string& set, int64_t batch,
                            double epoch) {
  return {.batch = batch,
          .epoch = epoch,
          .set = set,
          .accuracy = scores.accuracy.mean,
          .deviation = scores.accuracy.deviation,
          .tar_1e2 = scores.tar_1e2,
          .tar_1e3 = scores.tar_1e3,
          .eer = scores.eer,
          .auc = scores.auc,
          .d_prime = scores.d_prime,
          .threshold = scores.accuracy.threshold};
}

report::ScoredSet ReportOf(const EvaluationSet& set, const SetScores& scores, size_t most) {
  report::ScoredSet report{.name = set.name,
                           .genuine = {},
                           .impostor = {},
                           .threshold = scores.accuracy.threshold,
                           .accuracy = scores.accuracy,
                           .hardest = {}};
  std::vector<size_t> genuine;
  std::vector<size_t> impostor;
  for (size_t i = 0; i < scores.pairs.size(); ++i) {
    (scores.pairs[i].same ? genuine : impostor).push_back(i);
    (scores.pairs[i].same ? report.genuine : report.impostor).push_back(scores.pairs[i].cosine);
  }
  const auto cosine = [&](size_t i) { return scores.pairs[i].cosine; };
  std::stable_sort(genuine.begin(), genuine.end(),
                   [&](size_t a, size_t b) { return cosine(a) < cosine(b); });
  std::stable_sort(impostor.begin(), impostor.end(),
                   [&](size_t a, size_t b) { return cosine(a) > cosine(b); });
  genuine.resize(std::min(most, genuine.size()));
  impostor.resize(std::min(most, impostor.size()));
  genuine.insert(genuine.end(), impostor.begin(), impostor.end());
  report.hardest.reserve(genuine.size());
  for (const size_t i : genuine) {
    const EvaluationSet::Pair& pair = set.pairs[scores.numbers[i]];
    report.hardest.push_back({.first = PictureOf(set, pair.first),
                              .second = PictureOf(set, pair.second),
                              .cosine = cosine(i),
                              .genuine = pair.same,
                              .first_name = set.source->name(set.photos[pair.first]),
                              .second_name = set.source->name(set.photos[pair.second])});
  }
  return report;
}

}  // namespace facegate
