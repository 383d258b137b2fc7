#include "trainer/command/embed.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/base/shown_text.h"
#include "trainer/command/photo_options.h"
#include "trainer/embeddings/embedding_writer.h"
#include "trainer/embeddings/named_photos.h"
#include "trainer/embeddings/projector_files.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr std::string_view kNpy = ".npy";
constexpr uint64_t kMaxLandmarkBytes = 1ULL << 30;

constexpr char kEmbedFooter[] =
    "PHOTOS are folders (all photos in and below them), photos, text files with a photo in each "
    "line, alone or\nwith a label as fit and inspect read them (relative to --root, else to the "
    "text file), packs, or sets of other\nformats (facegate-train convert --help). The matrix has "
    "a row of unit length for each photo, the names file the\nphoto of each row: by its path in "
    "the folder, as its list calls it, or, in packs and other sets, as\nIDENTITY/NUMBER.\n"
    "\n"
    "A run that is stopped can be continued: until all is done the rows lie in OUT.partial, and "
    "the same\ncommand takes them up. A photo without a usable face is named and has no row (--bad "
    "nan: a row of NaN).\n"
    "\n"
    "Python reads the result with numpy.load(\"embeddings.npy\"), facegate-train eval with "
    "--embeddings.\n"
    "\n"
    "Examples:\n"
    "  facegate-train embed model.safetensors photos/ --yunet yunet.onnx\n"
    "  facegate-train embed model.safetensors list.txt --root photos/ --out e.npy --names e.txt\n"
    "  facegate-train embed model.safetensors crops/ --crops --projector people\n"
    "  facegate-train embed model.safetensors crops/ --crops --mirror concat --out both.npy";

std::string DefaultNames(const std::string& out) {
  return (out.ends_with(kNpy) ? out.substr(0, out.size() - kNpy.size()) : out) + ".names.txt";
}

std::string_view MirrorName(MirrorRule rule) {
  switch (rule) {
    case MirrorRule::kPlain:
      return "none";
    case MirrorRule::kSum:
      return "sum";
    case MirrorRule::kConcat:
      return "concat";
  }
  return "none";
}

// Says what a row follows from, beside its photo.
StatusOr<std::string> OriginOf(const EmbedOptions& options, const PhotoEmbedder& embedder) {
  std::string crops = embedder.cutter().description();
  if (options.embedding.faces.landmarks) {
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes,
                              ReadFile(*options.embedding.faces.landmarks, kMaxLandmarkBytes));
    crops += " " + Sha256Hex(bytes);
  }
  return fmt::format("model {}, preprocessing {}, mirror {}, crops by {}",
                     embedder.card().model_digest, embedder.card().preprocessing_digest,
                     MirrorName(options.embedding.mirror), crops);
}

// Says before the work whether its last files can be written.
Status CheckProjector(const std::string& prefix) {
  if (prefix.empty()) return OkStatus();
  const std::filesystem::path parent = std::filesystem::path(prefix).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    return RefuseField("--projector", fmt::format("{} is not a folder", folder));
  }
  if (::access(folder.c_str(), W_OK) == 0) return OkStatus();
  return RefuseField("--projector", fmt::format("{} cannot be written to", folder));
}

Status CheckOptions(const EmbedOptions& options) {
  if (options.out.empty()) return RefuseField("--out", "is empty");
  if (options.names == options.out) return RefuseField("--names", "is the same file as --out");
  FACEGATE_RETURN_IF_ERROR(CheckProjector(options.projector));
  return OkStatus();
}

// The next photos, as many as the model takes at once.
Status EmbedBatch(const NamedPhotos& photos, PhotoEmbedder& embedder, EmbeddingWriter& writer) {
  const size_t begin = writer.done();
  const size_t count = std::min(PhotoEmbedder::kMostFaces, photos.size() - begin);
  std::vector<StatusOr<AlignedFace>> cut = embedder.Cut(photos, begin, count);
  std::vector<std::string> faults(count);
  std::vector<AlignedFace> faces;
  faces.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    if (cut[i].ok()) {
      faces.push_back(*std::move(cut[i]));
    } else {
      faults[i] = MessageOf(cut[i].status());
    }
  }
  std::vector<float> rows;
  if (!faces.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(rows, embedder.Embed(faces));
  }
  return writer.Append(faults, rows);
}

EmbedReport ReportOf(const EmbeddingWriter& writer, const NamedPhotos& photos) {
  EmbedReport report;
  report.photos = writer.total();
  report.rows = writer.rows();
  report.bad.reserve(writer.bad());
  for (size_t i = 0; i < writer.done(); ++i) {
    const std::string& fault = writer.faults()[i];
    if (!fault.empty()) report.bad.push_back({.name = photos.name(i), .fault = fault});
  }
  return report;
}

void PrintTable(const EmbedOptions& options, const EmbedReport& report, std::ostream& out) {
  for (const std::string& remark : report.remarks) out << ShownText(remark) << "\n";
  for (const EmbedReport::BadPhoto& bad : report.bad) {
    out << fmt::format("without an embedding: {}\n", ShownLine(bad.fault));
  }
  out << fmt::format("{:<12}{}{}\n", "photos", report.photos,
                     report.resumed == 0 ? std::string()
                                         : fmt::format(", {} of them done before", report.resumed));
  out << fmt::format("{:<12}{} without an embedding\n", "bad", report.bad.size());
  out << fmt::format("{:<12}{} of {} values in {}\n", "rows", report.rows, report.width,
                     options.out);
  out << fmt::format("{:<12}{}\n", "names", report.names);
  if (options.projector.empty()) return;
  out << fmt::format("{:<12}{} rows in {}.vectors.tsv and .metadata.tsv\n", "projector",
                     report.projected, options.projector);
}

void PrintJson(const EmbedOptions& options, const EmbedReport& report, std::ostream& out) {
  nlohmann::ordered_json json;
  json["photos"] = report.photos;
  json["rows"] = report.rows;
  json["width"] = report.width;
  json["resumed"] = report.resumed;
  json["bad"] = nlohmann::ordered_json::array();
  for (const EmbedReport::BadPhoto& bad : report.bad) {
    json["bad"].push_back({{"photo", bad.name}, {"fault", bad.fault}});
  }
  json["remarks"] = report.remarks;
  if (!options.projector.empty()) json["projected"] = report.projected;
  json["out"] = options.out;
  json["names"] = report.names;
  out << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

}  // namespace

StatusOr<EmbedReport> EmbedToFile(const EmbedOptions& options, const EmbedProgress& progress) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  FACEGATE_ASSIGN_OR_RETURN(const FoundPhotos found,
                            OpenNamedPhotos(options.photos, options.root, options.missing));
  const NamedPhotos& photos = *found.photos;
  FACEGATE_ASSIGN_OR_RETURN(const auto embedder, PhotoEmbedder::Create(options.embedding));
  EmbeddingWriterOptions files{
      .npy = options.out,
      .names = options.names.empty() ? DefaultNames(options.out) : options.names,
      .origin = {},
      .width = embedder->width(),
      .nan_rows = options.nan_rows,
      .force = options.force};
  FACEGATE_ASSIGN_OR_RETURN(files.origin, OriginOf(options, *embedder));
  std::vector<std::string> names;
  names.reserve(photos.size());
  for (size_t i = 0; i < photos.size(); ++i) names.push_back(photos.name(i));
  FACEGATE_ASSIGN_OR_RETURN(const auto writer, EmbeddingWriter::Open(files, std::move(names)));
  const size_t resumed = writer->done();
  while (true) {
    if (!progress(writer->done(), writer->total())) {
      return Unavailable(fmt::format("stopped after {} of {} photos; the same command continues",
                                     writer->done(), writer->total()));
    }
    if (writer->done() == writer->total()) break;
    FACEGATE_RETURN_IF_ERROR(EmbedBatch(photos, *embedder, *writer));
  }
  FACEGATE_RETURN_IF_ERROR(writer->Finish());
  EmbedReport report = ReportOf(*writer, photos);
  report.width = embedder->width();
  report.resumed = resumed;
  report.names = files.names;
  report.remarks = found.remarks;
  if (!options.projector.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(report.projected,
                              WriteProjectorFiles(options.out, files.names, options.projector));
  }
  if (!writer->set_aside().empty()) {
    report.remarks.push_back(fmt::format(
        "an unfinished matrix of other photos or options was moved to {}", writer->set_aside()));
  }
  return report;
}

TrainCommand AddEmbedCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("embed", "Writes the embeddings of photos to a .npy file for NumPy");
  command->footer(kEmbedFooter);
  const auto options = std::make_shared<EmbedOptions>();
  const auto json = std::make_shared<bool>(false);
  const auto mirror = std::make_shared<std::string>("none");
  const auto bad = std::make_shared<std::string>("skip");
  const auto skip = std::make_shared<bool>(false);
  command->add_option("MODEL", options->embedding.model, "Model file")->required();
  command
      ->add_option("PHOTOS", options->photos, "Folders, photos, lists of photos, packs, other sets")
      ->required();
  command->add_option("--root,--list-root", options->root,
                      "Folder that the photos of lists are relative to");
  command->add_flag("--skip-missing", *skip,
                    "Leave out photos of lists that are not there; without it they are an error");
  command->add_option("-o,--out,--output", options->out, "The matrix")->capture_default_str();
  command->add_option("--names", options->names,
                      "The photo of each row, in lines; default: OUT with .names.txt for .npy");
  AddFaceCutOptions(*command, options->embedding.faces);
  command
      ->add_option("--mirror", *mirror,
                   "What becomes of a photo's mirror image: not used, its embedding added to the "
                   "photo's before that is normalised, or (twice as many values) put behind it")
      ->check(CLI::IsMember({"none", "sum", "concat"}))
      ->capture_default_str();
  command->add_option("--bad", *bad, "A photo without a usable face has no row, or one of NaN")
      ->check(CLI::IsMember({"skip", "nan"}))
      ->capture_default_str();
  command->add_option("--threads", options->embedding.threads, "0: as many as there are cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command
      ->add_option("--projector", options->projector,
                   "Write OUT.vectors.tsv and OUT.metadata.tsv, too, for the Projector of "
                   "TensorBoard")
      ->type_name("OUT");
  command->add_flag("--force", options->force,
                    "Replace files that exist, and start again instead of continuing");
  command->add_flag("--json", *json, "The result as a JSON object");
  return {.app = command, .run = [options, json, mirror, bad, skip](std::ostream& out) -> Status {
            FACEGATE_ASSIGN_OR_RETURN(options->embedding.mirror, MirrorRuleFromName(*mirror));
            options->nan_rows = *bad == "nan";
            options->missing = *skip ? MissingPhotos::kSkip : MissingPhotos::kRefuse;
            std::optional<ProgressBar> bar;
            size_t shown = 0;
            const auto report = EmbedToFile(*options, [&](size_t done, size_t total) {
              if (!bar.has_value()) {
                bar.emplace(std::cerr, ::isatty(STDERR_FILENO) == 1, "photos", total - done);
                shown = done;
              }
              for (; shown < done; ++shown) bar->Advance();
              return true;
            });
            if (bar.has_value()) bar->Finish();
            if (!report.ok()) return report.status();
            *json ? PrintJson(*options, *report, out) : PrintTable(*options, *report, out);
            return OkStatus();
          }};
}

}  // namespace facegate
