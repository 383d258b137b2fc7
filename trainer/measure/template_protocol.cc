#include "trainer/measure/template_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <unordered_map>
#include <utility>

namespace facegate {
namespace {

StatusOr<size_t> RowOf(const FaceTemplates& templates, uint32_t number) {
  const std::optional<size_t> row = templates.RowOf(number);
  if (row.has_value()) return *row;
  return NotFound(fmt::format("there is no template {}", number));
}

}  // namespace

Status ScoreTemplates(const FaceTemplates& templates, std::span<const TemplatePair> pairs,
                      int threads, std::vector<ScoredPair>& scores) {
  const EmbeddingSet& rows = templates.rows();
  std::vector<std::pair<size_t, size_t>> places;
  places.reserve(pairs.size());
  for (const TemplatePair& pair : pairs) {
    FACEGATE_ASSIGN_OR_RETURN(const size_t first, RowOf(templates, pair.first));
    FACEGATE_ASSIGN_OR_RETURN(const size_t second, RowOf(templates, pair.second));
    places.emplace_back(first, second);
  }
  const size_t before = scores.size();
  scores.resize(before + pairs.size());
  const auto parts = static_cast<size_t>(std::max(1, threads));
  const auto score = [&](size_t part) {
    for (size_t i = part * pairs.size() / parts; i < (part + 1) * pairs.size() / parts; ++i) {
      const auto& [first, second] = places[i];
      scores[before + i] = {.cosine = rows.Score(first, second),
                            .same = pairs[i].same,
                            .comparable = rows.has_face(first) && rows.has_face(second)};
    }
  };
  std::vector<std::jthread> others;
  for (size_t part = 1; part < parts; ++part) others.emplace_back(score, part);
  score(0);
  return OkStatus();
}

Status CheckGallery(std::span<const TemplateSubject> people,
                    std::span<const TemplateSubject> probes) {
  std::unordered_map<uint32_t, uint32_t> template_of;
  for (const TemplateSubject& one : people) {
    const auto [place, added] = template_of.emplace(one.subject, one.number);
    if (added) continue;
    return InvalidArgument(fmt::format("person {} has the templates {} and {}, expected one",
                                       one.subject, place->second, one.number));
  }
  const bool any = std::any_of(probes.begin(), probes.end(), [&](const TemplateSubject& probe) {
    return template_of.contains(probe.subject);
  });
  return any ? OkStatus() : InvalidArgument("no probe is of a person in it");
}

StatusOr<GalleryFigures> IdentifyTemplates(const FaceTemplates& templates,
                                           const TemplateGallery& gallery,
                                           std::span<const TemplateSubject> probes,
                                           std::span<const double> fpirs, int threads) {
  if (const Status checked = CheckGallery(gallery.people, probes); !checked.ok()) {
    return Annotate(checked, "gallery " + gallery.name);
  }
  IdentificationProtocol protocol;
  std::unordered_map<uint32_t, size_t> people;
  for (const TemplateSubject& one : gallery.people) {
    FACEGATE_ASSIGN_OR_RETURN(const size_t row, RowOf(templates, one.number));
    people.emplace(one.subject, protocol.gallery.size());
    protocol.gallery.push_back(row);
  }
  for (const TemplateSubject& probe : probes) {
    FACEGATE_ASSIGN_OR_RETURN(const size_t row, RowOf(templates, probe.number));
    const auto person = people.find(probe.subject);
    if (person == people.end()) {
      protocol.strangers.push_back(row);
    } else {
      protocol.probes.push_back({.photo = row, .person = person->second});
    }
  }
  const IdentificationScores scores =
      IdentificationScores::Compute(templates.rows(), protocol, threads);
  GalleryFigures figures{.name = gallery.name,
                         .people = protocol.gallery.size(),
                         .probes = protocol.probes.size(),
                         .strangers = protocol.strangers.size(),
                         .hits_1 = scores.HitsAtRank(1),
                         .hits_5 = scores.HitsAtRank(5),
                         .hits_10 = scores.HitsAtRank(10),
                         .open_set = {}};
  for (const double fpir : fpirs) {
    if (protocol.strangers.empty()) break;
    FACEGATE_ASSIGN_OR_RETURN(const OpenSetRate rate, scores.AtFpir(fpir));
    figures.open_set.push_back(rate);
  }
  return figures;
}

GalleriesFigures MeanOf(std::span<const GalleryFigures> galleries) {
  const auto sum = [&](size_t GalleryFigures::*count) {
    size_t total = 0;
    for (const GalleryFigures& one : galleries) total += one.*count;
    return total;
  };
  const size_t probes = sum(&GalleryFigures::probes);
  GalleriesFigures mean{.rank_1 = ShareOf(sum(&GalleryFigures::hits_1), probes),
                        .rank_5 = ShareOf(sum(&GalleryFigures::hits_5), probes),
                        .rank_10 = ShareOf(sum(&GalleryFigures::hits_10), probes),
                        .open_set = {}};
  const size_t rates = galleries.empty() ? 0 : galleries.front().open_set.size();
  for (size_t i = 0; i < rates; ++i) {
    double total = 0.0;
    for (const GalleryFigures& one : galleries) {
      if (one.open_set.size() != rates) return mean;
      total += one.open_set[i].tpir.value;
    }
    mean.open_set.push_back({.fpir = galleries.front().open_set[i].fpir,
                             .tpir = total / static_cast<double>(galleries.size())});
  }
  return mean;
}

}  // namespace facegate
