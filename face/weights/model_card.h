#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "face/decide/calibration.h"
#include "face/image/preprocessing.h"

namespace facegate {

// Generated inputs and the raw embeddings that the model gave for them when the card was written: a
// server whose build, driver or file is broken differs and refuses to start. Never photos.
struct Canary {
  uint64_t seed = 0;                           // of the generated crops (face/embed/canary.h)
  std::vector<std::vector<float>> embeddings;  // unit length, one for each crop
};

struct AccuracyFigure {
  std::string measure;  // "LFW 10-fold accuracy"
  double value = 0.0;
  std::string unit;     // "%"
  std::string command;  // that made it
};

// Holds what a model file says of itself: JSON under the key "facegate_card" of the safetensors
// metadata. Unknown fields are refused: a server must not ignore what may change an embedding.
struct ModelCard {
  static constexpr int kFormatVersion = 1;

  // A name of face/network/architecture.h, such as "mobilefacenet-128"; or that of `network`.
  std::string architecture;
  // A network that has no such name, as JSON (face/network/description_json.h); else empty.
  std::string network;
  int embedding_size = 0;  // 1..4096
  Preprocessing preprocessing;
  std::string model_digest;          // sha256 over architecture and tensors, see ModelDigest()
  std::string preprocessing_digest;  // PreprocessingDigest(preprocessing)
  std::string training_data;         // what it was trained on, in words
  std::string licence;               // of the weights
  std::string origin;                // where the weights come from
  // These are in words, and empty where nothing is said.
  std::string teacher;         // the model that it learned from beside the labels
  std::string recipe;          // how it was trained: keys of `facegate-train fit --help-recipe`
  std::string intended_use;    // what it is for
  std::string unintended_use;  // what it is not for
  std::vector<AccuracyFigure> accuracy;
  // A cosine in -1..1 from which two faces are taken as the same person. Not calibrated: no error
  // rate is promised.
  std::optional<float> default_min_cosine;
  std::optional<Canary> canary;
  // Says how often thresholds err with this model and preprocessing; its digests are the card's.
  std::optional<Calibration> calibration;
};

// One object, its keys named as the fields above and "format_version"; enumerations by their names
// ("rgb", "bgr", AlignmentName()), numbers in the shortest form that reads back as the same float.
// What is optional and absent has no key.
std::string ModelCardToJson(const ModelCard& card);

// Canonical JSON (sorted keys, no spaces, shortest round-trip numbers) of what enters the
// preprocessing digest: every field of Preprocessing, named as there. Stored in templates and
// collections as its digest: do not change it.
std::string PreprocessingJson(const Preprocessing& preprocessing);
// sha256 of PreprocessingJson, 64 hexadecimal digits.
std::string PreprocessingDigest(const Preprocessing& preprocessing);

}  // namespace facegate
