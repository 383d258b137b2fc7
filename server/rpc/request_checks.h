#pragma once

#include <google/protobuf/field_mask.pb.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "face/base/status.h"
#include "face/detect/selection.h"
#include "facegate/v1/types.pb.h"

// Checks of single fields. Refusals are kInvalidField at the field's path; none repeats an id.
namespace facegate {

Status CheckCollectionId(std::string_view id);  // at collection_id
Status CheckIdentityId(std::string_view id);    // at identity_id
Status CheckTemplateId(uint64_t id);            // at template_id

// 0 means 100; more than 1000 is taken as 1000; a negative one is refused, at page_size.
StatusOr<size_t> PageSize(int32_t page_size);

// A cosine in -1..1, at `field`.
Status CheckCosine(float value, std::string_view field);

// A least quality, 0..1, at `field`.
Status CheckQuality(float value, std::string_view field);

// An error rate, above 0 and below 1, at `field`.
Status CheckErrorRate(double value, std::string_view field);

// 1 to 128 paths, at update_mask. To be looked at first: what follows is work for each path.
// `expected` names the paths there are.
Status CheckUpdateMask(const google::protobuf::FieldMask& mask, std::string_view expected);

// Says what a method does where the request leaves the choice to it.
struct SelectionPolicy {
  FaceSelection unspecified = FaceSelection::kLargest;
  bool allow_all = false;
};

// `box` may be null. At face_selection or box: an unknown value, ALL where it is not allowed, a box
// that is missing, not wanted or not a box.
StatusOr<SelectionRequest> ParseSelection(v1::FaceSelection selection, const v1::BoundingBox* box,
                                          const SelectionPolicy& policy);

}  // namespace facegate
