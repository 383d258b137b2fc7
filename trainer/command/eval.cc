#include "trainer/command/eval.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "trainer/eval/pair_list.h"
#include "trainer/progress.h"

namespace facegate {
namespace {

constexpr size_t kLeastPhotos = 2;  // of a person who is looked for

StatusOr<EvalReport::Identification> Identify(const EvalOptions& options, const EmbeddingSet& set,
                                              const IdentificationProtocol& protocol) {
  const IdentificationScores scores = IdentificationScores::Compute(set, protocol);
  EvalReport::Identification result{.people = protocol.gallery.size(),
                                    .probes = protocol.probes.size(),
                                    .strangers = protocol.strangers.size(),
                                    .rank_1 = scores.AtRank(1),
                                    .rank_5 = scores.AtRank(5),
                                    .rank_10 = scores.AtRank(10),
                                    .open_set = {}};
  if (protocol.strangers.empty()) return result;
  for (const double fpir : options.fpirs) {
    FACEGATE_ASSIGN_OR_RETURN(const OpenSetRate rate, scores.AtFpir(fpir));
    result.open_set.push_back(rate);
  }
  return result;
}

// All photos that the pairs name, each once, in the order of names.
std::vector<std::string> PhotosOf(const PairList& list) {
  std::set<std::string> names;
  for (const FacePair& pair : list.pairs) {
    names.insert(pair.first);
    names.insert(pair.second);
  }
  return {names.begin(), names.end()};
}

StatusOr<EmbeddingSet> LoadSet(const EvalOptions& options, const PairList& list) {
  if (options.embeddings.has_value()) {
    const bool doubled = options.with_mirrors || options.mirror != MirrorRule::kPlain;
    const int sets = doubled ? 2 : 1;
    return ReadEmbeddingSet(*options.embeddings, *options.order, options.mirror, sets);
  }
  const std::vector<std::string> names = PhotosOf(list);
  ProgressBar progress(std::cerr, ::isatty(STDERR_FILENO) == 1, "photos", names.size());
  auto set = EmbedPhotos(options.photos, names, [&] { progress.Advance(); });
  progress.Finish();
  return set;
}

Status CheckOptions(const EvalOptions& options) {
  if (options.embeddings.has_value() != options.order.has_value()) {
    return RefuseField("--embeddings", "and --order go together");
  }
  if (options.embeddings.has_value() == !options.photos.model.empty()) {
    return RefuseField("MODEL", "either a model with --photos is evaluated, or --embeddings");
  }
  if (!options.photos.model.empty()) {
    if (options.photos.photos.empty()) {
      return RefuseField("--photos", "is missing: the folder with the photos of the pairs");
    }
    if (options.mirror == MirrorRule::kConcat) {
      return RefuseField("--mirror", "concat is for --embeddings alone");
    }
  }
  return OkStatus();
}

std::string Percent(double share) { return fmt::format("{:.3f} %", 100.0 * share); }
std::string WithInterval(const Share& share) {
  return fmt::format("{:.3f} %  [{:.3f}, {:.3f}]", 100.0 * share.value, 100.0 * share.low,
                     100.0 * share.high);
}

void PrintTable(const EvalReport& report, std::ostream& out) {
  const auto row = [&](const std::string& name, const std::string& value) {
    out << fmt::format("{:<34}{}\n", name, value);
  };
  const auto folds = [&](const std::string& name, const FoldAccuracy& accuracy) {
    row(name, fmt::format("{:.3f} ± {:.3f} %  (threshold {:.4f})", 100.0 * accuracy.mean,
                          100.0 * accuracy.deviation, accuracy.threshold));
  };
  row("photos", std::to_string(report.photos));
  row("pairs", fmt::format("{} genuine, {} impostor", report.genuine, report.impostor));
  folds("accuracy, exact thresholds", report.exact);
  folds("accuracy, grid of L2 distances", report.grid_distance);
  folds("accuracy, grid of squared L2", report.grid_squared);
  for (const AcceptanceAtFar& at : report.tar) {
    row(fmt::format("TAR@FAR {:g}", at.far),
        fmt::format("{}  (cosine above {:.4f})", WithInterval(at.tar), at.threshold));
  }
  row("EER", Percent(report.eer));
  row("AUC", fmt::format("{:.6f}", report.auc));
  row("d'", fmt::format("{:.3f}", report.d_prime));
  if (!report.identification.has_value()) return;
  const EvalReport::Identification& found = *report.identification;
  row("gallery", fmt::format("{} people, {} probes, {} strangers", found.people, found.probes,
                             found.strangers));
  row("rank-1", WithInterval(found.rank_1));
  row("rank-5", WithInterval(found.rank_5));
  row("rank-10", WithInterval(found.rank_10));
  for (const OpenSetRate& rate : found.open_set) {
    row(fmt::format("TPIR@FPIR {:g}", rate.fpir),
        fmt::format("{}  (FNIR {:.3f} %, cosine above {:.4f})", WithInterval(rate.tpir),
                    100.0 * (1.0 - rate.tpir.value), rate.threshold));
  }
}

nlohmann::ordered_json JsonOf(const Share& share) {
  return {{"value", share.value}, {"low", share.low}, {"high", share.high}};
}

nlohmann::ordered_json JsonOf(const FoldAccuracy& accuracy) {
  return {{"mean", accuracy.mean},
          {"deviation", accuracy.deviation},
          {"threshold", accuracy.threshold},
          {"folds", accuracy.folds}};
}

void PrintJson(const EvalReport& report, std::ostream& out) {
  nlohmann::ordered_json json;
  json["photos"] = report.photos;
  json["genuine_pairs"] = report.genuine;
  json["impostor_pairs"] = report.impostor;
  json["accuracy_exact"] = JsonOf(report.exact);
  json["accuracy_grid_distance"] = JsonOf(report.grid_distance);
  json["accuracy_grid_squared"] = JsonOf(report.grid_squared);
  json["tar_at_far"] = nlohmann::ordered_json::array();
  for (const AcceptanceAtFar& at : report.tar) {
    json["tar_at_far"].push_back(
        {{"far", at.far}, {"threshold", at.threshold}, {"tar", JsonOf(at.tar)}});
  }
  json["eer"] = report.eer;
  json["auc"] = report.auc;
  json["d_prime"] = report.d_prime;
  json["identification"] = nullptr;
  if (report.identification.has_value()) {
    const EvalReport::Identification& found = *report.identification;
    nlohmann::ordered_json one{
        {"people", found.people},         {"probes", found.probes},
        {"strangers", found.strangers},   {"rank_1", JsonOf(found.rank_1)},
        {"rank_5", JsonOf(found.rank_5)}, {"rank_10", JsonOf(found.rank_10)}};
    one["tpir_at_fpir"] = nlohmann::ordered_json::array();
    for (const OpenSetRate& rate : found.open_set) {
      one["tpir_at_fpir"].push_back(
          {{"fpir", rate.fpir}, {"threshold", rate.threshold}, {"tpir", JsonOf(rate.tpir)}});
    }
    json["identification"] = std::move(one);
  }
  out << json.dump(2) << "\n";
}

}  // namespace

StatusOr<EvalReport> Evaluate(const EvalOptions& options, const EmbeddingSet& set) {
  FACEGATE_ASSIGN_OR_RETURN(const PairList list, ReadPairList(options.pairs));
  std::vector<ScoredPair> pairs;
  pairs.reserve(list.pairs.size());
  for (const FacePair& pair : list.pairs) {
    FACEGATE_ASSIGN_OR_RETURN(const size_t first, set.IndexOf(pair.first));
    FACEGATE_ASSIGN_OR_RETURN(const size_t second, set.IndexOf(pair.second));
    pairs.push_back({.cosine = set.Score(first, second), .same = pair.same});
  }
  EvalReport report;
  report.photos = set.size();
  FACEGATE_ASSIGN_OR_RETURN(report.exact, CrossValidate(pairs, list.folds, ThresholdRule::kExact));
  FACEGATE_ASSIGN_OR_RETURN(report.grid_distance,
                            CrossValidate(pairs, list.folds, ThresholdRule::kGridDistance));
  FACEGATE_ASSIGN_OR_RETURN(report.grid_squared,
                            CrossValidate(pairs, list.folds, ThresholdRule::kGridSquaredL2));
  FACEGATE_ASSIGN_OR_RETURN(const ScoreDistribution scores, ScoreDistribution::Make(pairs));
  report.genuine = scores.genuine().size();
  report.impostor = scores.impostor().size();
  for (const double far : options.fars) {
    FACEGATE_ASSIGN_OR_RETURN(const AcceptanceAtFar at, scores.AtFar(far));
    report.tar.push_back(at);
  }
  report.eer = scores.EqualErrorRate();
  report.auc = scores.Auc();
  report.d_prime = scores.DPrime();
  // Without anybody who has two photos there is nobody to look for.
  if (const auto protocol = FirstPhotoProtocol(set, kLeastPhotos); protocol.ok()) {
    FACEGATE_ASSIGN_OR_RETURN(report.identification, Identify(options, set, *protocol));
  }
  return report;
}

TrainCommand AddEvalCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "eval", "Prints how well a model tells people apart: 1:1 by a list of pairs, and 1:N");
  command->footer(
      "PAIRS is LFW's pairs.txt or lines of PHOTO PHOTO 0|1. Accuracy is cross-validated over "
      "blocks of\nconsecutive pairs. For 1:N the folder of a photo names its person: the first of "
      "two or more photos\nis enrolled, the others are probes, people with one photo are "
      "strangers.\n"
      "\n"
      "Examples:\n"
      "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --yunet yunet.onnx\n"
      "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt --landmarks "
      "landmarks.txt --mirror sum\n"
      "  facegate-train eval --embeddings e.f32 --order order.txt --pairs pairs.txt --json");
  const auto options = std::make_shared<EvalOptions>();
  const auto json = std::make_shared<bool>(false);
  const auto mirror = std::make_shared<std::string>("none");
  command->add_option("MODEL", options->photos.model, "Model file");
  command->add_option("--pairs", options->pairs, "The list of pairs")->required();
  command->add_option("--photos", options->photos.photos,
                      "Folder that the names in PAIRS are relative to");
  command->add_option("--landmarks", options->photos.landmarks,
                      "File with a photo and ten numbers in each line, instead of a detector");
  command->add_option("--yunet", options->photos.yunet,
                      "ONNX file of YuNet (2023); without it the cascades of opencv-data");
  command->add_option("--embeddings", options->embeddings,
                      "float32 embeddings, not normalised, in the order of --order");
  command->add_flag("--with-mirrors", options->with_mirrors,
                    "The file has those of the mirror images after the plain ones (implied by "
                    "--mirror)");
  command->add_option("--order", options->order, "A photo's name in each line");
  command->add_option("--mirror", *mirror, "What becomes of mirror images")
      ->check(CLI::IsMember({"none", "sum", "concat"}))
      ->capture_default_str();
  command->add_option("--far", options->fars, "False accept rates, 0 to below 1")
      ->capture_default_str();
  command->add_option("--fpir", options->fpirs, "False positive identification rates")
      ->capture_default_str();
  command->add_flag("--json", *json, "The result as a JSON object; shares are 0 to 1");
  return {.app = command, .run = [options, json, mirror](std::ostream& out) -> Status {
            FACEGATE_ASSIGN_OR_RETURN(options->mirror, MirrorRuleFromName(*mirror));
            options->photos.mirror = options->mirror == MirrorRule::kSum;
            FACEGATE_RETURN_IF_ERROR(CheckOptions(*options));
            FACEGATE_ASSIGN_OR_RETURN(const PairList list, ReadPairList(options->pairs));
            FACEGATE_ASSIGN_OR_RETURN(const EmbeddingSet set, LoadSet(*options, list));
            FACEGATE_ASSIGN_OR_RETURN(const EvalReport report, Evaluate(*options, set));
            *json ? PrintJson(report, out) : PrintTable(report, out);
            return OkStatus();
          }};
}

}  // namespace facegate
