#include "server/rpc/request_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "index/resource_id.h"

namespace facegate {
namespace {

constexpr int32_t kDefaultPageSize = 100;
constexpr int32_t kMaxPageSize = 1000;

StatusOr<FaceSelection> SelectionOf(v1::FaceSelection selection, const SelectionPolicy& policy) {
  switch (selection) {
    case v1::FACE_SELECTION_UNSPECIFIED:
      return policy.unspecified;
    case v1::FACE_SELECTION_SINGLE:
      return FaceSelection::kSingle;
    case v1::FACE_SELECTION_LARGEST:
      return FaceSelection::kLargest;
    case v1::FACE_SELECTION_CENTRAL:
      return FaceSelection::kCentral;
    case v1::FACE_SELECTION_BOX:
      return FaceSelection::kBox;
    case v1::FACE_SELECTION_ALL:
      if (policy.allow_all) return FaceSelection::kAll;
      return RefuseField("face_selection", "ALL is only for Detect and Identify");
    default:  // proto3 enums are open: the wire may carry any number
      return RefuseField("face_selection",
                         fmt::format("{} is not a FaceSelection", static_cast<int>(selection)));
  }
}

Status CheckBox(const v1::BoundingBox& box) {
  const bool finite = std::isfinite(box.x()) && std::isfinite(box.y()) &&
                      std::isfinite(box.width()) && std::isfinite(box.height());
  if (!finite) return RefuseField("box", "has a value that is not finite");
  if (box.width() > 0 && box.height() > 0) return OkStatus();
  return RefuseField("box", fmt::format("is {} wide and {} high, both must be above 0", box.width(),
                                        box.height()));
}

}  // namespace

Status CheckCollectionId(std::string_view id) { return CheckResourceId(id, "collection_id"); }

Status CheckIdentityId(std::string_view id) { return CheckResourceId(id, "identity_id"); }

Status CheckTemplateId(uint64_t id) {
  return id > 0 ? OkStatus() : RefuseField("template_id", "is 0; template ids start at 1");
}

StatusOr<size_t> PageSize(int32_t page_size) {
  if (page_size < 0) {
    return RefuseField("page_size", fmt::format("is {}, must not be negative", page_size));
  }
  if (page_size == 0) return static_cast<size_t>(kDefaultPageSize);
  return static_cast<size_t>(std::min(page_size, kMaxPageSize));
}

Status CheckCosine(float value, std::string_view field) {
  // Written so that NaN fails.
  if (value >= -1.0f && value <= 1.0f) return OkStatus();
  return RefuseField(field, fmt::format("is {}, must be -1 to 1", value));
}

Status CheckQuality(float value, std::string_view field) {
  // Written so that NaN fails.
  if (value >= 0.0f && value <= 1.0f) return OkStatus();
  return RefuseField(field, fmt::format("is {}, must be 0 to 1", value));
}

Status CheckErrorRate(double value, std::string_view field) {
  if (value > 0.0 && value < 1.0) return OkStatus();
  return RefuseField(field, fmt::format("is {:g}, must be a rate above 0 and below 1", value));
}

Status CheckUpdateMask(const google::protobuf::FieldMask& mask, std::string_view expected) {
  constexpr int kMaxPaths = 128;
  if (mask.paths().empty()) {
    return RefuseField("update_mask", fmt::format("names no field; expected {}", expected));
  }
  if (mask.paths_size() <= kMaxPaths) return OkStatus();
  return RefuseField("update_mask", fmt::format("has {} paths, must have at most {}",
                                                mask.paths_size(), kMaxPaths));
}

StatusOr<SelectionRequest> ParseSelection(v1::FaceSelection selection, const v1::BoundingBox* box,
                                          const SelectionPolicy& policy) {
  SelectionRequest request;
  FACEGATE_ASSIGN_OR_RETURN(request.selection, SelectionOf(selection, policy));
  if (request.selection != FaceSelection::kBox) {
    if (box == nullptr) return request;
    return RefuseField("box", "is given without face_selection BOX");
  }
  if (box == nullptr) return RefuseField("box", "is missing for face_selection BOX");
  FACEGATE_RETURN_IF_ERROR(CheckBox(*box));
  request.box = {box->x(), box->y(), box->width(), box->height()};
  return request;
}

}  // namespace facegate
