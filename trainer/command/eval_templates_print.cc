#include "trainer/command/eval_templates_print.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "face/base/shown_text.h"
#include "trainer/command/eval_print.h"

namespace facegate {
namespace {

using TemplateJson = nlohmann::ordered_json;
using FigureRows = std::vector<std::pair<std::string, std::string>>;

void AddGallery(const GalleryFigures& gallery, FigureRows& rows) {
  rows.emplace_back("gallery " + gallery.name,
                    fmt::format("{} people, {} probes, {} strangers", gallery.people,
                                gallery.probes, gallery.strangers));
  const auto rank = [&](int number, size_t hits) {
    rows.emplace_back(fmt::format("  rank-{}", number),
                      WithInterval(ShareOf(hits, gallery.probes)));
  };
  rank(1, gallery.hits_1);
  rank(5, gallery.hits_5);
  rank(10, gallery.hits_10);
  for (const OpenSetRate& rate : gallery.open_set) {
    rows.emplace_back(
        fmt::format("  TPIR@FPIR {:g}", rate.fpir),
        fmt::format("{}  (cosine above {:.4f}{})", WithInterval(rate.tpir), rate.threshold,
                    Unmeasured(rate.fpir, gallery.strangers, "strangers")));
  }
}

void AddPooled(const GalleriesFigures& pooled, FigureRows& rows) {
  rows.emplace_back("searches of each gallery", "counted together");
  rows.emplace_back("  rank-1", WithInterval(pooled.rank_1));
  rows.emplace_back("  rank-5", WithInterval(pooled.rank_5));
  rows.emplace_back("  rank-10", WithInterval(pooled.rank_10));
  for (const GalleriesFigures::MeanRate& rate : pooled.open_set) {
    rows.emplace_back(fmt::format("  mean TPIR@FPIR {:g}", rate.fpir),
                      fmt::format("{:.3f} %", 100.0 * rate.tpir));
  }
}

TemplateJson JsonOfShare(const Share& share) {
  return {{"value", share.value}, {"low", share.low}, {"high", share.high}};
}

TemplateJson JsonOfGallery(const GalleryFigures& gallery) {
  TemplateJson json{{"name", gallery.name},
                    {"people", gallery.people},
                    {"probes", gallery.probes},
                    {"strangers", gallery.strangers},
                    {"rank_1", JsonOfShare(ShareOf(gallery.hits_1, gallery.probes))},
                    {"rank_5", JsonOfShare(ShareOf(gallery.hits_5, gallery.probes))},
                    {"rank_10", JsonOfShare(ShareOf(gallery.hits_10, gallery.probes))}};
  json["tpir_at_fpir"] = TemplateJson::array();
  for (const OpenSetRate& rate : gallery.open_set) {
    json["tpir_at_fpir"].push_back({{"fpir", rate.fpir},
                                    {"measurable", IsMeasurable(rate.fpir, gallery.strangers)},
                                    {"threshold", rate.threshold},
                                    {"tpir", JsonOfShare(rate.tpir)}});
  }
  return json;
}

TemplateJson JsonOfPooled(const GalleriesFigures& pooled) {
  TemplateJson json{{"rank_1", JsonOfShare(pooled.rank_1)},
                    {"rank_5", JsonOfShare(pooled.rank_5)},
                    {"rank_10", JsonOfShare(pooled.rank_10)}};
  json["mean_tpir_at_fpir"] = TemplateJson::array();
  for (const GalleriesFigures::MeanRate& rate : pooled.open_set) {
    json["mean_tpir_at_fpir"].push_back({{"fpir", rate.fpir}, {"tpir", rate.tpir}});
  }
  return json;
}

}  // namespace

FigureRows TemplateRows(const TemplateEvalResult& result) {
  FigureRows rows;
  rows.emplace_back("faces", result.left_out == 0
                                 ? fmt::format("{} in {} templates", result.faces, result.templates)
                                 : fmt::format("{} in {} templates, {} of them left out",
                                               result.faces, result.templates, result.left_out));
  if (result.without_face > 0) {
    rows.emplace_back("  templates without a face",
                      fmt::format("{} (counted as matching no one)", result.without_face));
  }
  rows.emplace_back("pairs",
                    fmt::format("{} genuine, {} impostor", result.genuine, result.impostor));
  for (const AcceptanceAtFar& at : result.tar) {
    rows.emplace_back(fmt::format("TAR@FAR {:g}", at.far),
                      fmt::format("{}  (cosine above {:.4f}{})", WithInterval(at.tar), at.threshold,
                                  Unmeasured(at.far, result.impostor, "impostor pairs")));
  }
  rows.emplace_back("EER", WithInterval(result.eer));
  rows.emplace_back("AUC", fmt::format("{:.6f}  [{:.6f}, {:.6f}]", result.auc.value, result.auc.low,
                                       result.auc.high));
  for (const GalleryFigures& gallery : result.galleries) AddGallery(gallery, rows);
  if (!result.galleries.empty()) AddPooled(result.pooled, rows);
  if (result.together.has_value()) AddGallery(*result.together, rows);
  return rows;
}

void PrintTemplateTable(const TemplateEvalResult& result, std::ostream& out) {
  for (const std::string& remark : result.remarks) out << ShownText(remark) << "\n";
  for (const auto& [name, value] : TemplateRows(result)) {
    out << fmt::format("{:<34}{}\n", name, value);
  }
}

void PrintTemplateJson(const TemplateEvalResult& result, std::ostream& out) {
  TemplateJson json{{"faces", result.faces},           {"left_out", result.left_out},
                    {"templates", result.templates},   {"without_face", result.without_face},
                    {"genuine_pairs", result.genuine}, {"impostor_pairs", result.impostor}};
  json["tar_at_far"] = TemplateJson::array();
  for (const AcceptanceAtFar& at : result.tar) {
    json["tar_at_far"].push_back({{"far", at.far},
                                  {"threshold", at.threshold},
                                  {"tar", JsonOfShare(at.tar)},
                                  {"measurable", IsMeasurable(at.far, result.impostor)}});
  }
  json["eer"] = JsonOfShare(result.eer);
  json["auc"] = JsonOfShare(result.auc);
  json["galleries"] = TemplateJson::array();
  for (const GalleryFigures& one : result.galleries) {
    json["galleries"].push_back(JsonOfGallery(one));
  }
  json["pooled"] = result.galleries.empty() ? TemplateJson() : JsonOfPooled(result.pooled);
  json["together"] = result.together.has_value() ? JsonOfGallery(*result.together) : TemplateJson();
  json["remarks"] = result.remarks;
  out << json.dump(2, ' ', false, TemplateJson::error_handler_t::replace) << "\n";
}

}  // namespace facegate
