#include "trainer/command/eval_templates.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <span>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "trainer/command/eval_report.h"
#include "trainer/command/eval_templates_print.h"
#include "trainer/embeddings/embedding_file.h"
#include "trainer/embeddings/embedding_writer.h"
#include "trainer/embeddings/template_embeddings.h"
#include "trainer/embeddings/template_maker.h"
#include "trainer/photos/photo_finder.h"
#include "trainer/photos/template_lists.h"
#include "trainer/report/html_report.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr char kTemplatesFooter[] =
    "FOLDER is IJB-C or IJB-B as InsightFace publishes its lists: meta/ijbc_face_tid_mid.txt, "
    "meta/ijbc_name_5pts_score.txt,\nmeta/ijbc_template_pair_label.txt, the faces in loose_crop/, "
    "and for 1:N meta/ijbc_1N_gallery_G1.csv,\nijbc_1N_gallery_G2.csv (S1 and S2 for IJB-B) and "
    "ijbc_1N_probe_mixed.csv.\n"
    "\n"
    "Faces are cut out by the landmarks of the lists. Those of one medium of a template are "
    "averaged, the media are added,\nand the sum gets unit length. --weigh-by says how much a face "
    "counts: as much as its vector is long (length), as the\ndetector was sure of it (detection), "
    "both, or alike (none). Lengths are computed on the CPU.\n"
    "\n"
    "1:1: the threshold of a FAR is an impostor pair's score; accepted is what lies above it. 1:N: "
    "each gallery is searched\nwith all probes; those who are not in it give the FPIR. Then follow "
    "the ranks of all these searches\nwith the mean of their TPIR, and both galleries as one.\n"
    "\n"
    "--save keeps the vectors, with their length where they are weighed by it, and goes on where a "
    "call was stopped;\n--embeddings measures them again, by other weights.\n"
    "\n"
    "Examples:\n"
    "  facegate-train eval-templates model.safetensors --ijb IJBC/\n"
    "  facegate-train eval-templates model.safetensors --ijb IJBB/ --target IJBB --save ijbb.npy "
    "--report ijbb.html\n"
    "  facegate-train eval-templates --embeddings ijbb.npy --order ijbb.names.txt --ijb IJBB/ "
    "--target IJBB --weigh-by none";

// The names file of a matrix.
std::string NamesBeside(const std::string& npy) {
  return std::filesystem::path(npy).replace_extension().string() + ".names.txt";
}

Status CheckTemplateOptions(const TemplateEvalOptions& options) {
  const bool by_model = !options.embedding.model.empty();
  if (options.embeddings.has_value() != options.order.has_value()) {
    return RefuseField("--embeddings", "and --order go together");
  }
  if (options.embeddings.has_value() == by_model) {
    return RefuseField("MODEL", "either a model is evaluated, or --embeddings");
  }
  if (!by_model && options.save.has_value()) {
    return RefuseField("--save", "needs a model: --embeddings are in a file already");
  }
  if (options.force && !options.save.has_value()) {
    return RefuseField("--force", "replaces the file of --save, which is missing");
  }
  if (options.save.has_value() && !options.save->ends_with(".npy")) {
    return RefuseField("--save",
                       fmt::format("is {}, expected a name that ends in .npy", *options.save));
  }
  const auto check_rates = [](const char* field, const std::vector<double>& rates) -> Status {
    for (const double rate : rates) {
      if (!(rate >= 0.0 && rate < 1.0)) {
        return RefuseField(field, fmt::format("is {:g}, expected 0 to below 1", rate));
      }
    }
    return OkStatus();
  };
  FACEGATE_RETURN_IF_ERROR(check_rates("--far", options.fars));
  FACEGATE_RETURN_IF_ERROR(check_rates("--fpir", options.fpirs));
  return options.report.has_value() ? CheckReportPath(*options.report) : OkStatus();
}

// Finds what is missing before anything is embedded.
Status CheckFacesAreThere(const TemplateSet& set, MissingPhotos rule) {
  if (rule == MissingPhotos::kSkip) return OkStatus();
  std::vector<std::string> missing;
  std::error_code ignored;
  const std::filesystem::path folder = set.photos;
  for (const TemplateFace& face : set.faces) {
    if (!std::filesystem::exists(folder / face.name, ignored)) missing.push_back(face.name);
  }
  if (missing.empty()) return OkStatus();
  return InvalidArgument("the templates: " +
                         MissingPhotosMessage(missing, set.faces.size(), set.photos,
                                              "--skip-missing leaves these faces out."));
}

StatusOr<MadeTemplates> TemplatesOfFile(const TemplateEvalOptions& options, const TemplateSet& set,
                                        const std::string& npy, const std::string& names) {
  FACEGATE_ASSIGN_OR_RETURN(const EmbeddingRows rows, ReadEmbeddingRows(npy, names));
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < rows.names.size(); ++i) places.emplace(rows.names[i], i);
  TemplateMaker maker(set, rows.dimension, options.weights, options.missing);
  for (const TemplateFace& face : set.faces) {
    const auto found = places.find(face.name);
    if (found != places.end() && !std::isnan(rows.row(found->second).front())) {
      FACEGATE_RETURN_IF_ERROR(maker.Take(rows.row(found->second)));
    } else {
      FACEGATE_RETURN_IF_ERROR(
          maker.TakeFault(fmt::format("{} has no vector in {}", face.name, npy)));
    }
  }
  return maker.Finish();
}

// Writes the vectors of all faces, or goes on with it. A remark where a file of another call was in
// the way, else empty.
StatusOr<std::string> SaveVectors(const TemplateEvalOptions& options, const TemplateSet& set,
                                  PhotoEmbedder& embedder) {
  TemplateEmbedder faces(embedder, set);
  std::vector<std::string> names;
  names.reserve(set.faces.size());
  for (const TemplateFace& face : set.faces) names.push_back(face.name);
  FACEGATE_ASSIGN_OR_RETURN(const auto writer,
                            EmbeddingWriter::Open({.npy = *options.save,
                                                   .names = NamesBeside(*options.save),
                                                   .origin = faces.Origin(),
                                                   .width = embedder.width(),
                                                   .nan_rows = true,
                                                   .force = options.force},
                                                  std::move(names)));
  ProgressBar progress(std::cerr, ::isatty(STDERR_FILENO) == 1, "faces",
                       writer->total() - writer->done());
  while (writer->done() < writer->total()) {
    FACEGATE_ASSIGN_OR_RETURN(const TemplateEmbedder::Part part, faces.Embed(writer->done()));
    for (const std::string& fault : part.faults) {
      if (!fault.empty() && options.missing != MissingPhotos::kSkip) return InvalidArgument(fault);
      progress.Advance();
    }
    FACEGATE_RETURN_IF_ERROR(writer->Append(part.faults, part.rows));
  }
  progress.Finish();
  FACEGATE_RETURN_IF_ERROR(writer->Finish());
  if (writer->set_aside().empty()) return std::string();
  return fmt::format("an unfinished matrix of other faces or options was moved to {}",
                     writer->set_aside());
}

StatusOr<MadeTemplates> TemplatesOfModel(const TemplateEvalOptions& options,
                                         const TemplateSet& set) {
  FACEGATE_RETURN_IF_ERROR(CheckFacesAreThere(set, options.missing));
  PhotoEmbeddingOptions embedding = options.embedding;
  embedding.raw = options.weights.length;
  embedding.faces = {.crops = true};
  FACEGATE_ASSIGN_OR_RETURN(const auto embedder, PhotoEmbedder::Create(embedding));
  if (options.save.has_value()) {
    FACEGATE_ASSIGN_OR_RETURN(std::string remark, SaveVectors(options, set, *embedder));
    FACEGATE_ASSIGN_OR_RETURN(MadeTemplates made, TemplatesOfFile(options, set, *options.save,
                                                                  NamesBeside(*options.save)));
    if (!remark.empty()) made.remarks.push_back(std::move(remark));
    return made;
  }
  TemplateEmbedder faces(*embedder, set);
  TemplateMaker maker(set, embedder->width(), options.weights, options.missing);
  ProgressBar progress(std::cerr, ::isatty(STDERR_FILENO) == 1, "faces", set.faces.size());
  for (size_t begin = 0; begin < set.faces.size();) {
    FACEGATE_ASSIGN_OR_RETURN(const TemplateEmbedder::Part part, faces.Embed(begin));
    std::span<const float> rows = part.rows;
    for (const std::string& fault : part.faults) {
      if (fault.empty()) {
        FACEGATE_RETURN_IF_ERROR(maker.Take(rows.first(embedder->width())));
        rows = rows.subspan(embedder->width());
      } else {
        FACEGATE_RETURN_IF_ERROR(maker.TakeFault(fault));
      }
      progress.Advance();
    }
    begin += part.faults.size();
  }
  progress.Finish();
  return maker.Finish();
}

Status WritePage(const TemplateEvalOptions& options, const ScoreDistribution& scores,
                 const TemplateEvalResult& result) {
  const auto copy = [](std::span<const double> some) {
    return std::vector<double>(some.begin(), some.end());
  };
  report::ScoredSet set{.name = options.target,
                        .genuine = copy(scores.genuine()),
                        .impostor = copy(scores.impostor()),
                        .facts = TemplateRows(result)};
  for (const AcceptanceAtFar& at : result.tar) {
    if (IsMeasurable(at.far, result.impostor)) set.threshold = at.threshold;
    if (IsMeasurable(at.far, result.impostor)) break;
  }
  report::ReportInput page;
  page.title = fmt::format("Templates of {}", options.target);
  page.summary = fmt::format("{} faces in {} templates, {} pairs.", result.faces, result.templates,
                             result.genuine + result.impostor);
  page.notes = result.remarks;
  page.sets.push_back(std::move(set));
  return report::WriteReport(*options.report, page);
}

Status MeasurePairs(const TemplateEvalOptions& options, const TemplateSet& set,
                    const FaceTemplates& templates, int threads, TemplateEvalResult& result) {
  std::vector<ScoredPair> pairs;
  pairs.reserve(set.genuine + set.impostor);
  FACEGATE_RETURN_IF_ERROR(
      ForEachTemplatePairs(set.pairs_path, [&](std::span<const TemplatePair> some) {
        return ScoreTemplates(templates, some, threads, pairs);
      }));
  FACEGATE_ASSIGN_OR_RETURN(const ScoreDistribution scores, ScoreDistribution::Make(pairs));
  result.genuine = set.genuine;
  result.impostor = set.impostor;
  for (const double far : options.fars) {
    FACEGATE_ASSIGN_OR_RETURN(const AcceptanceAtFar at, scores.AtFar(far));
    result.tar.push_back(at);
  }
  result.eer = scores.EqualErrorShare();
  result.auc = scores.AucShare();
  return options.report.has_value() ? WritePage(options, scores, result) : OkStatus();
}

// All galleries as one; nothing where a person is in two of them.
std::optional<TemplateGallery> JoinGalleries(std::span<const TemplateGallery> galleries) {
  TemplateGallery all;
  std::unordered_set<uint32_t> subjects;
  for (const TemplateGallery& one : galleries) {
    all.name += (all.name.empty() ? "" : " and ") + one.name;
    for (const TemplateSubject& person : one.people) {
      if (!subjects.insert(person.subject).second) return std::nullopt;
      all.people.push_back(person);
    }
  }
  return all;
}

Status MeasureSearches(const TemplateEvalOptions& options, const TemplateSet& set,
                       const FaceTemplates& templates, int threads, TemplateEvalResult& result) {
  if (set.galleries.empty()) return OkStatus();
  for (const TemplateGallery& gallery : set.galleries) {
    FACEGATE_ASSIGN_OR_RETURN(
        GalleryFigures figures,
        IdentifyTemplates(templates, gallery, set.probes, options.fpirs, threads));
    result.galleries.push_back(std::move(figures));
  }
  result.pooled = MeanOf(result.galleries);
  const std::optional<TemplateGallery> joined = JoinGalleries(set.galleries);
  if (!joined.has_value()) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(
      result.together, IdentifyTemplates(templates, *joined, set.probes, options.fpirs, threads));
  return OkStatus();
}

StatusOr<FaceWeights> WeightsFromNames(const std::vector<std::string>& names) {
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (has("none") && names.size() > 1) {
    return RefuseField("--weigh-by", "none goes with nothing else");
  }
  return FaceWeights{.length = has("length"), .detection = has("detection")};
}

}  // namespace

StatusOr<TemplateEvalResult> EvaluateTemplates(const TemplateEvalOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckTemplateOptions(options));
  FACEGATE_ASSIGN_OR_RETURN(const TemplateSet set, OpenTemplateSet(options.folder, options.target));
  FACEGATE_RETURN_IF_ERROR(CheckFacesCount(set, options.weights, options.missing));
  FACEGATE_ASSIGN_OR_RETURN(const MadeTemplates made,
                            options.embeddings.has_value()
                                ? TemplatesOfFile(options, set, *options.embeddings, *options.order)
                                : TemplatesOfModel(options, set));
  const EmbeddingSet& rows = made.templates.rows();
  TemplateEvalResult result;
  result.faces = set.faces.size();
  result.left_out = made.left_out;
  result.templates = rows.size();
  result.without_face = rows.without_face();
  result.remarks = made.remarks;
  const int threads = options.embedding.threads > 0
                          ? options.embedding.threads
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  FACEGATE_RETURN_IF_ERROR(MeasureSearches(options, set, made.templates, threads, result));
  FACEGATE_RETURN_IF_ERROR(MeasurePairs(options, set, made.templates, threads, result));
  return result;
}

TrainCommand AddEvalTemplatesCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "eval-templates",
      "Prints how well a model tells templates of several faces apart: IJB-B and IJB-C");
  command->footer(kTemplatesFooter);
  const auto options = std::make_shared<TemplateEvalOptions>();
  const auto json = std::make_shared<bool>(false);
  const auto skip = std::make_shared<bool>(false);
  const auto mirror = std::make_shared<std::string>("sum");
  const auto weights =
      std::make_shared<std::vector<std::string>>(std::vector<std::string>{"length", "detection"});
  command->add_option("MODEL", options->embedding.model, "Model file");
  command->add_option("--ijb", options->folder, "The set: a folder with meta/ and loose_crop/")
      ->type_name("FOLDER")
      ->required();
  command->add_option("--target", options->target, "Whose lists are read: IJBC or IJBB")
      ->check(CLI::IsMember({"IJBC", "IJBB"}, CLI::ignore_case))
      ->capture_default_str();
  command->add_option("--weigh-by", *weights, "How much a face counts in its template")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"length", "detection", "none"}))
      ->capture_default_str();
  command
      ->add_option("--mirror", *mirror,
                   "What becomes of a face's mirror image: not used, or its vector added")
      ->check(CLI::IsMember({"none", "sum"}))
      ->capture_default_str();
  command->add_flag("--skip-missing", *skip,
                    "Leave out faces that are not there, cannot be read or have no usable vector; "
                    "without it they are an error");
  command->add_option("--save", options->save,
                      "Keep the vectors of MODEL: a .npy, and .names.txt beside it");
  command->add_flag("--force", options->force,
                    "Replace the file of --save, and start again instead of continuing");
  command->add_option("--embeddings", options->embeddings,
                      "Instead of MODEL: a .npy of float32 as --save makes it, in the order of "
                      "--order; vectors of unit length have no length to weigh by");
  command->add_option("--order,--names", options->order, "A face's name in each line");
  command->add_option("--threads", options->embedding.threads, "0: as many as there are cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command
      ->add_option("--far", options->fars, "False accept rates, 0 to below 1, with commas between")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  command
      ->add_option("--fpir", options->fpirs,
                   "False positive identification rates, 0 to below 1, with commas between")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_option("-o,--report,--out", options->report,
                      "Also write an HTML page with the ROC curve and all figures");
  command->add_flag("--json", *json, "The result as a JSON object; shares are 0 to 1");
  return {.app = command,
          .run = [command, options, json, skip, mirror, weights](std::ostream& out) -> Status {
            if (options->embeddings.has_value() && command->count("--mirror") > 0) {
              return RefuseField("--mirror", "needs a model: --embeddings have it in them, or not");
            }
            FACEGATE_ASSIGN_OR_RETURN(options->embedding.mirror, MirrorRuleFromName(*mirror));
            FACEGATE_ASSIGN_OR_RETURN(options->weights, WeightsFromNames(*weights));
            options->missing = *skip ? MissingPhotos::kSkip : MissingPhotos::kRefuse;
            FACEGATE_ASSIGN_OR_RETURN(const TemplateEvalResult result, EvaluateTemplates(*options));
            *json ? PrintTemplateJson(result, out) : PrintTemplateTable(result, out);
            return OkStatus();
          }};
}

}  // namespace facegate
