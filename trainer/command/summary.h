#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "face/weights/model_card.h"
#include "trainer/command/command.h"
#include "trainer/timing/network_summary.h"

namespace facegate {

struct SummaryOptions {
  std::string model{};                  // a model file, or the name of an architecture
  std::optional<int64_t> input_side{};  // pixels; else what the network takes
  // The depth of the groups shown; 0: the least that gives ten rows or more. Ignored with
  // `all_layers`.
  int depth = 0;
  bool all_layers = false;
};

struct SummaryReport {
  // A model file adds this to its architecture.
  struct File {
    ModelCard card;
    uint64_t bytes = 0;
    size_t tensors = 0;
    std::string network{};  // what it is called, where the card describes it
  };

  std::string architecture;
  NetworkSummary network;
  std::vector<LayerSummary> rows;  // those of the options' depth
  std::optional<File> file;
};

// kInvalidArgument when the file's tensors are not those of its card's network.
StatusOr<SummaryReport> Summarize(const SummaryOptions& options);

// `app` outlives the command.
TrainCommand AddSummaryCommand(CLI::App& app);

}  // namespace facegate
