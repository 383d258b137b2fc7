#pragma once

#include <span>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "facegate/v1/face_service.pb.h"
#include "index/gallery.h"
#include "server/engine/face_engine.h"

namespace facegate {

// A face of the picture and the identities nearest to it, best first; none where it could not be
// aligned.
struct IdentifiedFace {
  EmbeddedFace face;
  std::vector<Candidate> nearest;
};

struct IdentificationOptions {
  std::string_view collection;
  size_t max_candidates = 0;  // of one face
  bool include_below_threshold = false;
  bool unique_identities = false;
};

// How many of the nearest must be known of each of `faces`.
size_t NearestNeeded(const IdentificationOptions& options, size_t faces);

// Decides by the basis of `response` and adds a result for each face (the rules are in the proto).
// What `stop` says when it says so.
Status AddResults(const IdentificationOptions& options, std::span<const IdentifiedFace> faces,
                  const StopCheck& stop, v1::IdentifyResponse* response);

}  // namespace facegate
