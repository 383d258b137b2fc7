#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "index/gallery.h"
#include "server/engine/caller.h"
#include "server/operations/comparability.h"
#include "server/operations/operation_parts.h"
#include "server/operations/probe.h"

namespace facegate {

// A face to be stored.
struct Sample {
  Probe probe;                  // an image, a crop or an embedding, with one face selected
  std::string source_digest{};  // what the client names its photo by
};

// Faces of one person.
struct EnrolmentRequest {
  std::string_view collection;
  std::string_view identity;
  std::vector<Sample> samples;  // one or more
  bool must_be_new = false;
};

struct EnrolledSample {
  TemplateInfo stored;
  FaceReport face;
};

struct EnrolmentResult {
  IdentityInfo identity;
  std::vector<EnrolledSample> samples;  // in the order of the request
  bool created_identity = false;
};

// All samples or none. kLowQuality, at the sample, for a face below the collection's enrol quality.
// With a receipt the answer is kept with the change (index/gallery.h).
StatusOr<EnrolmentResult> Enrol(const OperationParts& parts, const EnrolmentRequest& request,
                                const Caller& caller, const Receipt<EnrolmentResult>& receipt);

}  // namespace facegate
