#include "trainer/command/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "face/base/counted.h"
#include "face/base/file.h"
#include "face/onnx/onnx_file.h"
#include "face/weights/model_file.h"
#include "face/weights/safetensors.h"
#include "face/weights/torch_pickle_writer.h"
#include "trainer/command/card_print.h"
#include "trainer/command/export_format.h"
#include "trainer/run/checkpoint_part.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxSourceBytes = 64ULL << 30;  // of a checkpoint with a large head

// What the options ask for must be of the format.
StatusOr<ExportFormat> CheckOptions(const ExportOptions& options) {
  const std::optional<ExportFormat> format = ExportFormatOf(options.out);
  if (!format) {
    return RefuseField("OUT", fmt::format("{} ends in none of .pth, .pt, .safetensors, .onnx and "
                                          ".npy, which say the format",
                                          options.out));
  }
  const auto alone = [&](bool given, const char* flag, ExportFormat only,
                         const char* ending) -> Status {
    if (!given || *format == only) return OkStatus();
    return RefuseField(flag, fmt::format("is for {} alone, and OUT is {}", ending, options.out));
  };
  FACEGATE_RETURN_IF_ERROR(alone(options.normalise, "--normalise", ExportFormat::kOnnx, ".onnx"));
  FACEGATE_RETURN_IF_ERROR(alone(options.keep_half, "--keep-half", ExportFormat::kOnnx, ".onnx"));
  FACEGATE_RETURN_IF_ERROR(
      alone(options.pixels.has_value(), "--preprocess", ExportFormat::kOnnx, ".onnx"));
  FACEGATE_RETURN_IF_ERROR(
      alone(options.tensor.has_value(), "--tensor", ExportFormat::kNpy, ".npy"));
  return *format;
}

StatusOr<ExportWeights> FromCheckpoint(Safetensors file, const ExportOptions& options,
                                       ExportFormat format) {
  if (!options.part) {
    return RefuseField("--part",
                       fmt::format("{} is a checkpoint of fit: say which part is wanted, {}",
                                   options.source, fmt::join(CheckpointPartNames(), ", ")));
  }
  if (format == ExportFormat::kOnnx) {
    return RefuseField(
        "OUT",
        "an .onnx is made of a model file, which a run writes as model.safetensors and "
        "best.safetensors; of a checkpoint, export the part average or backbone as .pth, "
        "and import that");
  }
  ExportWeights weights;
  FACEGATE_ASSIGN_OR_RETURN(weights.tensors, TakePart(file.tensors, *options.part));
  return weights;
}

StatusOr<ExportWeights> ReadWeights(const ExportOptions& options, ExportFormat format) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.source, kMaxSourceBytes));
  const auto parse = [&]() -> StatusOr<ExportWeights> {
    if (!LooksLikeSafetensors(bytes)) {
      return InvalidArgument(
          "is neither a model file nor a checkpoint of fit; facegate-train import makes a model "
          "file of weights");
    }
    FACEGATE_ASSIGN_OR_RETURN(Safetensors file, ParseSafetensors(bytes));
    if (HoldsTraining(file)) return FromCheckpoint(std::move(file), options, format);
    if (options.part) {
      return RefuseField("--part",
                         fmt::format("is of a checkpoint of fit, and {} is none", options.source));
    }
    FACEGATE_ASSIGN_OR_RETURN(ModelFile model, ModelFileFrom(std::move(file)));
    return ExportWeights{.tensors = std::move(model.tensors), .card = std::move(model.card)};
  };
  StatusOr<ExportWeights> weights = parse();
  if (weights.ok() || ReasonOf(weights.status())) return weights;
  return Annotate(weights.status(), options.source);
}

void AddFacts(const ExportWeights& weights, ExportReport& report) {
  if (weights.card) report.facts.emplace_back("architecture", weights.card->architecture);
  report.tensors = weights.tensors.size();
  for (const auto& [name, tensor] : weights.tensors) report.numbers += tensor.element_count();
}

StatusOr<std::string> OnnxBytes(ExportWeights weights, const ExportOptions& options,
                                ExportReport& report) {
  NetworkGraphOptions graph{.preprocessing = weights.card->preprocessing,
                            .normalise = options.normalise,
                            .keep_half = options.keep_half};
  if (options.pixels) {
    graph.pixels = *options.pixels == "uint8" ? OnnxPixels::kUint8 : OnnxPixels::kFloat;
  }
  const bool mirrored = weights.card->preprocessing.mirror_average;
  FACEGATE_ASSIGN_OR_RETURN(OnnxModel model, OnnxOf(std::move(weights), graph, options.card));
  report.facts.emplace_back("operators",
                            fmt::format("{} of opset {}", model.nodes.size(), model.opsets.at("")));
  report.facts.emplace_back("input",
                            fmt::format("{}: {}", kOnnxInput, model.metadata.at(kInputKey)));
  report.facts.emplace_back("output",
                            fmt::format("{}: {}", kOnnxOutput, model.metadata.at(kOutputKey)));
  if (mirrored) {
    report.facts.emplace_back("mirror",
                              "the card averages mirror images: add the embedding of the mirrored "
                              "crop before normalising");
  }
  return SerializeOnnx(std::move(model));
}

StatusOr<std::string> BytesOf(ExportWeights weights, const ExportOptions& options,
                              ExportFormat format, ExportReport& report) {
  if (format == ExportFormat::kOnnx) return OnnxBytes(std::move(weights), options, report);
  if (format == ExportFormat::kNpy) return NpyOf(weights.tensors);
  if (format == ExportFormat::kTorch) return SerializeTorchPickle(weights.tensors);
  if (!options.card) weights.card.reset();
  return SafetensorsOf(std::move(weights));
}

std::string CardText(const ExportOptions& options, ExportFormat format, bool has_card) {
  if (!has_card) return "none, a checkpoint has none";
  if (format == ExportFormat::kTorch || format == ExportFormat::kNpy) {
    return "left out, the format has no place for it; keep the model file";
  }
  return options.card ? "within" : "left out";
}

void PrintReport(const std::string& path, const ExportReport& report, std::ostream& out) {
  for (const auto& [name, text] : report.facts) PrintCardRow(name, text, out);
  PrintCardRow("numbers",
               fmt::format("{} in {}", report.numbers, Counted(report.tensors, "tensor")), out);
  PrintCardRow("file", fmt::format("{}, {} bytes", path, report.file_bytes), out);
}

}  // namespace

StatusOr<ExportReport> ExportModel(const ExportOptions& options) {
  FACEGATE_ASSIGN_OR_RETURN(const ExportFormat format, CheckOptions(options));
  std::error_code error;
  if (!options.force && std::filesystem::exists(options.out, error)) {
    return FailedPrecondition(fmt::format("{} exists; --force replaces it", options.out));
  }
  FACEGATE_ASSIGN_OR_RETURN(ExportWeights weights, ReadWeights(options, format));
  if (format == ExportFormat::kNpy) {
    FACEGATE_RETURN_IF_ERROR(ChooseTensor(options.tensor, weights.tensors));
  }
  ExportReport report;
  AddFacts(weights, report);
  report.facts.emplace_back("card", CardText(options, format, weights.card.has_value()));
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes,
                            BytesOf(std::move(weights), options, format, report));
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(options.out, bytes));
  report.file_bytes = bytes.size();
  return report;
}

TrainCommand AddExportCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("export", "Writes a model, or a part of a training, for other programs");
  command->footer(
      "MODEL is a model file, or a checkpoint of fit (RUN/checkpoints/…) with --part.\n"
      "OUT's ending says the format:\n"
      "  .pth, .pt     a state dict, as torch.save writes it; torch.load(…, weights_only=True) "
      "reads it\n"
      "  .safetensors  the same tensors, with the model's card or without\n"
      "  .onnx         the network as a graph of opset 13: input \"data\" N x C x H x W, as "
      "the\n"
      "                network takes them (C is 1 where that is grey), output \"embedding\"\n"
      "  .npy          one tensor, such as a head's weight\n"
      "The graph embeds the one picture that it is given: where the card averages mirror images, "
      "add the embedding\nof the mirrored crop before normalising.\n"
      "facegate-train import reads .pth, .safetensors and .onnx back, to the bit.\n"
      "\n"
      "Examples:\n"
      "  facegate-train export model.safetensors model.onnx\n"
      "  facegate-train export --preprocess uint8 --normalise model.safetensors phone.onnx\n"
      "  facegate-train export model.safetensors backbone.pth\n"
      "  facegate-train export --no-card model.safetensors weights.safetensors\n"
      "  facegate-train export --part head run/checkpoints/batch-000001000.safetensors head.npy\n"
      "  facegate-train export --part optimizer run/checkpoints/batch-000001000.safetensors "
      "sgd.pth");
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("MODEL", options->source, "Model file, or checkpoint of fit")->required();
  command
      ->add_option("-o,--out,--output,OUT", options->out,
                   "File to write: NAME.pth, .pt, .safetensors, .onnx or .npy")
      ->required();
  command->add_option("--part", options->part, "Of a checkpoint, what to write")
      ->check(CLI::IsMember(CheckpointPartNames()));
  command->add_option("--tensor", options->tensor, "The tensor that a .npy gets, by its name");
  command->add_flag_callback(
      "--no-card", [options] { options->card = false; },
      "Leave the model's card out of a .safetensors or .onnx");
  command
      ->add_option(
          "--preprocess", options->pixels,
          "An .onnx takes pixels 0..255 of this type, in the order R, G, B or in grey, and "
          "applies colour order, mean and scale itself [it takes (pixel - mean) * scale]")
      ->check(CLI::IsMember({"float", "uint8"}));
  command->add_flag("--normalise,--normalize", options->normalise,
                    "An .onnx gives embeddings of length 1 [raw ones]");
  command->add_flag("--keep-half", options->keep_half,
                    "An .onnx keeps weights of 16 bits: half the size, and fewer runtimes read it "
                    "[they become 32 bits]");
  command->add_flag("--force", options->force, "Replace OUT");
  return {.app = command, .run = [options](std::ostream& out) {
            const StatusOr<ExportReport> report = ExportModel(*options);
            if (report.ok()) PrintReport(options->out, *report, out);
            return report.status();
          }};
}

}  // namespace facegate
