#include "server/rpc/collection_settings.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "server/rpc/request_checks.h"

namespace facegate {
namespace {

// The quality where the message has one.
StatusOr<std::optional<float>> ParseQuality(bool given, float quality, std::string_view field) {
  if (!given) return std::optional<float>();
  FACEGATE_RETURN_IF_ERROR(CheckQuality(quality, field));
  return std::optional<float>(quality);
}

// The rate where the message has one.
StatusOr<std::optional<double>> ParseRate(bool given, double rate, std::string_view field) {
  if (!given) return std::optional<double>();
  FACEGATE_RETURN_IF_ERROR(CheckErrorRate(rate, field));
  return std::optional<double>(rate);
}

StatusOr<Fusion> ParseFusion(v1::Fusion fusion, std::string_view field) {
  switch (fusion) {
    case v1::FUSION_UNSPECIFIED:
    case v1::FUSION_BEST_TEMPLATE:
      return Fusion::kBestTemplate;
    case v1::FUSION_MEAN_TEMPLATE:
      return Fusion::kMeanTemplate;
    case v1::FUSION_MEAN_OF_TWO_BEST:
      return Fusion::kMeanOfTwoBest;
    default:
      return RefuseField(field, "is no fusion that this server knows");
  }
}

StatusOr<SearchKind> ParseSearch(v1::SearchKind search, std::string_view field) {
  switch (search) {
    case v1::SEARCH_KIND_UNSPECIFIED:
    case v1::SEARCH_KIND_EXACT:
      return SearchKind::kExact;
    case v1::SEARCH_KIND_HNSW:
      return SearchKind::kHnsw;
    case v1::SEARCH_KIND_IVF:
      return SearchKind::kIvf;
    default:
      return RefuseField(field, "is no search that this server knows");
  }
}

}  // namespace

StatusOr<CollectionSettings> ParseSettings(const v1::CreateCollectionRequest& request) {
  CollectionSettings settings;
  if (request.has_min_cosine()) {
    FACEGATE_RETURN_IF_ERROR(CheckCosine(request.min_cosine(), "min_cosine"));
    settings.min_cosine = request.min_cosine();
  }
  FACEGATE_ASSIGN_OR_RETURN(
      settings.enrol_quality,
      ParseQuality(request.has_enrol_quality(), request.enrol_quality(), "enrol_quality"));
  FACEGATE_ASSIGN_OR_RETURN(
      settings.probe_quality,
      ParseQuality(request.has_probe_quality(), request.probe_quality(), "probe_quality"));
  FACEGATE_ASSIGN_OR_RETURN(settings.identity_match_fmr,
                            ParseRate(request.has_identity_match_fmr(),
                                      request.identity_match_fmr(), "identity_match_fmr"));
  FACEGATE_ASSIGN_OR_RETURN(
      settings.duplicate_fmr,
      ParseRate(request.has_duplicate_fmr(), request.duplicate_fmr(), "duplicate_fmr"));
  FACEGATE_ASSIGN_OR_RETURN(settings.fusion, ParseFusion(request.fusion(), "fusion"));
  settings.cohort = request.cohort_normalisation();
  FACEGATE_ASSIGN_OR_RETURN(settings.search, ParseSearch(request.search(), "search"));
  return settings;
}

StatusOr<CollectionChange> ParseCollectionChange(const v1::UpdateCollectionRequest& request) {
  constexpr std::string_view kExpected =
      "min_cosine, enrol_quality, probe_quality, identity_match_fmr, duplicate_fmr, fusion, "
      "cohort_normalisation or search";
  FACEGATE_RETURN_IF_ERROR(CheckUpdateMask(request.update_mask(), kExpected));
  CollectionChange change;
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "min_cosine") {
      change.set_min_cosine = true;
    } else if (path == "enrol_quality") {
      change.set_enrol_quality = true;
    } else if (path == "probe_quality") {
      change.set_probe_quality = true;
    } else if (path == "identity_match_fmr") {
      change.set_identity_match_fmr = true;
    } else if (path == "duplicate_fmr") {
      change.set_duplicate_fmr = true;
    } else if (path == "fusion") {
      FACEGATE_ASSIGN_OR_RETURN(change.fusion,
                                ParseFusion(request.collection().fusion(), "collection.fusion"));
    } else if (path == "cohort_normalisation") {
      change.cohort = request.collection().cohort_normalisation();
    } else if (path == "search") {
      FACEGATE_ASSIGN_OR_RETURN(change.search,
                                ParseSearch(request.collection().search(), "collection.search"));
    } else {
      return RefuseField("update_mask", fmt::format("has a path that is not {}", kExpected));
    }
  }
  const v1::Collection& given = request.collection();
  if (change.set_min_cosine && given.has_min_cosine()) {
    FACEGATE_RETURN_IF_ERROR(CheckCosine(given.min_cosine(), "collection.min_cosine"));
    change.min_cosine = given.min_cosine();
  }
  if (change.set_enrol_quality) {
    FACEGATE_ASSIGN_OR_RETURN(
        change.enrol_quality,
        ParseQuality(given.has_enrol_quality(), given.enrol_quality(), "collection.enrol_quality"));
  }
  if (change.set_probe_quality) {
    FACEGATE_ASSIGN_OR_RETURN(
        change.probe_quality,
        ParseQuality(given.has_probe_quality(), given.probe_quality(), "collection.probe_quality"));
  }
  if (change.set_identity_match_fmr) {
    FACEGATE_ASSIGN_OR_RETURN(change.identity_match_fmr,
                              ParseRate(given.has_identity_match_fmr(), given.identity_match_fmr(),
                                        "collection.identity_match_fmr"));
  }
  if (change.set_duplicate_fmr) {
    FACEGATE_ASSIGN_OR_RETURN(
        change.duplicate_fmr,
        ParseRate(given.has_duplicate_fmr(), given.duplicate_fmr(), "collection.duplicate_fmr"));
  }
  return change;
}

}  // namespace facegate
