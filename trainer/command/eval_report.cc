#include "trainer/command/eval_report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "face/base/clock.h"
#include "face/base/version.h"
#include "trainer/embeddings/face_cutter.h"
#include "trainer/embeddings/named_photos.h"
#include "trainer/photos/photo_finder.h"

namespace facegate {
namespace {

constexpr size_t kHardestPairs = 8;  // of each kind

std::string FileName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// Faces as they are shown: cut out where that is possible, else the photo.
class Pictures {
 public:
  Pictures(const EvalOptions& options, const PairSource& set)
      : folder_(options.photos),
        finder_(options.photos),
        crops_already_(options.embedding.faces.crops || options.embedding.faces.centre_crop > 0),
        own_(set.pictures) {
    for (size_t i = 0; own_ != nullptr && i < own_->size(); ++i) {
      numbers_.emplace(set.PictureName(i), i);
    }
    if (folder_.empty() || crops_already_ || own_ != nullptr) return;
    auto cutter = FaceCutter::Create(options.embedding.faces, AlignmentTemplate::kArcFace112);
    if (cutter.ok()) cutter_ = *std::move(cutter);
  }

  // Empty where the photo cannot be read.
  cv::Mat Of(const std::string& name) {
    if (own_ != nullptr) {
      const StatusOr<cv::Mat> picture = own_->Load(numbers_.at(name));
      if (picture.ok()) return *picture;
      unreadable_.insert(name);
      return {};
    }
    if (folder_.empty()) return {};
    const auto photos =
        MakeFilePhotos({{.name = name, .path = finder_.Find(name).value_or(finder_.PathOf(name))}});
    const StatusOr<Image> photo = photos->Load(0);
    if (!photo.ok()) {
      unreadable_.insert(name);
      return {};
    }
    if (cutter_ != nullptr) {
      if (const auto face = cutter_->Cut(name, *photo); face.ok()) return face->bgr;
    }
    return photo->bgr;
  }

  size_t unreadable() const { return unreadable_.size(); }

 private:
  const std::string folder_;
  PhotoFinder finder_;
  const bool crops_already_;
  const std::shared_ptr<const Dataset> own_;         // of the set; null: those of the folder
  std::unordered_map<std::string, size_t> numbers_;  // of its own pictures
  std::unique_ptr<FaceCutter> cutter_;               // null: photos are shown whole
  std::set<std::string> unreadable_;
};

// The pairs of a kind that are furthest on the wrong side, worst first.
std::vector<size_t> Hardest(const std::vector<ScoredPair>& pairs, bool genuine) {
  std::vector<size_t> numbers;
  numbers.reserve(pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].comparable && pairs[i].same == genuine) numbers.push_back(i);
  }
  const auto count = static_cast<std::ptrdiff_t>(std::min(numbers.size(), kHardestPairs));
  std::partial_sort(numbers.begin(), numbers.begin() + count, numbers.end(),
                    [&pairs, genuine](size_t a, size_t b) {
                      if (pairs[a].cosine == pairs[b].cosine) return a < b;
                      return (pairs[a].cosine < pairs[b].cosine) == genuine;
                    });
  numbers.resize(static_cast<size_t>(count));
  return numbers;
}

std::string Interval(const Share& share) {
  return fmt::format("{:.2f} % ({:.2f} to {:.2f})", 100.0 * share.value, 100.0 * share.low,
                     100.0 * share.high);
}

std::vector<std::pair<std::string, std::string>> IdentificationFacts(const EvalReport& report) {
  std::vector<std::pair<std::string, std::string>> facts;
  if (report.without_face > 0) {
    facts.emplace_back(
        "photos without a face",
        fmt::format("{}: they count as matching no one, with cosine -1 in the curves",
                    report.without_face));
  }
  if (!report.identification.has_value()) return facts;
  const EvalReport::Identification& found = *report.identification;
  facts.emplace_back("1:N", fmt::format("{} people enrolled, {} probes, {} strangers", found.people,
                                        found.probes, found.strangers));
  facts.emplace_back("found at rank 1", Interval(found.rank_1));
  facts.emplace_back("within 5", Interval(found.rank_5));
  facts.emplace_back("within 10", Interval(found.rank_10));
  for (const OpenSetRate& rate : found.open_set) {
    facts.emplace_back(fmt::format("open set, FPIR {:g}", rate.fpir),
                       fmt::format("{}, cosine above {:.4f}", Interval(rate.tpir), rate.threshold));
  }
  return facts;
}

std::string ConfigurationOf(const EvalOptions& options) {
  std::string text;
  const auto line = [&text](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<12}{}\n", name, value);
  };
  line("model", options.embedding.model);
  line("embeddings", options.embeddings.value_or(""));
  line("order", options.order.value_or(""));
  line("photos", options.photos);
  line("landmarks", options.embedding.faces.landmarks.value_or(""));
  line("detector", options.embedding.faces.detector.value_or(""));
  line("yunet", options.embedding.faces.yunet.value_or(""));
  line("landmark net", options.embedding.faces.landmark_net.value_or(""));
  line("no face", options.no_face == NoFaceRule::kMiss ? "miss" : "");
  for (const std::string& pairs : options.pairs) line("pairs", pairs);
  line("mirror", options.mirror == MirrorRule::kPlain ? "none"
                 : options.mirror == MirrorRule::kSum ? "sum"
                                                      : "concat");
  return text;
}

}  // namespace

Status CheckReportPath(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return OkStatus();
  return RefuseField("--report", fmt::format("{} is not a folder", folder.string()));
}

Status EvalPage::Add(const PairSource& set, const EmbeddingSet& embeddings,
                     const EvalResult& result) {
  const EvalReport& report = result.report;
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<ScoredPair> pairs,
                            ScorePairs(set.list, embeddings, embeddings));
  report::ScoredSet scored{.name = set.name,
                           .genuine = {},
                           .impostor = {},
                           .threshold = report.exact.threshold,
                           .accuracy = report.exact,
                           .facts = IdentificationFacts(report)};
  for (const ScoredPair& pair : pairs) {
    (pair.same ? scored.genuine : scored.impostor).push_back(pair.cosine);
  }
  Pictures pictures(options_, set);
  for (const bool genuine : {true, false}) {
    for (const size_t number : Hardest(pairs, genuine)) {
      const FacePair& pair = set.list.pairs[number];
      scored.hardest.push_back({.first = pictures.Of(pair.first),
                                .second = pictures.Of(pair.second),
                                .cosine = pairs[number].cosine,
                                .genuine = genuine,
                                .first_name = pair.first,
                                .second_name = pair.second});
    }
  }
  unreadable_ += pictures.unreadable();
  input_.sets.push_back(std::move(scored));
  input_.quality = result.quality;
  input_.summary +=
      fmt::format("{}{}{} photos, {} pairs in {} folds.", input_.summary.empty() ? "" : " ",
                  options_.pairs.size() > 1 ? set.name + ": " : "", report.photos,
                  set.list.pairs.size(), set.list.folds);
  return OkStatus();
}

Status EvalPage::Write() {
  input_.title =
      "Evaluation of " + FileName(options_.embeddings.value_or(options_.embedding.model));
  input_.configuration = ConfigurationOf(options_);
  const int64_t seconds = Clock::System().UnixMicros() / 1'000'000;
  input_.environment = {{"facegate", Version()},
                        {"written", fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(seconds))}};
  if (unreadable_ > 0) {
    input_.notes.push_back(
        fmt::format("Photos of the hardest pairs that could not be read: {}.", unreadable_));
  }
  return report::WriteReport(*options_.report, input_);
}

}  // namespace facegate
