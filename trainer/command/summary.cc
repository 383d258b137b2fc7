#include "trainer/command/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "face/network/architecture.h"
#include "face/network/description_json.h"
#include "face/network/shape_map.h"
#include "face/weights/json_number.h"
#include "face/weights/model_file.h"
#include "trainer/command/calibration_print.h"
#include "trainer/command/card_print.h"

namespace facegate {
namespace {

constexpr size_t kEnoughRows = 10;

std::vector<LayerSummary> ChooseRows(const SummaryOptions& options, const NetworkSummary& network) {
  if (options.all_layers) return SingleLayers(network);
  if (options.depth > 0) return LayersAtDepth(network, options.depth);
  std::vector<LayerSummary> rows;
  const size_t most = std::min(kEnoughRows, SingleLayers(network).size());
  for (int depth = 1; rows.size() < most; ++depth) rows = LayersAtDepth(network, depth);
  return rows;
}

StatusOr<SummaryReport::File> ReadFileFacts(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(ModelFile model, ReadModelFile(path));
  const StatusOr<network::Description> network = NetworkOf(model.card);
  if (!network.ok()) return Annotate(network.status(), path);
  const ShapeDifference difference = CompareShapes(ShapesOf(*network), model.tensors);
  if (difference.count > 0) {
    const StatusOr<std::string> fitting = DetectArchitecture(model.tensors);
    if (!fitting.ok()) return Annotate(fitting.status(), path);
    return InvalidArgument(fmt::format("{}: the card says {}, the tensors are those of {}", path,
                                       model.card.architecture, *fitting));
  }
  std::error_code error;
  SummaryReport::File file{.card = std::move(model.card),
                           .bytes = std::filesystem::file_size(path, error),
                           .tensors = model.tensors.size()};
  if (!file.card.network.empty()) file.network = network->name;
  return file;
}

std::string Large(int64_t count) {
  const auto value = static_cast<double>(count);
  if (count >= 1'000'000'000) return fmt::format("{:.2f} G", value * 1e-9);
  if (count >= 1'000'000) return fmt::format("{:.2f} M", value * 1e-6);
  return fmt::format("{}", count);
}

std::string ShapeOf(const LayerSummary& layer) {
  return fmt::format("{}", fmt::join(layer.output, " x "));
}

void PrintLayers(const SummaryReport& report, std::ostream& out) {
  size_t name_width = 5;
  size_t type_width = 4;
  for (const LayerSummary& layer : report.rows) {
    name_width = std::max(name_width, layer.name.size());
    type_width = std::max(type_width, layer.type.size());
  }
  const auto row = [&](std::string_view name, std::string_view type, std::string_view output,
                       std::string_view parameters, std::string_view multiply_adds) {
    out << fmt::format("{:<{}}  {:<{}}  {:<16}{:>12}{:>14}\n", name, name_width, type, type_width,
                       output, parameters, multiply_adds);
  };
  row("layer", "type", "output", "parameters", "multiply-adds");
  for (const LayerSummary& layer : report.rows) {
    row(layer.name, layer.type, ShapeOf(layer), fmt::format("{}", layer.parameters),
        Large(layer.multiply_adds));
  }
  row("total", "", "", fmt::format("{}", report.network.parameters),
      Large(report.network.multiply_adds));
}

void PrintTable(const SummaryOptions& options, const SummaryReport& report, std::ostream& out) {
  const auto& [channels, height, width] = report.network.input;
  out << fmt::format("{}, input {} x {} x {}\n\n", report.architecture, channels, height, width);
  PrintLayers(report, out);
  out << "\nMultiply-adds are of convolutions, linear layers and attention alone, for one "
         "picture.\n";
  if (!report.file) return;
  out << "\n";
  PrintCardRow("file",
               fmt::format("{}, {} bytes, {} tensors", options.model, report.file->bytes,
                           report.file->tensors),
               out);
  if (!report.file->network.empty()) PrintCardRow("network", report.file->network, out);
  PrintCard(report.file->card, out);
  if (!report.file->card.calibration) return;
  out << "\n";
  PrintCalibration(*report.file->card.calibration, out);
}

nlohmann::ordered_json JsonOf(const SummaryReport::File& file) {
  nlohmann::ordered_json json;
  json["bytes"] = file.bytes;
  json["tensors"] = file.tensors;
  // The embeddings of a canary are for servers.
  ModelCard card = file.card;
  card.canary.reset();
  json["card"] = nlohmann::ordered_json::parse(ModelCardToJson(card));
  return json;
}

void PrintJson(const SummaryReport& report, std::ostream& out) {
  nlohmann::ordered_json json;
  json["architecture"] = report.architecture;
  const auto& [channels, height, width] = report.network.input;
  json["input"] = {channels, height, width};
  json["parameters"] = report.network.parameters;
  json["multiply_adds"] = report.network.multiply_adds;
  json["embedding_size"] = report.network.layers.front().output.front();
  json["layers"] = nlohmann::ordered_json::array();
  for (const LayerSummary& layer : report.rows) {
    json["layers"].push_back({{"name", layer.name},
                              {"type", layer.type},
                              {"output", layer.output},
                              {"parameters", layer.parameters},
                              {"multiply_adds", layer.multiply_adds}});
  }
  json["file"] = nullptr;
  if (report.file) json["file"] = JsonOf(*report.file);
  out << json.dump(2) << "\n";
}

}  // namespace

StatusOr<SummaryReport> Summarize(const SummaryOptions& options) {
  SummaryReport report{.architecture = options.model, .network = {}, .rows = {}, .file = {}};
  std::error_code error;
  if (const Status known = EmbeddingSizeOf(options.model).status(); !known.ok()) {
    if (!std::filesystem::exists(options.model, error)) {
      if (options.model.find('@') != std::string::npos) {
        return RefuseField("MODEL", std::string(MessageOf(known)));
      }
      return RefuseField("MODEL", fmt::format("{} is neither a file nor an architecture ({})",
                                              options.model, fmt::join(ArchitectureNames(), ", ")));
    }
    FACEGATE_ASSIGN_OR_RETURN(report.file, ReadFileFacts(options.model));
    report.architecture = report.file->card.architecture;
  }
  FACEGATE_ASSIGN_OR_RETURN(
      const network::Description network,
      report.file ? NetworkOf(report.file->card) : DescribeArchitecture(report.architecture));
  // That of an architecture at its own size has no size.
  if (!report.file) report.architecture = network.name;
  std::optional<network::Sides> sides;
  if (options.input_side) sides = network::Sides{*options.input_side, *options.input_side};
  FACEGATE_ASSIGN_OR_RETURN(report.network, SummarizeNetwork(network, sides));
  report.rows = ChooseRows(options, report.network);
  return report;
}

TrainCommand AddSummaryCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "summary", "Prints a network's layers, parameters and multiply-adds, and a model's card");
  command->footer(
      fmt::format("MODEL is a model file or one of {}.\n"
                  "\n"
                  "Examples:\n"
                  "  facegate-train summary iresnet-50\n"
                  "  facegate-train summary --layers mobilefacenet-128\n"
                  "  facegate-train summary --json model.safetensors",
                  fmt::join(ArchitectureNames(), ", ")));
  const auto options = std::make_shared<SummaryOptions>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("MODEL", options->model, "Model file or architecture")->required();
  command
      ->add_option("--input", options->input_side,
                   "Width and height of the input, pixels [what the network takes]")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--depth", options->depth,
                   "Group layers by the first N parts of their names [what gives ten rows]")
      ->check(CLI::Range(1, 16));
  command->add_flag("--layers", options->all_layers, "Each layer, no groups");
  command->add_flag("--json", *json, "The result as a JSON object");
  return {.app = command, .run = [options, json](std::ostream& out) {
            const StatusOr<SummaryReport> report = Summarize(*options);
            if (report.ok()) *json ? PrintJson(*report, out) : PrintTable(*options, *report, out);
            return report.status();
          }};
}

}  // namespace facegate
