#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/status.h"
#include "face/image/image.h"
#include "face/weights/model_card.h"

namespace facegate {

// Where and how an embedder computes.
struct Compute {
  std::string device;              // "cpu" or "cuda:N"
  std::string device_name{};       // of a card, such as "NVIDIA H100 80GB HBM3"
  std::string precision = "fp32";  // PrecisionName()
  int threads = 0;                 // of one forward pass, on the CPU
};

// "cpu, 2 threads" or "cuda:0 (NVIDIA H100 80GB HBM3), fp16".
std::string ComputeText(const Compute& compute);

// Turns aligned crops into embeddings. Thread-safe unless an implementation says otherwise.
class Embedder {
 public:
  virtual ~Embedder() = default;
  // The card of the model; constant.
  virtual const ModelCard& card() const = 0;
  // Constant.
  virtual const Compute& compute() const = 0;
  // The most faces of one Embed() call, at least 1; it may become less.
  virtual int max_batch() const = 0;
  // So many calls of Embed() keep the device busy; constant, at least 1.
  virtual int passes() const { return 1; }
  // Not OK when this process cannot compute any more: the device is lost.
  virtual Status Health() const { return OkStatus(); }
  // Embeds 1 to max_batch() crops of the size of card().preprocessing.alignment; as many
  // unit-length embeddings, in order. An embedding of a face does not depend on its batch beyond
  // rounding. kCropSize for a crop of another size, kResourceExhausted when memory runs out,
  // kUnavailable when the device is lost, kInternal when the library fails.
  virtual StatusOr<std::vector<Embedding>> Embed(std::span<const AlignedFace> faces) = 0;
};

}  // namespace facegate
