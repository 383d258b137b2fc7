#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "face/base/status.h"
#include "face/detect/selection.h"
#include "index/gallery.h"
#include "server/engine/caller.h"
#include "server/engine/face_engine.h"
#include "server/operations/comparability.h"
#include "server/operations/operation_parts.h"
#include "server/operations/template_path.h"

namespace facegate {

// A face in one of the forms that a request may have it in. Bytes and values are the request's,
// which outlives the probe.
struct ImageProbe {
  std::string_view encoded;
  SelectionRequest selection;
};
struct CropProbe {
  std::string_view encoded;  // an aligned crop
};
struct EmbeddingProbe {
  std::span<const float> values;
  ModelKey model;
};
struct StoredProbe {
  TemplatePath path;
};
struct Probe {
  std::variant<ImageProbe, CropProbe, EmbeddingProbe, StoredProbe> source;
  std::string field;  // its path in the request, at which refusals are
};

// Tells who vouches for the face in a template that is made from the probe; kUnknown for a stored
// one.
TemplateSource SourceOf(const Probe& probe);

// Decodes, detects, aligns and measures, or reads the stored template. One face, or more for kAll.
// kModelMismatch, with both digests, for an embedding or template of another model.
StatusOr<std::vector<PreparedFace>> PrepareProbe(const Probe& probe, const FaceEngine& engine,
                                                 const Gallery& gallery, const Caller& caller);
// `status` at the probe's field, and within it at the name of its source.
Status AtProbe(const Status& status, const Probe& probe);

// A face that was judged by the gate (comparability.h).
struct JudgedFace {
  std::optional<Embedding> embedding;  // absent: not fit to be compared, or not to be aligned
  FaceReport report;
};

// The faces of all probes, one after the other, judged by `wanted` and embedded by one pass through
// the model; those that are below its least do not go through it, and reports tell what is below
// its most.
StatusOr<std::vector<JudgedFace>> EmbedComparable(const OperationParts& parts,
                                                  std::span<const Probe> probes,
                                                  const QualityRange& wanted, const Caller& caller);

// A collection, unless it was made with another model than the server's: kModelMismatch with both
// digests.
StatusOr<CollectionInfo> GetUsableCollection(const Gallery& gallery, std::string_view collection,
                                             const ModelKey& server_model, const StopCheck& stop);

}  // namespace facegate
