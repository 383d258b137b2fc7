#include "server/rpc/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "server/rpc/resource_name.h"

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

// Refuses what says how to find a face where none is looked for.
Status CheckNoSelection(const v1::Probe& probe) {
  if (probe.face_selection() != v1::FACE_SELECTION_UNSPECIFIED) {
    return RefuseField("face_selection", "is only for images");
  }
  if (probe.has_box()) return RefuseField("box", "is only for images");
  return OkStatus();
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

// Field paths are relative to the probe.
StatusOr<Probe> Parse(const v1::Probe& probe, const ProbePolicy& policy, const FaceEngine& engine) {
  FACEGATE_RETURN_IF_ERROR(CheckSourceDigest(probe.source_digest(), policy));
  if (probe.source_case() == v1::Probe::kImage) {
    FACEGATE_RETURN_IF_ERROR(AtField(engine.CheckImageBytes(probe.image()), "image"));
    FACEGATE_ASSIGN_OR_RETURN(
        const SelectionRequest selection,
        ParseSelection(probe.face_selection(), probe.has_box() ? &probe.box() : nullptr,
                       policy.selection));
    return Probe{.source = ImageProbe{.encoded = probe.image(), .selection = selection},
                 .field = {}};
  }
  FACEGATE_RETURN_IF_ERROR(CheckNoSelection(probe));
  switch (probe.source_case()) {
    case v1::Probe::kAlignedCrop:
      FACEGATE_RETURN_IF_ERROR(
          AtField(engine.CheckImageBytes(probe.aligned_crop()), "aligned_crop"));
      return Probe{.source = CropProbe{.encoded = probe.aligned_crop()}, .field = {}};
    case v1::Probe::kEmbedding: {
      if (!policy.allow_embedding) {
        return RefuseField("embedding", "this method takes only images and aligned crops");
      }
      FACEGATE_ASSIGN_OR_RETURN(ModelKey model, ModelOf(probe.embedding(), engine.model()));
      const auto& values = probe.embedding().values();
      return Probe{
          .source = EmbeddingProbe{.values = {values.data(), static_cast<size_t>(values.size())},
                                   .model = std::move(model)},
          .field = {}};
    }
    case v1::Probe::kTemplateName: {
      if (!policy.allow_template_name) {
        return RefuseField("template_name", "this method takes no stored templates");
      }
      std::optional<TemplatePath> path = ParseTemplateName(probe.template_name());
      if (path.has_value()) {
        return Probe{.source = StoredProbe{.path = *std::move(path)}, .field = {}};
      }
      return RefuseField("template_name",
                         "is not of the form collections/{c}/identities/{i}/templates/{t}");
    }
    case v1::Probe::kImage:
    case v1::Probe::SOURCE_NOT_SET:
      break;
  }
  return RefuseField("", "has no source: image, aligned_crop, embedding or template_name");
}

}  // namespace

StatusOr<Probe> ParseProbe(const v1::Probe* probe, std::string field, const ProbePolicy& policy,
                           const FaceEngine& engine) {
  if (probe == nullptr) return RefuseField(field, "is missing");
  StatusOr<Probe> parsed = Parse(*probe, policy, engine);
  if (!parsed.ok()) return AtField(parsed.status(), field);
  parsed->field = std::move(field);
  return parsed;
}

}  // namespace facegate
