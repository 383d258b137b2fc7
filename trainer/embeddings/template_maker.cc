#include "trainer/embeddings/template_maker.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "face/base/counted.h"

namespace facegate {
namespace {

constexpr size_t kFaultsShown = 3;

}  // namespace

Status CheckFacesCount(const TemplateSet& set, const FaceWeights& weights, MissingPhotos rule) {
  if (!weights.detection) return OkStatus();
  float most = 0.0F;
  bool any = false;
  for (size_t i = 0; i < set.faces.size(); ++i) {
    const TemplateFace& face = set.faces[i];
    most = std::max(most, face.detection);
    any = any || most > 0.0F;
    const bool is_last = i + 1 == set.faces.size() || set.faces[i + 1].number != face.number;
    if (!is_last) continue;
    if (most <= 0.0F && rule != MissingPhotos::kSkip) {
      return InvalidArgument(fmt::format(
          "template {}: the detector's score is 0 for all its faces, so that by it none "
          "of them counts; --skip-missing takes it for one without a face",
          face.number));
    }
    most = 0.0F;
  }
  return any ? OkStatus()
             : InvalidArgument("the detector's score is 0 for all faces: by it none counts");
}

Status TemplateMaker::Take(std::span<const float> row) {
  const TemplateFace& face = Next();
  const Status added = sums_.Add(face.medium, row, static_cast<double>(face.detection));
  if (added.ok()) return OkStatus();
  return LeaveOut(fmt::format("{}: {}", face.name, MessageOf(added)));
}

Status TemplateMaker::TakeFault(const std::string& fault) {
  Next();
  return LeaveOut(fault);
}

StatusOr<MadeTemplates> TemplateMaker::Finish() {
  if (left_out_ == set_.faces.size()) {
    return InvalidArgument(fmt::format("none of {} can be used, such as\n  {}",
                                       Counted(left_out_, "face", "faces"),
                                       fmt::join(faults_, "\n  ")));
  }
  std::vector<std::string> remarks;
  remarks.reserve(faults_.size() + 1);
  for (const std::string& fault : faults_) remarks.push_back("left out: " + fault);
  if (left_out_ > faults_.size()) {
    const size_t more = left_out_ - faults_.size();
    remarks.push_back(fmt::format("left out: {} more", Counted(more, "face", "faces")));
  }
  FACEGATE_ASSIGN_OR_RETURN(FaceTemplates templates, sums_.Finish());
  return MadeTemplates{
      .templates = std::move(templates), .left_out = left_out_, .remarks = std::move(remarks)};
}

const TemplateFace& TemplateMaker::Next() {
  const TemplateFace& face = set_.faces[next_];
  if (next_ == 0 || set_.faces[next_ - 1].number != face.number) sums_.Begin(face.number);
  ++next_;
  return face;
}

Status TemplateMaker::LeaveOut(const std::string& fault) {
  ++left_out_;
  if (rule_ != MissingPhotos::kSkip) return InvalidArgument(fault);
  if (faults_.size() < kFaultsShown) faults_.push_back(fault);
  return OkStatus();
}

}  // namespace facegate
