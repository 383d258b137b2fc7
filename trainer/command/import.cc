#include "trainer/command/import.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "face/base/counted.h"
#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/network/architecture.h"
#include "face/network/backbone_file.h"
#include "face/network/backbone_group.h"
#include "face/network/description_json.h"
#include "face/network/layer_fields.h"
#include "face/network/tensor_list.h"
#include "face/onnx/onnx_file.h"
#include "face/weights/model_file.h"
#include "face/weights/quote.h"
#include "face/weights/safetensors.h"
#include "trainer/command/card_print.h"
#include "trainer/command/import_onnx.h"
#include "trainer/command/import_script.h"
#include "trainer/command/import_super_resolution.h"
#include "trainer/keras/keras_weights.h"
#include "trainer/keras/tensorflow_checkpoint.h"
#include "trainer/run/model_writer.h"
#include "trainer/torchscript/script_archive.h"

namespace facegate {
namespace {

constexpr double kWhite = 255.0;

struct Source {
  TensorMap tensors;
  network::Description network;
  std::vector<std::string> remarks;     // on it
  std::vector<std::string> left;        // tensors that are not the backbone's
  std::optional<double> largest_pixel;  // it takes pixels as they are, of 0 to this
  std::optional<ModelCard> card;
  std::string file_digest;  // sha256; of a checkpoint of several files, of all of them
  size_t files = 1;
};

// "128x160" is a width and a height.
StatusOr<network::Sides> SidesFrom(const std::string& text) {
  const size_t times = text.find('x');
  network::Sides sides;
  const auto read = [&](size_t begin, size_t end, int64_t& side) {
    const char* const last = text.data() + end;
    const auto [rest, error] = std::from_chars(text.data() + begin, last, side);
    return error == std::errc() && rest == last && side >= 1 && side <= network::kMaxSide;
  };
  if (times != std::string::npos && read(0, times, sides.width) &&
      read(times + 1, text.size(), sides.height)) {
    return sides;
  }
  return RefuseField("--input", fmt::format("{} is not WIDTHxHEIGHT of 1 to {} pixels, such as "
                                            "112x112",
                                            Quote(text), network::kMaxSide));
}

StatusOr<BackboneWish> WishOf(const ImportOptions& options) {
  BackboneWish wish{.architecture = options.architecture, .entry = options.entry};
  if (options.card.preset) wish.preferred = ArchitecturesOfPreset(*options.card.preset);
  if (options.input) {
    FACEGATE_ASSIGN_OR_RETURN(wish.hints.input, SidesFrom(*options.input));
  }
  if (options.activation) {
    const bool relu = *options.activation == "relu";
    if (!relu && *options.activation != "relu6") {
      return RefuseField("--activation",
                         fmt::format("{} is neither relu6 nor relu", Quote(*options.activation)));
    }
    wish.hints.activation = relu ? network::Activation::kRelu : network::Activation::kRelu6;
  }
  return wish;
}

Source SourceOf(FoundBackbone found) {
  Source source;
  source.tensors = std::move(found.tensors);
  source.network = std::move(found.network);
  source.remarks = std::move(found.remarks);
  source.left = std::move(found.left);
  return source;
}

Source SourceOf(OnnxBackbone backbone) {
  Source source = SourceOf(std::move(backbone.found));
  source.largest_pixel = backbone.largest_pixel;
  return source;
}

bool HasCard(const Safetensors& file) { return file.metadata.contains(std::string(kCardKey)); }

// A network that stands in the card, or that is asked for by its name.
StatusOr<Source> FromModelFile(Safetensors file, const ImportOptions& options) {
  Source source;
  FACEGATE_ASSIGN_OR_RETURN(ModelFile model, ModelFileFrom(std::move(file)));
  if (options.architecture) {
    FACEGATE_ASSIGN_OR_RETURN(source.network, DescribeArchitecture(*options.architecture));
  } else {
    FACEGATE_ASSIGN_OR_RETURN(source.network, NetworkOf(model.card));
  }
  source.tensors = std::move(model.tensors);
  source.card = std::move(model.card);
  return source;
}

StatusOr<Source> ParseSource(std::string_view bytes, const ImportOptions& options,
                             const BackboneWish& wish) {
  if (options.torchscript && !LooksLikeTorchScript(bytes)) {
    return RefuseField("--torchscript", "the file is none of torch.jit.save");
  }
  if (LooksLikeKeras(bytes)) {
    FACEGATE_ASSIGN_OR_RETURN(KerasWeights keras, ReadKerasWeights(bytes, options.source));
    FACEGATE_ASSIGN_OR_RETURN(FoundBackbone found, TakeBackbone(keras.tensors, wish));
    Source source = SourceOf(std::move(found));
    source.file_digest = std::move(keras.sha256);
    source.files = keras.files;
    return source;
  }
  if (LooksLikeSafetensors(bytes)) {
    FACEGATE_ASSIGN_OR_RETURN(Safetensors file, ParseSafetensors(bytes));
    if (HasCard(file)) return FromModelFile(std::move(file), options);
    FACEGATE_RETURN_IF_ERROR(CheckEmbedsFaces(file));
    FACEGATE_ASSIGN_OR_RETURN(FoundBackbone found, TakeBackbone(file.tensors, wish));
    return SourceOf(std::move(found));
  }
  if (LooksLikeOnnx(bytes) || options.source.ends_with(".onnx")) {
    FACEGATE_ASSIGN_OR_RETURN(OnnxWeights weights, ReadOnnxWeights(bytes, options.source));
    if (HasCard(weights.file)) return FromModelFile(std::move(weights.file), options);
    FACEGATE_ASSIGN_OR_RETURN(OnnxBackbone backbone,
                              TakeOnnxBackbone(std::move(weights), bytes, options.source, wish));
    return SourceOf(std::move(backbone));
  }
  if (LooksLikeTorchScript(bytes)) {
    FACEGATE_ASSIGN_OR_RETURN(OnnxBackbone backbone,
                              TakeScriptBackbone(bytes, options.torchscript, wish));
    return SourceOf(std::move(backbone));
  }
  FACEGATE_ASSIGN_OR_RETURN(FoundBackbone found, ParseBackbone(bytes, wish));
  return SourceOf(std::move(found));
}

StatusOr<Source> ReadSource(const ImportOptions& options) {
  FACEGATE_ASSIGN_OR_RETURN(const BackboneWish wish, WishOf(options));
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.source, kMaxWeightFileBytes));
  StatusOr<Source> source = ParseSource(bytes, options, wish);
  if (!source.ok()) return Annotate(source.status(), options.source);
  if (source->file_digest.empty()) source->file_digest = Sha256Hex(bytes);
  return source;
}

Status CheckArchitecture(const ImportOptions& options) {
  if (!options.architecture) return OkStatus();
  const Status known = EmbeddingSizeOf(*options.architecture).status();
  return known.ok() ? known : RefuseField("--architecture", MessageOf(known));
}

// What was said of the input is what the network takes.
Status CheckInput(const ImportOptions& options, const network::Description& network) {
  if (!options.input) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const network::Sides said, SidesFrom(*options.input));
  const auto& [channels, height, width] = network.input;
  if (said == network::Sides{.height = height, .width = width}) return OkStatus();
  return RefuseField("--input", fmt::format("{} takes {}x{} pixels", network.name, width, height));
}

// "head.weight, head.bias and 3 more".
std::string NamesText(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  const std::vector<std::string> first(
      names.begin(), names.begin() + static_cast<ptrdiff_t>(std::min(kShown, names.size())));
  std::string text = fmt::format("{}", fmt::join(first, ", "));
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

// Joins what the cards of both say, where the command line says nothing.
void JoinProvenance(const CardOptions& said, const ModelCard& other, ModelCard& card) {
  const auto join = [](const std::optional<std::string>& given, const std::string& more,
                       std::string& text) {
    if (given || more.empty() || text == more) return;
    text += text.empty() ? more : fmt::format("; of the model mixed in: {}", more);
  };
  join(said.training_data, other.training_data, card.training_data);
  join(said.licence, other.licence, card.licence);
  join(said.teacher, other.teacher, card.teacher);
}

// The other model is of the same network and sees faces in the same way.
Status MixIn(const ImportOptions& options, ModelFile& file) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(*options.mix, kMaxWeightFileBytes));
  const auto mix = [&]() -> Status {
    FACEGATE_ASSIGN_OR_RETURN(Safetensors parsed, ParseSafetensors(bytes));
    FACEGATE_ASSIGN_OR_RETURN(const ModelFile other, ModelFileFrom(std::move(parsed)));
    if (other.card.architecture != file.card.architecture ||
        other.card.preprocessing != file.card.preprocessing) {
      return InvalidArgument("is of another network, or of other faces, than the source");
    }
    FACEGATE_RETURN_IF_ERROR(MixWeights(other.tensors, options.mix_share, file.tensors));
    JoinProvenance(options.card, other.card, file.card);
    return OkStatus();
  };
  if (Status mixed = mix(); !mixed.ok()) return Annotate(mixed, *options.mix);
  // They are of other weights.
  if (!options.card.figures) file.card.accuracy.clear();
  if (!options.card.default_min_cosine) file.card.default_min_cosine.reset();
  file.card.origin += fmt::format("; {:g} of its weights are those of a model with sha256 {}",
                                  options.mix_share, Sha256Hex(bytes));
  return OkStatus();
}

void PrintReport(const std::string& path, const ImportReport& report, std::ostream& out) {
  PrintCardRow("architecture", report.card.architecture, out);
  if (!report.card.network.empty()) PrintCardRow("network", report.network, out);
  for (const std::string& remark : report.remarks) PrintCardRow("remark", remark, out);
  PrintCardRow("parameters", fmt::format("{} in {} tensors", report.parameters, report.tensors),
               out);
  if (!report.left.empty()) {
    PrintCardRow("left out",
                 fmt::format("{} not the backbone's: {}",
                             Counted(report.left.size(), "tensor that is", "tensors that are"),
                             NamesText(report.left)),
                 out);
  }
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
      ->check(CLI::IsMember({"rgb", "bgr", "grey"}));
  app.add_option("--mean", options.mean,
                 "One number or three; the input is (pixel - mean) * scale, pixel 0..255 [127.5]")
      ->expected(1, 3);
  app.add_option("--scale", options.scale, "One number or three [1/127.5 = 0.007843138]")
      ->expected(1, 3);
  app.add_option("--default-min-cosine,--min-cosine", options.default_min_cosine,
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
  FACEGATE_RETURN_IF_ERROR(CheckArchitecture(options));
  FACEGATE_ASSIGN_OR_RETURN(Source source, ReadSource(options));
  FACEGATE_RETURN_IF_ERROR(CheckInput(options, source.network));
  CardOptions said = options.card;
  if (source.largest_pixel.has_value() && said.mean.empty() && said.scale.empty()) {
    said.mean = {0.0F};
    said.scale = {static_cast<float>(*source.largest_pixel / kWhite)};
  }
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.card, MakeCard(source.card, said, source.network.input));
  if (!source.card && !options.card.origin) {
    file.card.origin += fmt::format("; source {} sha256 {}", source.files == 1 ? "file" : "files",
                                    source.file_digest);
  }
  PutNetwork(source.network, file.card);
  file.tensors = std::move(source.tensors);
  if (options.mix) FACEGATE_RETURN_IF_ERROR(MixIn(options, file));
  if (options.half) {
    FACEGATE_RETURN_IF_ERROR(RoundToHalf(file.tensors));
    // They are of other weights.
    if (!options.card.figures) file.card.accuracy.clear();
  }

  ImportReport report;
  report.tensors = file.tensors.size();
  report.left = std::move(source.left);
  report.remarks = std::move(source.remarks);
  report.network = source.network.name;
  report.parameters = network::CountParameters(network::TensorsOf(source.network));
  FACEGATE_ASSIGN_OR_RETURN(report.card, WriteProvenModel(options.out, std::move(file)));
  report.file_bytes = std::filesystem::file_size(options.out, error);
  return report;
}

TrainCommand AddImportCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("import", "Makes a model file of weights that PyTorch or Keras trained");
  command->footer(
      "SOURCE is a state dict or checkpoint of torch.save (.pth, .pt; nothing in it is executed), "
      "a .safetensors,\nan .onnx, or weights of a Keras network: .h5, or a checkpoint of "
      "TensorFlow, by its prefix.\n"
      "The backbone is looked for under any key and prefix; heads and other tensors are named and "
      "left out.\n"
      "It is one of the known architectures, or of a known family in other sizes (facegate-train "
      "summary lists\nthe former), or what the graph of an .onnx says; then the card describes "
      "it.\n"
      "A file that carries a card keeps what it says; for anything else say how the "
      "training crops\nwere prepared, by --preset or --alignment.\n"
      "\n"
      "Examples:\n"
      "  facegate-train import --preset bubbliiiing arcface_mobilefacenet.pth mbf.safetensors\n"
      "  facegate-train import --preset insightface --mirror backbone.pth r50.safetensors\n"
      "  facegate-train import --alignment arcface-112x112 --color bgr evolve.pth "
      "irse50.safetensors\n"
      "  facegate-train import exported.onnx model.safetensors\n"
      "  facegate-train import --preset insightface w600k_r50.onnx r50.safetensors\n"
      "  facegate-train import --alignment arcface-112x112 --input 128x128 resnet18_110.pth "
      "grey.safetensors\n"
      "  facegate-train import --preset arcface-tf2 arc_mbv2.h5 mbv2.safetensors\n"
      "  facegate-train import --preset arcface-tf2 checkpoints/arc_mbv2/e_5_b_50000.ckpt "
      "mbv2.safetensors\n"
      "  facegate-train import --torchscript --alignment arcface-112x112 scripted.pt "
      "scripted.safetensors\n"
      "  facegate-train import --half --figures figures.json run/model.safetensors "
      "small.safetensors\n"
      "  facegate-train import --mix run2/model.safetensors run1/model.safetensors "
      "mixed.safetensors\n"
      "  facegate-train import --super-resolution RCAN_BIX4.pt rcan-x4.safetensors");
  const auto options = std::make_shared<ImportOptions>();
  const auto super_resolution = std::make_shared<bool>(false);
  command->add_option("SOURCE", options->source, "Weights to read")->required();
  command
      ->add_option("-o,--out,--output,OUT", options->out, "Model file to write, NAME.safetensors")
      ->required();
  command->add_option("--architecture", options->architecture,
                      "Backbone, where names and shapes of the tensors should not decide. An ONNX "
                      "graph or TorchScript module that computes something else is refused; one "
                      "that cannot be followed, which is refused without this, is taken at its "
                      "word where its tensors are called so, with a remark");
  command->add_option("--entry", options->entry,
                      "Where in a checkpoint the backbone is, where it holds several: the keys "
                      "and the prefix, such as state_dict_ema or model.backbone");
  command
      ->add_option("--activation", options->activation,
                   "Of a MobileFaceNet without slopes of PReLUs [relu6]")
      ->check(CLI::IsMember({"relu6", "relu"}));
  command->add_option(
      "--input", options->input,
      "WIDTHxHEIGHT in pixels that the network takes, where its tensors or its graph "
      "leave a choice");
  AddCardOptions(*command, options->card);
  command->add_option(
      "--mix", options->mix,
      "A model file of the same network: its weights and the source's are averaged, "
      "where one went on from the other (WiSE-FT)");
  command->add_option("--mix-share", options->mix_share, "The share of that model's weights")
      ->needs("--mix")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_flag("--torchscript", options->torchscript,
                    "SOURCE is a file of torch.jit.save, which LibTorch runs: of people you trust "
                    "alone");
  command->add_flag("--half", options->half,
                    "Round weights to 16 bits, half the size; figures of the source's card are "
                    "dropped");
  command->add_flag("--super-resolution", *super_resolution,
                    "SOURCE is an RCAN, which enlarges pictures: eval and reduce take OUT");
  command->add_flag("--force", options->force, "Replace OUT");
  return {.app = command, .run = [command, options, super_resolution](std::ostream& out) -> Status {
            if (*super_resolution) {
              FACEGATE_RETURN_IF_ERROR(CheckSuperResolutionOptions(*command));
              return ImportSuperResolution(*options, out);
            }
            options->source = TensorFlowIndexOf(options->source);
            const StatusOr<ImportReport> report = ImportModel(*options);
            if (report.ok()) PrintReport(options->out, *report, out);
            return report.status();
          }};
}

}  // namespace facegate
