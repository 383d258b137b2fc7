#include "server/rpc/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace facegate {
namespace {

bool IsDigest(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status CheckDigest(std::string_view digest, std::string_view field) {
  if (IsDigest(digest)) return OkStatus();
  return RefuseField(
      field, fmt::format("has {} bytes, must be 64 lower-case hexadecimal digits", digest.size()));
}

StatusOr<ModelKey> ModelOf(const v1::TaggedEmbedding& embedding, const ModelKey& server_model) {
  FACEGATE_RETURN_IF_ERROR(CheckDigest(embedding.model_digest(), "embedding.model_digest"));
  if (embedding.preprocessing_digest().empty()) {
    return ModelKey{embedding.model_digest(), server_model.preprocessing_digest};
  }
  FACEGATE_RETURN_IF_ERROR(
      CheckDigest(embedding.preprocessing_digest(), "embedding.preprocessing_digest"));
  return ModelKey{embedding.model_digest(), embedding.preprocessing_digest()};
}

// What says how to find a face has no sense where none is looked for.
Status CheckNoSelection(const v1::Probe& probe) {
  if (probe.face_selection() != v1::FACE_SELECTION_UNSPECIFIED) {
    return RefuseField("face_selection", "is only for images");
  }
  if (probe.has_box()) return RefuseField("box", "is only for images");
  return OkStatus();
}

StatusOr<PreparedFace> FromTemplate(const TemplatePath& path, const FaceEngine& engine,
                                    const Gallery& gallery) {
  FACEGATE_RETURN_IF_ERROR(GetUsableCollection(gallery, path.collection, engine.model()).status());
  PreparedFace face;
  FACEGATE_ASSIGN_OR_RETURN(face.content,
                            gallery.GetEmbedding(path.collection, path.identity, path.template_id));
  return face;
}

StatusOr<std::vector<PreparedFace>> AsVector(StatusOr<PreparedFace> face, std::string_view field) {
  if (!face.ok()) return AtField(face.status(), field);
  std::vector<PreparedFace> faces;
  faces.push_back(std::move(face).value());
  return faces;
}

Status CheckSourceDigest(std::string_view digest, const ProbePolicy& policy) {
  constexpr size_t kMaxDigits = 64;
  if (digest.empty()) return OkStatus();
  if (!policy.allow_source_digest) {
    return RefuseField("source_digest", "is only for Enroll");
  }
  const bool hexadecimal = digest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (hexadecimal && digest.size() <= kMaxDigits) return OkStatus();
  return RefuseField("source_digest", "must be at most 64 lowercase hexadecimal digits");
}

// Field paths are relative to the probe, here and in Prepare().
StatusOr<CheckedProbe> Check(const v1::Probe& probe, const ProbePolicy& policy,
                             const FaceEngine& engine) {
  CheckedProbe checked{.probe = &probe, .field = {}, .selection = {}, .model = {}, .stored = {}};
  FACEGATE_RETURN_IF_ERROR(CheckSourceDigest(probe.source_digest(), policy));
  if (probe.source_case() == v1::Probe::kImage) {
    FACEGATE_RETURN_IF_ERROR(AtField(engine.CheckImageBytes(probe.image()), "image"));
    FACEGATE_ASSIGN_OR_RETURN(
        checked.selection,
        ParseSelection(probe.face_selection(), probe.has_box() ? &probe.box() : nullptr,
                       policy.selection));
    return checked;
  }
  FACEGATE_RETURN_IF_ERROR(CheckNoSelection(probe));
  switch (probe.source_case()) {
    case v1::Probe::kAlignedCrop:
      FACEGATE_RETURN_IF_ERROR(
          AtField(engine.CheckImageBytes(probe.aligned_crop()), "aligned_crop"));
      return checked;
    case v1::Probe::kEmbedding: {
      if (!policy.allow_embedding) {
        return RefuseField("embedding", "this method takes only images and aligned crops");
      }
      FACEGATE_ASSIGN_OR_RETURN(checked.model, ModelOf(probe.embedding(), engine.model()));
      return checked;
    }
    case v1::Probe::kTemplateName:
      if (!policy.allow_template_name) {
        return RefuseField("template_name", "this method takes no stored templates");
      }
      checked.stored = ParseTemplateName(probe.template_name());
      if (checked.stored.has_value()) return checked;
      return RefuseField("template_name",
                         "is not of the form collections/{c}/identities/{i}/templates/{t}");
    case v1::Probe::kImage:
    case v1::Probe::SOURCE_NOT_SET:
      break;
  }
  return RefuseField("", "has no source: image, aligned_crop, embedding or template_name");
}

StatusOr<std::vector<PreparedFace>> Prepare(const CheckedProbe& checked, const FaceEngine& engine,
                                            const Gallery& gallery, const Caller& caller) {
  const v1::Probe& probe = *checked.probe;
  switch (probe.source_case()) {
    case v1::Probe::kImage: {
      auto faces = engine.FromImage(probe.image(), checked.selection, caller);
      if (!faces.ok()) return AtField(faces.status(), "image");
      return faces;
    }
    case v1::Probe::kAlignedCrop:
      return AsVector(engine.FromCrop(probe.aligned_crop(), caller), "aligned_crop");
    case v1::Probe::kEmbedding: {
      const auto& values = probe.embedding().values();
      return AsVector(
          engine.FromEmbedding(std::span(values.data(), static_cast<size_t>(values.size())),
                               checked.model),
          "embedding");
    }
    case v1::Probe::kTemplateName:
      return AsVector(FromTemplate(*checked.stored, engine, gallery), "template_name");
    case v1::Probe::SOURCE_NOT_SET:
      break;
  }
  return Internal("a probe without a source passed its check");
}

}  // namespace

StatusOr<CheckedProbe> CheckProbe(const v1::Probe* probe, std::string field,
                                  const ProbePolicy& policy, const FaceEngine& engine) {
  if (probe == nullptr) return RefuseField(field, "is missing");
  auto checked = Check(*probe, policy, engine);
  if (!checked.ok()) return AtField(checked.status(), field);
  checked->field = std::move(field);
  return checked;
}

StatusOr<std::vector<PreparedFace>> PrepareProbe(const CheckedProbe& checked,
                                                 const FaceEngine& engine, const Gallery& gallery,
                                                 const Caller& caller) {
  auto faces = Prepare(checked, engine, gallery, caller);
  if (!faces.ok()) return AtField(faces.status(), checked.field);
  return faces;
}

StatusOr<CollectionInfo> GetUsableCollection(const Gallery& gallery, std::string_view collection,
                                             const ModelKey& server_model) {
  FACEGATE_ASSIGN_OR_RETURN(CollectionInfo info, gallery.GetCollection(collection));
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
