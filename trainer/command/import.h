#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/weights/model_card.h"
#include "trainer/command/command.h"
#include "trainer/command/import_card.h"

namespace facegate {

struct ImportOptions {
  // A .pth of torch.save, an .h5 of Keras, a .safetensors or .onnx with or without a card, a .pt of
  // torch.jit.save.
  std::string source{};
  std::string out{};
  std::optional<std::string> architecture{};  // else found by the tensors' names and shapes
  std::optional<std::string> entry{};         // where in a checkpoint, see BackboneWish
  // Where the tensors leave a choice: "relu6" or "relu" in a network without slopes of PReLUs, and
  // the pixels of its input, WIDTHxHEIGHT.
  std::optional<std::string> activation{};
  std::optional<std::string> input{};
  CardOptions card{};
  // A model file whose weights are mixed with the source's, see MixWeights(), and its share.
  std::optional<std::string> mix{};
  double mix_share = 0.5;
  bool torchscript = false;  // the source is of torch.jit.save, and its maker is trusted
  bool half = false;         // store numbers of 16 bits
  bool force = false;        // replace `out`
};

struct ImportReport {
  ModelCard card;
  size_t tensors = 0;
  int64_t parameters = 0;
  uint64_t file_bytes = 0;
  std::vector<std::string> left{};     // tensors of the source that are not the backbone's
  std::vector<std::string> remarks{};  // on the network, see network::FoundNetwork
  std::string network{};               // what it is called
};

// Reads the weights, makes the card, runs the network once for the canary, writes the model file
// and loads it again with its canary checked. When that last step fails the file is removed.
StatusOr<ImportReport> ImportModel(const ImportOptions& options);

// `app` outlives the command.
TrainCommand AddImportCommand(CLI::App& app);

}  // namespace facegate
