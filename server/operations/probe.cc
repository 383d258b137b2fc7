#include "server/operations/probe.h"

#include <fmt/format.h>

#include <iterator>
#include <type_traits>
#include <utility>

namespace facegate {
namespace {

using PreparedFaces = StatusOr<std::vector<PreparedFace>>;

PreparedFaces OneFace(StatusOr<PreparedFace> face) {
  FACEGATE_RETURN_IF_ERROR(face.status());
  std::vector<PreparedFace> faces;
  faces.push_back(std::move(face).value());
  return faces;
}

StatusOr<PreparedFace> FromTemplate(const TemplatePath& path, const FaceEngine& engine,
                                    const Gallery& gallery, const Caller& caller) {
  const StopCheck wanted = engine.Wanted(caller);
  FACEGATE_RETURN_IF_ERROR(
      GetUsableCollection(gallery, path.collection, engine.model(), wanted).status());
  PreparedFace face;
  FACEGATE_ASSIGN_OR_RETURN(
      face.content, gallery.GetEmbedding(path.collection, path.identity, path.template_id, wanted));
  return face;
}

// A preparation for each kind of probe.
struct Preparation {
  const FaceEngine& engine;
  const Gallery& gallery;
  const Caller& caller;

  PreparedFaces operator()(const ImageProbe& image) const {
    return engine.FromImage(image.encoded, image.selection, caller);
  }
  PreparedFaces operator()(const CropProbe& crop) const {
    return OneFace(engine.FromCrop(crop.encoded, caller));
  }
  PreparedFaces operator()(const EmbeddingProbe& embedding) const {
    return OneFace(engine.FromEmbedding(embedding.values, embedding.model));
  }
  PreparedFaces operator()(const StoredProbe& stored) const {
    return OneFace(FromTemplate(stored.path, engine, gallery, caller));
  }
};

// The names of the contract.
struct SourceField {
  std::string_view operator()(const ImageProbe& /*image*/) const { return "image"; }
  std::string_view operator()(const CropProbe& /*crop*/) const { return "aligned_crop"; }
  std::string_view operator()(const EmbeddingProbe& /*embedding*/) const { return "embedding"; }
  std::string_view operator()(const StoredProbe& /*stored*/) const { return "template_name"; }
};

struct SourceKind {
  TemplateSource operator()(const ImageProbe& /*image*/) const { return TemplateSource::kImage; }
  TemplateSource operator()(const CropProbe& /*crop*/) const {
    return TemplateSource::kAlignedCrop;
  }
  TemplateSource operator()(const EmbeddingProbe& /*embedding*/) const {
    return TemplateSource::kEmbedding;
  }
  TemplateSource operator()(const StoredProbe& /*stored*/) const {
    return TemplateSource::kUnknown;
  }
};

}  // namespace

TemplateSource SourceOf(const Probe& probe) { return std::visit(SourceKind(), probe.source); }

Status AtProbe(const Status& status, const Probe& probe) {
  return AtField(AtField(status, std::visit(SourceField(), probe.source)), probe.field);
}

StatusOr<std::vector<PreparedFace>> PrepareProbe(const Probe& probe, const FaceEngine& engine,
                                                 const Gallery& gallery, const Caller& caller) {
  PreparedFaces faces = std::visit(Preparation{engine, gallery, caller}, probe.source);
  if (!faces.ok()) return AtProbe(faces.status(), probe);
  return faces;
}

StatusOr<std::vector<JudgedFace>> EmbedComparable(const OperationParts& parts,
                                                  std::span<const Probe> probes,
                                                  const QualityRange& wanted,
                                                  const Caller& caller) {
  std::vector<PreparedFace> faces;
  for (const Probe& probe : probes) {
    FACEGATE_ASSIGN_OR_RETURN(std::vector<PreparedFace> found,
                              PrepareProbe(probe, parts.engine, parts.gallery, caller));
    for (PreparedFace& face : found) WithholdUnfit(wanted.least, face);
    std::move(found.begin(), found.end(), std::back_inserter(faces));
  }
  FACEGATE_ASSIGN_OR_RETURN(std::vector<EmbeddedFace> embedded,
                            parts.engine.Embed(std::move(faces), caller));
  std::vector<JudgedFace> judged;
  judged.reserve(embedded.size());
  for (EmbeddedFace& face : embedded) {
    judged.push_back({.embedding = std::move(face.embedding),
                      .report = ReportOf(face.detected, face.quality, wanted.most)});
  }
  return judged;
}

StatusOr<CollectionInfo> GetUsableCollection(const Gallery& gallery, std::string_view collection,
                                             const ModelKey& server_model, const StopCheck& stop) {
  FACEGATE_ASSIGN_OR_RETURN(CollectionInfo info, gallery.GetCollection(collection, stop));
  if (info.model == server_model) return info;
  const bool same_weights = info.model.model_digest == server_model.model_digest;
  return Refuse(
      Reason::kModelMismatch,
      fmt::format("the collection was made with the {} {}, the server's is {}",
                  same_weights ? "preprocessing" : "model",
                  same_weights ? info.model.preprocessing_digest : info.model.model_digest,
                  same_weights ? server_model.preprocessing_digest : server_model.model_digest));
}

}  // namespace facegate
