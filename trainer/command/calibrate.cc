#include "trainer/command/calibrate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>
#include <utility>

#include "face/base/shown_text.h"
#include "face/weights/model_file.h"
#include "trainer/command/calibration_print.h"
#include "trainer/command/photo_options.h"
#include "trainer/embeddings/embedding_file.h"
#include "trainer/measure/calibrated_set.h"
#include "trainer/photos/photo_files.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr char kCalibrateFooter[] =
    "The folder of a photo names its person. Each photo is compared with the first photo of "
    "everybody else,\nand with the person's own others; all people weigh the same. The tables go "
    "into the card of MODEL (of\nOUT where it is given), where a server finds them; weights and "
    "digests stay. Take photos as your cameras\nmake them, of people whom the model did not learn "
    "from: rates hold for people and photos like these.\n"
    "\n"
    "Photos whose face is not good enough to be compared are left out, as a server does, and count "
    "as\nfailures to acquire. The table shows for each wanted rate the threshold whose upper bound "
    "holds it: the\nrate on as many other people lies inside the interval in 95 of 100 cases. A "
    "rate needs 3 / rate pairs\nof people: 1e-6 needs 2,450 people.\n"
    "\n"
    "A call that was stopped goes on where it was. --embeddings takes the result of facegate-train "
    "embed with\nthis model, with the mirror rule of its card.\n"
    "\n"
    "Examples:\n"
    "  facegate-train calibrate model.safetensors --photos site/ --yunet yunet.onnx\n"
    "  facegate-train calibrate model.safetensors --photos lfw/ --set \"LFW\" --out "
    "calibrated.safetensors\n"
    "  facegate-train calibrate model.safetensors --embeddings e.npy --dry-run";

constexpr std::string_view kMatrixEnding = ".npy";

std::string NamesOf(const std::string& npy) {
  return (npy.ends_with(kMatrixEnding) ? npy.substr(0, npy.size() - kMatrixEnding.size()) : npy) +
         ".names.txt";
}

std::string OutOf(const CalibrateOptions& options) {
  return options.out.empty() ? options.model : options.out;
}

// Names the set where nobody says: by the last part of its path.
std::string SetName(const CalibrateOptions& options) {
  if (!options.set.empty()) return options.set;
  const std::string& given = options.embeddings ? *options.embeddings : options.photos.front();
  return WholePath(given).filename().string();
}

Status CheckOptions(const CalibrateOptions& options) {
  if (options.photos.empty() != options.embeddings.has_value()) {
    return RefuseField("--photos", "give either --photos or --embeddings");
  }
  std::error_code error;
  if (!options.out.empty() && !options.force && !options.dry_run &&
      fs::exists(options.out, error) && !fs::equivalent(options.out, options.model, error)) {
    return FailedPrecondition(fmt::format("{} exists; --force replaces it", options.out));
  }
  return OkStatus();
}

// The work file of a calibration, which goes when it is done: embeddings are personal data.
class WorkFile {
 public:
  explicit WorkFile(const std::string& out)
      : npy_(out + ".calibration.npy"), names_(NamesOf(npy_)) {}
  const std::string& npy() const { return npy_; }
  const std::string& names() const { return names_; }
  void Remove() const {
    std::error_code error;
    fs::remove(npy_, error);
    fs::remove(names_, error);
  }

 private:
  const std::string npy_;
  const std::string names_;
};

StatusOr<CalibratedSet> CalibrateEmbeddings(const std::string& npy, const std::string& names,
                                            const CalibrationFacts& facts) {
  FACEGATE_ASSIGN_OR_RETURN(const EmbeddingSet set,
                            ReadEmbeddingSet(npy, names, MirrorRule::kPlain, 1, NoFaceRule::kMiss));
  CalibrationFacts counted = facts;
  if (counted.photos == 0) counted.photos = set.size();
  return CalibrateSet(set, counted);
}

StatusOr<CalibrateReport> CalibratePhotos(const CalibrateOptions& options,
                                          const Preprocessing& preprocessing,
                                          CalibrationFacts facts, const EmbedProgress& progress) {
  const WorkFile work(OutOf(options));
  EmbedOptions embed;
  embed.embedding = {.model = options.model,
                     .faces = options.faces,
                     .mirror = preprocessing.mirror_average ? MirrorRule::kSum : MirrorRule::kPlain,
                     .threads = options.threads};
  embed.photos = options.photos;
  embed.root = options.root;
  embed.missing = options.missing;
  embed.out = work.npy();
  embed.names = work.names();
  FACEGATE_ASSIGN_OR_RETURN(EmbedReport embedded, EmbedToFile(embed, progress));
  facts.photos = embedded.photos;
  facts.photos_left_out = embedded.bad.size();
  facts.probe_quality = options.faces.probe_quality;
  StatusOr<CalibratedSet> set = CalibrateEmbeddings(work.npy(), work.names(), facts);
  work.Remove();
  if (!set.ok()) return set.status();
  CalibrateReport report{.calibration = std::move(set->calibration),
                         .remarks = std::move(embedded.remarks),
                         .resumed = embedded.resumed};
  for (const EmbedReport::BadPhoto& bad : embedded.bad) {
    report.remarks.push_back("left out: " + bad.fault);
  }
  report.remarks.insert(report.remarks.end(), set->remarks.begin(), set->remarks.end());
  return report;
}

void PrintReport(const CalibrateOptions& options, const CalibrateReport& report,
                 std::ostream& out) {
  for (const std::string& remark : report.remarks) out << ShownText(remark) << "\n";
  out << CalibrationSummary(report.calibration) << "\n\n";
  PrintCalibration(report.calibration, out);
  out << fmt::format("\ncalibration {}{}\n", report.calibration.id,
                     options.dry_run ? ", not written" : " in " + OutOf(options));
}

}  // namespace

StatusOr<CalibrateReport> CalibrateModel(const CalibrateOptions& options,
                                         const EmbedProgress& progress) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  FACEGATE_ASSIGN_OR_RETURN(ModelFile model, ReadModelFile(options.model));
  CalibrationFacts facts{.set = SetName(options),
                         .model_digest = model.card.model_digest,
                         .preprocessing_digest = model.card.preprocessing_digest};
  CalibrateReport report;
  if (options.embeddings) {
    const std::string order = options.order.empty() ? NamesOf(*options.embeddings) : options.order;
    FACEGATE_ASSIGN_OR_RETURN(CalibratedSet set,
                              CalibrateEmbeddings(*options.embeddings, order, facts));
    report = {.calibration = std::move(set.calibration), .remarks = std::move(set.remarks)};
  } else {
    FACEGATE_ASSIGN_OR_RETURN(
        report, CalibratePhotos(options, model.card.preprocessing, std::move(facts), progress));
  }
  if (options.dry_run) return report;
  model.card.calibration = report.calibration;
  FACEGATE_RETURN_IF_ERROR(WriteModelFile(OutOf(options), std::move(model)));
  return report;
}

TrainCommand AddCalibrateCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "calibrate", "Measures how often thresholds err, and writes that into a model's card");
  command->footer(kCalibrateFooter);
  const auto options = std::make_shared<CalibrateOptions>();
  const auto json = std::make_shared<bool>(false);
  const auto skip = std::make_shared<bool>(false);
  command->add_option("MODEL", options->model, "Model file")->required();
  command->add_option("--photos", options->photos,
                      "Folders with a folder for each person, packs, lists of photos");
  command->add_option("--root,--list-root", options->root,
                      "Folder that the photos of lists are relative to");
  command->add_option("--embeddings", options->embeddings,
                      "What facegate-train embed made of the photos with this model");
  command->add_option("--order", options->order,
                      "The photo of each row of --embeddings [its name with .names.txt]");
  command->add_option("--set", options->set, "What the photos are, in words [their folder's name]");
  command->add_option("-o,--out", options->out, "Model file to write [MODEL itself]");
  command->add_flag("--force", options->force, "Replace OUT");
  command->add_flag("--dry-run", options->dry_run, "Print the table and write nothing");
  command->add_flag("--skip-missing", *skip,
                    "Leave out photos of lists that are not there; without it they are an error");
  command
      ->add_option("--probe-quality", options->faces.probe_quality,
                   "Leave out photos whose quality is below; the server's probe_quality. 0: none")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  AddFaceCutOptions(*command, options->faces);
  command->add_option("--threads", options->threads, "0: as many as there are cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command->add_flag("--json", *json, "The result as a JSON object");
  return {.app = command, .run = [options, json, skip](std::ostream& out) -> Status {
            options->missing = *skip ? MissingPhotos::kSkip : MissingPhotos::kRefuse;
            std::optional<ProgressBar> bar;
            size_t shown = 0;
            const auto report = CalibrateModel(*options, [&](size_t done, size_t total) {
              if (!bar.has_value()) {
                bar.emplace(std::cerr, ::isatty(STDERR_FILENO) == 1, "photos", total - done);
                shown = done;
              }
              for (; shown < done; ++shown) bar->Advance();
              return true;
            });
            if (bar.has_value()) bar->Finish();
            if (!report.ok()) return report.status();
            *json ? PrintCalibrationJson(report->calibration, out)
                  : PrintReport(*options, *report, out);
            return OkStatus();
          }};
}

}  // namespace facegate
