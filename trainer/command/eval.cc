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
#include "trainer/command/eval_resolutions.h"
#include "trainer/command/photo_options.h"
#include "trainer/embeddings/embedding_file.h"
#include "trainer/embeddings/pair_photos.h"
#include "trainer/measure/pair_list.h"
#include "trainer/photos/pair_source.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr char kEvalFooter[] =
    "PAIRS is LFW's pairs.txt (with or without its first line, or as CSV) or lines of PHOTO PHOTO "
    "0|1, with\ntabs, commas, semicolons or blanks between. A photo is also found where its ending "
    "is another (.png for\n.jpg). Or it is a set with pictures of its own, which are crops: a .bin "
    "of InsightFace, the folder of a bcolz\narray (beside it NAME_list.npy; face.evoLVe, AdaFace), "
    "or a memfile of AdaFace. Of several there is a row each,\nand the mean; lists with pairs of "
    "one kind alone (LFW's matched and mismatched pairs) are read as one.\n"
    "\n"
    "Accuracy is cross-validated over blocks of consecutive pairs:\n"
    "the threshold of each comes from the others. Precision, recall and F1 are of the same "
    "answers; "
    "the validation\nrate is FaceNet's. For 1:N the folder of a photo names its person: the first "
    "of two or more photos is enrolled,\nthe others are probes, people with one photo are "
    "strangers. Intervals are of 95 % confidence.\n"
    "\n"
    "In a photo the central face is looked for; one of exactly the size of the model's crop is "
    "taken as\naligned already. --landmarks, --crops and --centre-crop find no faces.\n"
    "\n"
    "--low-resolution prints a row for each factor: crops are made so many times smaller "
    "(averaged) and\nlarge again (bicubic) before they are embedded. --low-resolution-side one "
    "does so to the second photo\nof each pair and to probes and strangers alone: a camera's "
    "picture against a good enrolled photo.\n"
    "--super-resolution adds a row for the factor of each network: it enlarges the crops instead. "
    "Networks learn\nfrom bicubic reductions, which --low-resolution-by then stands at if it says "
    "nothing else.\n"
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
    "  facegate-train eval model.safetensors --pairs lfw.bin --low-resolution 4 "
    "--super-resolution rcan-x4.safetensors\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --no-face miss "
    "--quality --degrade all --report page.html\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --groups groups.csv "
    "--far 1e-2\n"
    "  facegate-train eval model.safetensors --pairs lfw.bin --pairs cfp_fp.bin --pairs "
    "agedb_30.bin "
    "--mirror sum\n"
    "  facegate-train eval --embeddings e.npy --order e.names.txt --pairs pairs.txt --cmc 20 "
    "--json";

// One set of embeddings for each resolution, and what photos were embedded by.
struct LoadedSets {
  std::vector<EmbeddingSet> sets;
  PhotoQualities qualities;           // of the first set
  PhotoEmbedder* embedder = nullptr;  // null: the embeddings were there already
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

// Makes what embeds photos of lists, and pictures, which are crops already: when it is first asked
// for.
class Embedders {
 public:
  explicit Embedders(const EvalOptions& options) : options_(options.embedding) {
    options_.mirror = options.mirror;
    options_.faces.measure_quality = options.quality.needs_meter();
  }

  StatusOr<PhotoEmbedder*> Get(bool of_list) {
    std::unique_ptr<PhotoEmbedder>& embedder = of_list ? of_photos_ : of_crops_;
    if (embedder == nullptr) {
      PhotoEmbeddingOptions options = options_;
      if (!of_list) {
        options.faces = {.crops = true,
                         .measure_quality = options_.faces.measure_quality,
                         .probe_quality = options_.faces.probe_quality};
      }
      FACEGATE_ASSIGN_OR_RETURN(embedder, PhotoEmbedder::Create(options));
    }
    return embedder.get();
  }

 private:
  PhotoEmbeddingOptions options_;
  std::unique_ptr<PhotoEmbedder> of_photos_;
  std::unique_ptr<PhotoEmbedder> of_crops_;
};

StatusOr<std::unique_ptr<NamedPhotos>> PhotosOf(const EvalOptions& options, PairSource& set,
                                                std::vector<std::string>& remarks) {
  if (set.is_list()) return FindPairPhotos(options.photos, options.missing, set.list, remarks);
  std::vector<std::string> names;
  names.reserve(set.pictures->size());
  for (size_t i = 0; i < set.pictures->size(); ++i) names.push_back(set.PictureName(i));
  return MakePicturePhotos(set.pictures, std::move(names));
}

StatusOr<LoadedSets> EmbedSets(const EvalOptions& options,
                               const std::vector<Resolution>& resolutions, const PairSource& set,
                               std::unique_ptr<NamedPhotos> photos, Embedders& embedders) {
  LoadedSets loaded;
  loaded.photos = std::move(photos);
  FACEGATE_ASSIGN_OR_RETURN(loaded.embedder, embedders.Get(set.is_list()));
  const cv::Size crop = CropSize(loaded.embedder->cutter().alignment());
  for (const Resolution& resolution : resolutions) {
    const Status fits = CheckResolution(crop, resolution);
    if (!fits.ok()) return RefuseField("--low-resolution", MessageOf(fits));
  }
  ProgressBar progress(std::cerr, ::isatty(STDERR_FILENO) == 1, "photos of " + set.name,
                       loaded.photos->size());
  auto made = EmbedPhotos(*loaded.embedder, *loaded.photos, resolutions, options.no_face,
                          [&] { progress.Advance(); });
  progress.Finish();
  FACEGATE_RETURN_IF_ERROR(made.status());
  loaded.sets = std::move(made->sets);
  loaded.qualities = std::move(made->qualities);
  return loaded;
}

// Embeddings are of faces that were cut out already; photos are shown by a report alone.
Status RefuseWhatCutsFaces(const EvalOptions& options) {
  if (options.report.has_value() && !options.photos.empty()) return OkStatus();
  const FaceCutOptions& faces = options.embedding.faces;
  if (options.photos.empty() && !faces.crops && !faces.landmarks && !faces.detector &&
      !faces.yunet && !faces.landmark_net && faces.centre_crop == 0) {
    return OkStatus();
  }
  return RefuseField("--embeddings",
                     "need no photos: --photos and what finds faces in them are for a "
                     "model, or for --report, which shows some");
}

Status CheckOptions(const EvalOptions& options) {
  const bool by_model = !options.embedding.model.empty();
  if (options.embeddings.has_value() != options.order.has_value()) {
    return RefuseField("--embeddings", "and --order go together");
  }
  if (options.embeddings.has_value() == by_model) {
    return RefuseField("MODEL", "either a model is evaluated, or --embeddings");
  }
  if (!by_model) FACEGATE_RETURN_IF_ERROR(RefuseWhatCutsFaces(options));
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

// Says whether the options go with the sets that --pairs names.
Status CheckSets(const EvalOptions& options, const std::vector<PairSource>& sets) {
  const auto lists =
      std::count_if(sets.begin(), sets.end(), [](const PairSource& set) { return set.is_list(); });
  const bool all_lists = lists == static_cast<std::ptrdiff_t>(sets.size());
  if (options.embeddings.has_value() && !all_lists) {
    return RefuseField("--embeddings",
                       "are of photos that lists name; a set of pairs with pictures of its own is "
                       "evaluated by a model");
  }
  if (!options.embeddings.has_value() && lists > 0 && options.photos.empty()) {
    return RefuseField("--photos", "is missing: the folder with the photos of the pairs");
  }
  const FaceCutOptions& faces = options.embedding.faces;
  if (lists == 0 && (faces.landmarks || faces.detector || faces.yunet || faces.landmark_net ||
                     faces.centre_crop != 0)) {
    return RefuseField("--pairs",
                       "names sets whose pictures are crops already: no face is looked for or cut "
                       "out of them");
  }
  if (sets.size() > 1 && (options.quality.has_qualities() || options.quality.groups ||
                          !options.low_resolution.empty())) {
    return RefuseField("--pairs",
                       "names several sets; tables of quality, of groups and of low "
                       "resolution are made for one set at a time");
  }
  return OkStatus();
}

Status AddLowResolutions(const EvalOptions& options, const std::vector<Resolution>& resolutions,
                         const PairList& list, const std::vector<EmbeddingSet>& sets,
                         EvalResult& result) {
  for (const LowResolutionSide side : options.low_resolution_sides) {
    for (size_t i = 1; i < sets.size(); ++i) {
      const EmbeddingSet& first = side == LowResolutionSide::kBoth ? sets[i] : sets.front();
      FACEGATE_ASSIGN_OR_RETURN(EvalReport report,
                                EvaluateSets(options.figures, list, first, sets[i]));
      result.low_resolution.push_back({.factor = resolutions[i].factor,
                                       .side = side,
                                       .by_network = resolutions[i].network != nullptr,
                                       .report = std::move(report)});
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<EvalResult>> RunEvaluation(const EvalOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  if (options.report) FACEGATE_RETURN_IF_ERROR(CheckReportPath(*options.report));
  FACEGATE_ASSIGN_OR_RETURN(std::vector<PairSource> sets, OpenPairSources(options.pairs));
  FACEGATE_RETURN_IF_ERROR(CheckSets(options, sets));
  FACEGATE_ASSIGN_OR_RETURN(const EvalResolutions resolutions, OpenResolutions(options));
  std::vector<EvalResult> results(sets.size());
  // What is wrong with any set is found before the work on the first begins.
  std::vector<std::unique_ptr<NamedPhotos>> photos(sets.size());
  for (size_t i = 0; i < sets.size(); ++i) {
    results[i].name = sets[i].name;
    results[i].remarks = sets[i].list.remarks;
    FACEGATE_RETURN_IF_ERROR(CheckStrangersOf(options.quality, sets[i].list));
    if (options.embeddings.has_value()) continue;
    FACEGATE_ASSIGN_OR_RETURN(photos[i], PhotosOf(options, sets[i], results[i].remarks));
    FACEGATE_RETURN_IF_ERROR(Annotate(CheckMeasurable(sets[i].list), sets[i].name));
  }
  Embedders embedders(options);
  EvalPage page(options);
  for (size_t i = 0; i < sets.size(); ++i) {
    PairSource& set = sets[i];
    EvalResult& result = results[i];
    FACEGATE_ASSIGN_OR_RETURN(
        const LoadedSets loaded,
        options.embeddings.has_value()
            ? ReadSet(options, set.list, result.remarks)
            : EmbedSets(options, resolutions.all, set, std::move(photos[i]), embedders));
    const EmbeddingSet& embeddings = loaded.sets.front();
    FACEGATE_ASSIGN_OR_RETURN(result.report,
                              EvaluateSets(options.figures, set.list, embeddings, embeddings));
    FACEGATE_ASSIGN_OR_RETURN(result.quality, MakeQualityFigures(options.quality, options.figures,
                                                                 {.list = set.list,
                                                                  .embeddings = embeddings,
                                                                  .qualities = loaded.qualities,
                                                                  .embedder = loaded.embedder,
                                                                  .photos = loaded.photos.get()},
                                                                 result.remarks));
    if (options.report) FACEGATE_RETURN_IF_ERROR(page.Add(set, embeddings, result));
    FACEGATE_RETURN_IF_ERROR(
        AddLowResolutions(options, resolutions.all, set.list, loaded.sets, result));
  }
  if (options.report) FACEGATE_RETURN_IF_ERROR(page.Write());
  return results;
}

TrainCommand AddEvalCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "eval", "Prints how well a model tells people apart: 1:1 by a list of pairs, and 1:N");
  command->footer(kEvalFooter);
  const auto options = std::make_shared<EvalOptions>();
  const auto json = std::make_shared<bool>(false);
  const auto mirror = std::make_shared<std::string>("none");
  const auto sides = std::make_shared<std::vector<std::string>>(1, "both");
  const auto reduction = std::make_shared<std::string>();
  const auto no_face = std::make_shared<std::string>("fail");
  const auto skip = std::make_shared<bool>(false);
  FigureOptions& figures = options->figures;
  command->add_option("MODEL", options->embedding.model, "Model file");
  command
      ->add_option("--pairs", options->pairs,
                   "A list of pairs, or a set of pairs with pictures; may be repeated")
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
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--low-resolution-side", *sides,
                   "Which photo of a pair is of low resolution; both,one prints either")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"both", "one"}))
      ->capture_default_str();
  command
      ->add_option("--low-resolution-by", *reduction,
                   "How crops are made smaller: pixels are averaged, or bicubic interpolation with "
                   "a kernel that grows with the factor [area; with --super-resolution bicubic]")
      ->check(CLI::IsMember({"area", "bicubic"}));
  command
      ->add_option("--super-resolution", options->super_resolution,
                   "A network that import --super-resolution wrote, for the factor that it "
                   "enlarges by; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--far", figures.fars, "False accept rates, 0 to below 1, with commas between")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  command
      ->add_option("--fpir", figures.fpirs,
                   "False positive identification rates, 0 to below 1, with commas between")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_option("--cmc", figures.cmc, "List the shares found by rank 1, 2 ... to this one")
      ->check(CLI::Range(0, 100000));
  AddEvalQualityOptions(*command, options->quality);
  command->add_option("-o,--report,--out", options->report,
                      "Also write an HTML page with curves, thresholds and the hardest pairs");
  command->add_flag("--json", *json, "The result as a JSON object; shares are 0 to 1");
  return {
      .app = command,
      .run = [options, json, mirror, sides, reduction, no_face, skip](std::ostream& out) -> Status {
        FACEGATE_ASSIGN_OR_RETURN(options->mirror, MirrorRuleFromName(*mirror));
        FACEGATE_ASSIGN_OR_RETURN(options->no_face, NoFaceRuleFromName(*no_face));
        if (!reduction->empty()) {
          FACEGATE_ASSIGN_OR_RETURN(options->reduction, ReductionFromName(*reduction));
        }
        options->figures.threads = options->embedding.threads;
        options->missing = *skip ? MissingPhotos::kSkip : MissingPhotos::kRefuse;
        options->low_resolution_sides.clear();
        for (const std::string& name : *sides) {
          FACEGATE_ASSIGN_OR_RETURN(const LowResolutionSide side, LowResolutionSideFromName(name));
          options->low_resolution_sides.push_back(side);
        }
        FACEGATE_ASSIGN_OR_RETURN(const std::vector<EvalResult> results, RunEvaluation(*options));
        *json ? PrintJson(results, out) : PrintTable(results, out);
        return OkStatus();
      }};
}

}  // namespace facegate
