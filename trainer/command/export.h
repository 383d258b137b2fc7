#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "trainer/command/command.h"

namespace facegate {

struct ExportOptions {
  std::string source{};  // a model file, or a checkpoint of fit
  std::string out{};     // its ending says the format: .pth, .pt, .safetensors, .onnx or .npy
  std::optional<std::string> part{};    // of a checkpoint, see CheckpointPartNames()
  std::optional<std::string> tensor{};  // the one that a .npy gets
  bool card = true;                     // a .safetensors or .onnx carries the model's card
  bool normalise = false;               // an .onnx gives embeddings of length 1
  bool keep_half = false;               // an .onnx keeps weights of 16 bits
  std::optional<std::string> pixels{};  // an .onnx takes pixels 0..255: "float" or "uint8"
  bool force = false;                   // replace `out`
};

struct ExportReport {
  size_t tensors = 0;
  int64_t numbers = 0;
  uint64_t file_bytes = 0;
  // What there is to say of the file: a name and a text each.
  std::vector<std::pair<std::string, std::string>> facts{};
};

// Writes weights for other programs: beside `out`, synced, renamed. Refuses what the format cannot
// hold, and nothing is written then. The same source and options give the same bytes.
StatusOr<ExportReport> ExportModel(const ExportOptions& options);

// `app` outlives the command.
TrainCommand AddExportCommand(CLI::App& app);

}  // namespace facegate
