#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "face/embed/canary.h"
#include "face/embed/embedder.h"
#include "face/network/architecture.h"
#include "face/network/random_weights.h"
#include "face/weights/model_file.h"

namespace facegate {

// A model of random weights, in memory.
inline StatusOr<ModelFile> RandomModelFile(const std::string& architecture,
                                           Preprocessing preprocessing) {
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.tensors, RandomWeights(architecture, 5));
  FACEGATE_ASSIGN_OR_RETURN(file.card.embedding_size, EmbeddingSizeOf(architecture));
  file.card.architecture = architecture;
  file.card.preprocessing = preprocessing;
  return file;
}

// Generated crops as an exported graph takes them: pixels 0..255 in the order R, G, B, or what
// `preprocessing` makes of them. One row of C·H·W numbers each.
inline std::vector<float> OnnxPixelsOf(const std::vector<AlignedFace>& faces,
                                       Preprocessing preprocessing, bool prepared) {
  if (!prepared) {
    preprocessing.colour_order = ColourOrder::kRgb;
    preprocessing.mean = {0, 0, 0};
    preprocessing.scale = {1, 1, 1};
  }
  const size_t size = preprocessing.input_floats();
  std::vector<float> pixels(faces.size() * size);
  for (size_t i = 0; i < faces.size(); ++i) {
    EXPECT_TRUE(
        WriteNetworkInput(faces[i], preprocessing, false, std::span(pixels).subspan(i * size, size))
            .ok());
  }
  return pixels;
}

// The largest difference between an embedding and a row of numbers, which is brought to length 1.
inline double LargestDifference(const Embedding& embedding, std::vector<float> row) {
  double squares = 0.0;
  for (const float value : row) squares += double{value} * value;
  double largest = embedding.size() == row.size() ? 0.0 : HUGE_VAL;
  for (size_t i = 0; i < std::min<size_t>(row.size(), embedding.size()); ++i) {
    largest = std::max(largest, std::abs(row[i] / std::sqrt(squares) - embedding.values()[i]));
  }
  return largest;
}

}  // namespace facegate
