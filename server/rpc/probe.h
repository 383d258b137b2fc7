#pragma once

#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "facegate/v1/types.pb.h"
#include "index/gallery.h"
#include "server/engine/caller.h"
#include "server/engine/face_engine.h"
#include "server/rpc/request_checks.h"
#include "server/rpc/resource_name.h"

namespace facegate {

// Which probes a method takes.
struct ProbePolicy {
  SelectionPolicy selection;
  bool allow_embedding = true;
  bool allow_template_name = true;
  bool allow_source_digest = false;
};

// A probe whose fields are in order; nothing was decoded or looked up yet.
struct CheckedProbe {
  const v1::Probe* probe = nullptr;  // of the request, which outlives this
  std::string field;                 // its path in the request
  SelectionRequest selection;        // for an image
  ModelKey model;                    // for an embedding
  std::optional<TemplatePath> stored;
};

// The cheap half. `probe` is null when the request has none; `field` is its path in the request.
StatusOr<CheckedProbe> CheckProbe(const v1::Probe* probe, std::string field,
                                  const ProbePolicy& policy, const FaceEngine& engine);

// The dear half: decodes, detects and aligns, or reads the stored template. One face, or more for
// ALL. kModelMismatch, with both digests, for an embedding or template of another model.
StatusOr<std::vector<PreparedFace>> PrepareProbe(const CheckedProbe& checked,
                                                 const FaceEngine& engine, const Gallery& gallery,
                                                 const Caller& caller);

// A collection, unless it was made with another model than the server's: kModelMismatch with both
// digests.
StatusOr<CollectionInfo> GetUsableCollection(const Gallery& gallery, std::string_view collection,
                                             const ModelKey& server_model);

}  // namespace facegate
