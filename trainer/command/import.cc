#include "trainer/command/import.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/model/architecture.h"
#include "face/model/model_file.h"
#include "face/model/safetensors.h"
#include "face/model/state_dict.h"
#include "face/model/torch_pickle.h"
#include "trainer/command/card_print.h"
#include "trainer/run/model_writer.h"

namespace facegate {
namespace {

struct Source {
  TensorMap tensors;
  std::optional<ModelCard> card;
  std::string file_digest;  // sha256
};

StatusOr<Source> ParseSource(std::string_view bytes) {
  Source source;
  source.file_digest = Sha256Hex(bytes);
  if (!LooksLikeSafetensors(bytes)) {
    FACEGATE_ASSIGN_OR_RETURN(source.tensors, ParseTorchPickle(bytes));
    return source;
  }
  FACEGATE_ASSIGN_OR_RETURN(Safetensors file, ParseSafetensors(bytes));
  if (!file.metadata.contains(std::string(kCardKey))) {
    source.tensors = DropSharedPrefixes(std::move(file.tensors));
    return source;
  }
  FACEGATE_ASSIGN_OR_RETURN(ModelFile model, ModelFileFrom(std::move(file)));
  source.tensors = std::move(model.tensors);
  source.card = std::move(model.card);
  return source;
}

StatusOr<Source> ReadSource(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxWeightFileBytes));
  StatusOr<Source> source = ParseSource(bytes);
  return source.ok() ? std::move(source) : Annotate(source.status(), path);
}

// The architecture that is asked for, the card's, or the one that fits.
StatusOr<std::string> ChooseArchitecture(const ImportOptions& options, const Source& source) {
  if (options.architecture) {
    if (Status status = EmbeddingSizeOf(*options.architecture).status(); !status.ok()) {
      return RefuseField("--architecture", MessageOf(status));
    }
    return *options.architecture;
  }
  if (source.card) return source.card->architecture;
  return DetectArchitecture(source.tensors);
}

void PrintReport(const std::string& path, const ImportReport& report, std::ostream& out) {
  PrintCardRow("architecture", report.card.architecture, out);
  PrintCardRow("parameters", fmt::format("{} in {} tensors", report.parameters, report.tensors),
               out);
  PrintCard(report.card, out);
  PrintCardRow("file", fmt::format("{}, {} bytes", path, report.file_bytes), out);
}

void AddCardOptions(CLI::App& app, CardOptions& options) {
  app.add_option("--preset", options.preset, "How a known project prepares its faces")
      ->check(CLI::IsMember(ImportPresetNames()));
  app.add_option("--alignment", options.alignment, "Template that the training crops had")
      ->check(CLI::IsMember(std::vector<std::string>{
          std::string(AlignmentName(AlignmentTemplate::kArcFace112)),
          std::string(AlignmentName(AlignmentTemplate::kSphereFace96x112))}));
  app.add_flag_callback(
      "--letterbox", [&options] { options.letterbox = true; },
      "Fit a crop of another size into the input, on grey");
  app.add_flag_callback(
      "--no-letterbox", [&options] { options.letterbox = false; }, "The crop is the input");
  app.add_option("--letterbox-grey", options.letterbox_grey, "0..255 [128]");
  app.add_flag_callback(
      "--mirror", [&options] { options.mirror = true; },
      "Average the embeddings of the crop and of its mirror image: slower, a little better");
  app.add_flag_callback(
      "--no-mirror", [&options] { options.mirror = false; }, "Embed the crop alone [default]");
  app.add_option("--color,--colour", options.color, "Order of the channels [rgb]")
      ->check(CLI::IsMember({"rgb", "bgr"}));
  app.add_option("--mean", options.mean,
                 "One number or three; the input is (pixel - mean) * scale, pixel 0..255 [127.5]")
      ->expected(1, 3);
  app.add_option("--scale", options.scale, "One number or three [1/127.5 = 0.007843138]")
      ->expected(1, 3);
  app.add_option("--default-min-cosine", options.default_min_cosine,
                 "Cosine from which a server takes two faces as one person where nothing else "
                 "says; not calibrated [none]")
      ->check(CLI::Range(-1.0, 1.0));
  app.add_option("--training-data", options.training_data, "What it was trained on, in words");
  app.add_option("--licence,--license", options.licence, "Of the weights");
  app.add_option("--origin", options.origin, "Where the weights come from");
  app.add_option("--teacher", options.teacher, "The model that it learned from");
  app.add_option("--intended-use", options.intended_use, "What it is for");
  app.add_option("--unintended-use", options.unintended_use, "What it is not for");
  app.add_option("--figures", options.figures,
                 "JSON file of accuracy figures for the card: an array of {measure, value, unit, "
                 "command}");
}

}  // namespace

StatusOr<ImportReport> ImportModel(const ImportOptions& options) {
  std::error_code error;
  if (!options.force && std::filesystem::exists(options.out, error)) {
    return FailedPrecondition(fmt::format("{} exists; --force replaces it", options.out));
  }
  FACEGATE_ASSIGN_OR_RETURN(Source source, ReadSource(options.source));
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.card, MakeCard(source.card, options.card));
  if (!source.card && !options.card.origin) {
    file.card.origin += fmt::format("; source file sha256 {}", source.file_digest);
  }
  FACEGATE_ASSIGN_OR_RETURN(file.card.architecture, ChooseArchitecture(options, source));
  file.tensors = std::move(source.tensors);
  if (options.half) {
    FACEGATE_RETURN_IF_ERROR(RoundToHalf(file.tensors));
    // They are of other weights.
    if (!options.card.figures) file.card.accuracy.clear();
  }

  ImportReport report;
  report.tensors = file.tensors.size();
  FACEGATE_ASSIGN_OR_RETURN(report.parameters, ParameterCount(file.card.architecture));
  FACEGATE_ASSIGN_OR_RETURN(report.card, WriteProvenModel(options.out, std::move(file)));
  report.file_bytes = std::filesystem::file_size(options.out, error);
  return report;
}

TrainCommand AddImportCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("import", "Makes a model file of weights that PyTorch trained");
  command->footer(
      "SOURCE is a state dict or checkpoint of torch.save (.pth, .pt; nothing in it is executed) "
      "or a .safetensors.\n"
      "A .safetensors that carries a card keeps what it says; for anything else say how the "
      "training crops\nwere prepared, by --preset or --alignment.\n"
      "\n"
      "Examples:\n"
      "  facegate-train import --preset bubbliiiing arcface_mobilefacenet.pth mbf.safetensors\n"
      "  facegate-train import --preset insightface --mirror backbone.pth r50.safetensors\n"
      "  facegate-train import --alignment arcface-112x112 --color bgr evolve.pth "
      "irse50.safetensors\n"
      "  facegate-train import --half --figures figures.json run/model.safetensors "
      "small.safetensors");
  const auto options = std::make_shared<ImportOptions>();
  command->add_option("SOURCE", options->source, "Weights to read")->required();
  command->add_option("OUT", options->out, "Model file to write, NAME.safetensors")->required();
  command->add_option("--architecture", options->architecture,
                      "Backbone, where names and shapes of the tensors should not decide");
  AddCardOptions(*command, options->card);
  command->add_flag("--half", options->half,
                    "Round weights to 16 bits, half the size; figures of the source's card are "
                    "dropped");
  command->add_flag("--force", options->force, "Replace OUT");
  return {.app = command, .run = [options](std::ostream& out) {
            const StatusOr<ImportReport> report = ImportModel(*options);
            if (report.ok()) PrintReport(options->out, *report, out);
            return report.status();
          }};
}

}  // namespace facegate
