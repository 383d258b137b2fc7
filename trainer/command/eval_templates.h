#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/embeddings/photo_embeddings.h"
#include "trainer/measure/face_templates.h"
#include "trainer/measure/template_protocol.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {

struct TemplateEvalOptions {
  // Either a model, or vectors that were computed already.
  PhotoEmbeddingOptions embedding{};
  std::optional<std::string> embeddings{};  // see ReadEmbeddingRows()
  std::optional<std::string> order{};       // the names of its faces
  std::string folder{};                     // see OpenTemplateSet()
  std::string target = "IJBC";
  FaceWeights weights{};
  MissingPhotos missing = MissingPhotos::kRefuse;
  std::optional<std::string> save{};    // where the model's vectors are kept
  bool force = false;                   // the file that is there is replaced
  std::optional<std::string> report{};  // an HTML page to write
  std::vector<double> fars = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1};
  std::vector<double> fpirs = {0.01, 0.1};
};

struct TemplateEvalResult {
  size_t faces = 0;
  size_t left_out = 0;  // of them
  size_t templates = 0;
  size_t without_face = 0;  // of them; they match no one
  size_t genuine = 0;       // pairs
  size_t impostor = 0;
  std::vector<AcceptanceAtFar> tar;
  Share eer;
  Share auc;
  std::vector<GalleryFigures> galleries;   // empty where the set has no lists for 1:N
  std::optional<GalleryFigures> together;  // all of them as one; absent where they share people
  GalleriesFigures pooled;                 // of their searches, without one in all as one
  // Tells people what was left out, a line each.
  std::vector<std::string> remarks;
};

// All that the command prints. kInvalidField for options that do not fit together.
StatusOr<TemplateEvalResult> EvaluateTemplates(const TemplateEvalOptions& options);

// `app` outlives the command.
TrainCommand AddEvalTemplatesCommand(CLI::App& app);

}  // namespace facegate
