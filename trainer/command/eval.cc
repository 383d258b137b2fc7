#include "trainer/command/eval.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>
#include <utility>

#include "trainer/command/eval_print.h"
#include "trainer/command/eval_report.h"
#include "trainer/command/photo_options.h"
#include "trainer/embeddings/embedding_file.h"
#include "trainer/embeddings/pair_photos.h"
#include "trainer/measure/pair_list.h"
#include "trainer/photos/pair_file.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr char kEvalFooter[] =
    "PAIRS is LFW's pairs.txt (with or without its first line, or as CSV) or lines of PHOTO PHOTO "
    "0|1, with\ntabs, commas, semicolons or blanks between. A photo is also found where its ending "
    "is another (.png for\n.jpg). Accuracy is cross-validated over blocks of consecutive pairs:\n"
    "the threshold of each comes from the others. For 1:N the folder of a photo names its person: "
    "the first\nof two or more photos is enrolled, the others are probes, people with one photo "
    "are strangers.\nIntervals are of 95 % confidence.\n"
    "\n"
    "In a photo the central face is looked for; one of exactly the size of the model's crop is "
    "taken as\naligned already. --landmarks, --crops and --centre-crop find no faces.\n"
    "\n"
    "--low-resolution prints a row for each factor: crops are made so many times smaller "
    "(averaged) and\nlarge again (bicubic) before they are embedded. --low-resolution-side one "
    "does so to the second photo\nof each pair and to probes and strangers alone: a camera's "
    "picture against a good enrolled photo.\n"
    "\n"
    "--quality, --qualities, --degrade and --groups add tables whose intervals, like those of "
    "failures to\nenrol and to acquire, come from drawing people anew (500 times, always the same "
    "drawings): photos of one\nperson hang together. Error versus discard: the FNMR at a fixed "
    "threshold as photos of the lowest quality\nare left out; photos without a face are left out "
    "from the start, also of the FAR that gives the threshold,\nand counted as failures to "
    "acquire. "
    "Degraded strangers are judged at the threshold\nof the lowest --far that the pairs are enough "
    "for, with and without the least quality of a probe.\n"
    "\n"
    "Examples:\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --yunet yunet.onnx\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --landmarks "
    "landmarks.txt --mirror sum\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --landmark-net "
    "landmarks.safetensors --no-face miss\n"
    "  facegate-train eval model.safetensors --photos crops128/ --pairs pairs.txt --centre-crop "
    "112\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --low-resolution "
    "2,4,8 --low-resolution-side both,one\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --no-face miss "
    "--quality --degrade all --report page.html\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --groups groups.csv "
    "--far 1e-2\n"
    "  facegate-train eval --embeddings e.npy --order e.names.txt --pairs pairs.txt --cmc 20 "
    "--json";

// One set for each factor, and what photos were embedded by.
struct LoadedSets {
  std::vector<EmbeddingSet> sets;
  PhotoQualities qualities;  // of the first set
  std::unique_ptr<PhotoEmbedder> embedder;
  std::unique_ptr<NamedPhotos> photos;
};

StatusOr<LoadedSets> ReadSet(const EvalOptions& options, PairList& list,
                             std::vector<std::string>& remarks) {
  const bool doubled = options.with_mirrors || options.mirror != MirrorRule::kPlain;
  FACEGATE_ASSIGN_OR_RETURN(EmbeddingSet set,
                            ReadEmbeddingSet(*options.embeddings, *options.order, options.mirror,
                                             doubled ? 2 : 1, options.no_face));
  FACEGATE_RETURN_IF_ERROR(MatchPairNames(set, options.missing, list, remarks));
  FACEGATE_RETURN_IF_ERROR(CheckMeasurable(list));
  LoadedSets loaded;
  for (size_t i = 0; i < set.size(); ++i) {
    loaded.qualities.push_back(set.has_face(i) ? 1.0 : std::numeric_limits<double>::quiet_NaN());
  }
  loaded.sets.push_back(std::move(set));
  return loaded;
}

StatusOr<LoadedSets> EmbedSets(const EvalOptions& options, const std::vector<double>& factors,
                               PairList& list, std::vector<std::string>& remarks) {
  LoadedSets loaded;
  FACEGATE_ASSIGN_OR_RETURN(loaded.photos,
                            FindPairPhotos(options.photos, options.missing, list, remarks));
  FACEGATE_RETURN_IF_ERROR(CheckMeasurable(list));
  PhotoEmbeddingOptions embedding = options.embedding;
  embedding.mirror = options.mirror;
  embedding.faces.measure_quality = options.quality.needs_meter();
  FACEGATE_ASSIGN_OR_RETURN(loaded.embedder, PhotoEmbedder::Create(embedding));
  ProgressBar progress(std::cerr, ::isatty(STDERR_FILENO) == 1, "photos", loaded.photos->size());
  auto made = EmbedPhotos(*loaded.embedder, *loaded.photos, factors, options.no_face,
                          [&] { progress.Advance(); });
  progress.Finish();
  FACEGATE_RETURN_IF_ERROR(made.status());
  loaded.sets = std::move(made->sets);
  loaded.qualities = std::move(made->qualities);
  return loaded;
}

Status CheckOptions(const EvalOptions& options) {
  const bool by_model = !options.embedding.model.empty();
  if (options.embeddings.has_value() != options.order.has_value()) {
    return RefuseField("--embeddings", "and --order go together");
  }
  if (options.embeddings.has_value() == by_model) {
    return RefuseField("MODEL", "either a model with --photos is evaluated, or --embeddings");
  }
  if (by_model && options.photos.empty()) {
    return RefuseField("--photos", "is missing: the folder with the photos of the pairs");
  }
  if (!by_model && !options.low_resolution.empty()) {
    return RefuseField("--low-resolution",
                       "needs a model and photos: embeddings are of one "
                       "resolution");
  }
  FACEGATE_RETURN_IF_ERROR(CheckEvalQualityOptions(options.quality, by_model));
  for (const double factor : options.low_resolution) {
    if (!(factor >= 1.0)) {
      return RefuseField("--low-resolution", fmt::format("is {:g}, expected 1 or more", factor));
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<EvalReport> Evaluate(const EvalOptions& options, const EmbeddingSet& set) {
  FACEGATE_ASSIGN_OR_RETURN(const PairList list, ReadPairLists(options.pairs));
  return EvaluateSets(options.figures, list, set, set);
}

StatusOr<EvalResult> RunEvaluation(const EvalOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  if (options.report) FACEGATE_RETURN_IF_ERROR(CheckReportPath(*options.report));
  FACEGATE_ASSIGN_OR_RETURN(PairList list, ReadPairLists(options.pairs));
  FACEGATE_RETURN_IF_ERROR(CheckStrangersOf(options.quality, list));
  std::vector<double> factors = {1.0};
  factors.insert(factors.end(), options.low_resolution.begin(), options.low_resolution.end());
  EvalResult result;
  result.remarks = list.remarks;
  FACEGATE_ASSIGN_OR_RETURN(const LoadedSets loaded,
                            options.embeddings.has_value()
                                ? ReadSet(options, list, result.remarks)
                                : EmbedSets(options, factors, list, result.remarks));
  const std::vector<EmbeddingSet>& sets = loaded.sets;
  FACEGATE_ASSIGN_OR_RETURN(result.report,
                            EvaluateSets(options.figures, list, sets.front(), sets.front()));
  FACEGATE_ASSIGN_OR_RETURN(result.quality, MakeQualityFigures(options.quality, options.figures,
                                                               {.list = list,
                                                                .embeddings = sets.front(),
                                                                .qualities = loaded.qualities,
                                                                .embedder = loaded.embedder.get(),
                                                                .photos = loaded.photos.get()},
                                                               result.remarks));
  if (options.report) {
    FACEGATE_RETURN_IF_ERROR(WriteEvalReport(options, list, sets.front(), result));
  }
  for (const LowResolutionSide side : options.low_resolution_sides) {
    for (size_t i = 1; i < sets.size(); ++i) {
      const EmbeddingSet& first = side == LowResolutionSide::kBoth ? sets[i] : sets.front();
      FACEGATE_ASSIGN_OR_RETURN(EvalReport report,
                                EvaluateSets(options.figures, list, first, sets[i]));
      result.low_resolution.push_back(
          {.factor = factors[i], .side = side, .report = std::move(report)});
    }
  }
  return result;
}

TrainCommand AddEvalCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "eval", "Prints how well a model tells people apart: 1:1 by a list of pairs, and 1:N");
  command->footer(kEvalFooter);
  const auto options = std::make_shared<EvalOptions>();
  const auto json = std::make_shared<bool>(false);
  const auto mirror = std::make_shared<std::string>("none");
  const auto sides = std::make_shared<std::vector<std::string>>(1, "both");
  const auto no_face = std::make_shared<std::string>("fail");
  const auto skip = std::make_shared<bool>(false);
  FigureOptions& figures = options->figures;
  command->add_option("MODEL", options->embedding.model, "Model file");
  command->add_option("--pairs", options->pairs, "The list of pairs; several are read as one")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--photos", options->photos,
                      "Folder that the names in PAIRS are relative to");
  command->add_flag("--skip-missing", *skip,
                    "Leave out pairs whose photos are not there; without it they are an error "
                    "before anything is embedded");
  AddFaceCutOptions(*command, options->embedding.faces);
  command->add_option("--threads", options->embedding.threads, "0: as many as there are cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command->add_option("--embeddings", options->embeddings,
                      "Instead of MODEL: a .npy of float32 as facegate-train embed makes it, or "
                      "float32 without a header, in the order of --order");
  command->add_flag("--with-mirrors", options->with_mirrors,
                    "The file has those of the mirror images after the plain ones (implied by "
                    "--mirror)");
  command->add_option("--order,--names", options->order, "A photo's name in each line");
  command
      ->add_option("--mirror", *mirror,
                   "What becomes of a photo's mirror image: not used, its embedding added to the "
                   "photo's, or put behind it")
      ->check(CLI::IsMember({"none", "sum", "concat"}))
      ->capture_default_str();
  command
      ->add_option("--no-face", *no_face,
                   "What a photo without a usable face is: an error, or one that matches no one")
      ->check(CLI::IsMember({"fail", "miss"}))
      ->capture_default_str();
  command
      ->add_option("--low-resolution", options->low_resolution,
                   "Factors, from 1 on, with commas between")
      ->delimiter(',');
  command
      ->add_option("--low-resolution-side", *sides,
                   "Which photo of a pair is of low resolution; both,one prints either")
      ->delimiter(',')
      ->check(CLI::IsMember({"both", "one"}))
      ->capture_default_str();
  command->add_option("--far", figures.fars, "False accept rates, 0 to below 1")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--fpir", figures.fpirs, "False positive identification rates, 0 to below 1")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--cmc", figures.cmc, "List the shares found by rank 1, 2 ... to this one")
      ->check(CLI::Range(0, 100000));
  AddEvalQualityOptions(*command, options->quality);
  command->add_option("-o,--report,--out", options->report,
                      "Also write an HTML page with curves, thresholds and the hardest pairs");
  command->add_flag("--json", *json, "The result as a JSON object; shares are 0 to 1");
  return {.app = command,
          .run = [options, json, mirror, sides, no_face, skip](std::ostream& out) -> Status {
            FACEGATE_ASSIGN_OR_RETURN(options->mirror, MirrorRuleFromName(*mirror));
            FACEGATE_ASSIGN_OR_RETURN(options->no_face, NoFaceRuleFromName(*no_face));
            options->missing = *skip ? MissingPhotos::kSkip : MissingPhotos::kRefuse;
            options->low_resolution_sides.clear();
            for (const std::string& name : *sides) {
              FACEGATE_ASSIGN_OR_RETURN(const LowResolutionSide side,
                                        LowResolutionSideFromName(name));
              options->low_resolution_sides.push_back(side);
            }
            FACEGATE_ASSIGN_OR_RETURN(const EvalResult result, RunEvaluation(*options));
            *json ? PrintJson(result, out) : PrintTable(result, out);
            return OkStatus();
          }};
}

}  // namespace facegate
