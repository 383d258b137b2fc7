#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/index/local/requests_fixture.h"

// What the committed stores of earlier formats hold (tests/index/store/format_3), and how it is
// told in the texts beside them.
namespace facegate {

inline constexpr int kFilledSize = 16;

// A vector of its own for each number, made of exact values: of unit length within 1e-3.
inline Embedding NumberedEmbedding(uint32_t number) {
  std::vector<float> values;
  for (uint32_t i = 0; i < kFilledSize; ++i) {
    const float size = 0.25f + static_cast<float>((number * 7 + i * 3) % 16) / 0x100000;
    values.push_back((number >> (i % 8) & 1) == 1 ? -size : size);
  }
  StatusOr<Embedding> embedding = Embedding::FromUnit(std::move(values));
  FACEGATE_CHECK(embedding.ok());
  return *std::move(embedding);
}

inline NewTemplate NumberedTemplate(uint32_t number) {
  return {.embedding = NumberedEmbedding(number),
          .detector = "yunet",
          .detection_score = 0.875f,
          .source_digest = "photo " + std::to_string(number),
          .source = TemplateSource::kImage,
          .quality = 0.5f};
}

// Fills an empty gallery.
inline void FillGallery(GalleryBackend& gallery) {
  const auto begin = [&](uint64_t id) {
    auto ticket = gallery.BeginRequest(NumberedRequest(id), FingerprintOf('f'));
    FACEGATE_CHECK(ticket.ok());
    return *std::move(ticket);
  };
  const auto enrol = [&](const std::string& collection, const std::string& identity,
                         const std::vector<NewTemplate>& templates) {
    FACEGATE_CHECK(gallery.Enrol(collection, identity, TestModel(), templates, {}).ok());
  };
  {
    const auto ticket = begin(1);
    const CollectionSettings settings{.min_cosine = 0.25f,
                                      .enrol_quality = 0.125f,
                                      .probe_quality = 0.0625f,
                                      .identity_match_fmr = 1e-3,
                                      .duplicate_fmr = 1e-6,
                                      .fusion = Fusion::kMeanTemplate,
                                      .cohort = true};
    FACEGATE_CHECK(gallery
                       .CreateCollection("people", TestModel(), kFilledSize, settings,
                                         Answering<CollectionInfo>(ticket, "made people"))
                       .ok());
  }
  for (const char* other : {"guests", "nobody", "gone"}) {
    FACEGATE_CHECK(gallery.CreateCollection(other, TestModel(), kFilledSize, {}).ok());
  }
  {
    const auto ticket = begin(2);
    const std::vector<NewTemplate> faces{NumberedTemplate(1), NumberedTemplate(2),
                                         NumberedTemplate(3)};
    FACEGATE_CHECK(gallery
                       .Enrol("people", "jane", TestModel(), faces, {},
                              Answering<EnrolResult>(ticket, "enrolled jane"))
                       .ok());
  }
  for (uint32_t i = 0; i < 9; ++i) {
    enrol("people", "p" + std::to_string(i), {NumberedTemplate(10 + i), NumberedTemplate(30 + i)});
  }
  enrol("guests", "jane", {NumberedTemplate(60)});
  enrol("guests", "bare", {NumberedTemplate(61)});
  enrol("gone", "nobody", {NumberedTemplate(62)});
  {
    const auto ticket = begin(3);
    const LabelChange labels{
        .replace_all = false, .set = {{"site", "2"}, {"team", "blue"}}, .remove = {}};
    FACEGATE_CHECK(gallery
                       .UpdateLabels("people", "jane", labels, "",
                                     Answering<IdentityInfo>(ticket, "labelled jane"))
                       .ok());
  }
  {
    const auto ticket = begin(4);
    FACEGATE_CHECK(
        gallery.DeleteIdentity("people", "p3", "", Answering<uint64_t>(ticket, "deleted p3")).ok());
  }
  FACEGATE_CHECK(gallery.RenameIdentity("people", "p4", "p4-renamed", "").ok());
  FACEGATE_CHECK(
      gallery.MergeIdentities("people", {.id = "p5", .etag = {}}, {.id = "p6", .etag = {}}).ok());
  const auto bare = gallery.ListTemplates("guests", "bare", 0, 1);
  FACEGATE_CHECK(bare.ok() && gallery.DeleteTemplate("guests", "bare", bare->front().id).ok());
  {
    const auto ticket = begin(5);
    FACEGATE_CHECK(
        gallery.DeleteCollection("gone", true, Answering<Deleted>(ticket, "deleted gone")).ok());
  }
}

inline std::string DescribeSettings(const CollectionSettings& settings) {
  return fmt::format("{} {} {} {} {} {} {}", settings.min_cosine.value_or(-2.0f),
                     settings.enrol_quality.value_or(-1.0f), settings.probe_quality.value_or(-1.0f),
                     settings.identity_match_fmr.value_or(0.0),
                     settings.duplicate_fmr.value_or(0.0), static_cast<int>(settings.fusion),
                     settings.cohort);
}

// One line for each identity, and for each of its templates, to the bit.
inline std::string DescribeIdentities(const Gallery& gallery, const std::string& collection) {
  std::string text;
  const auto identities = gallery.ListIdentities(collection, "", SIZE_MAX);
  for (const IdentityInfo& identity : identities->items) {
    text += fmt::format("  identity {}: {} {} {}", identity.id, identity.create_time_us,
                        identity.update_time_us, identity.etag);
    for (const auto& [key, value] : identity.labels) text += fmt::format(" {}={}", key, value);
    text += "\n";
    const auto templates = gallery.ListTemplates(collection, identity.id, 0, SIZE_MAX);
    for (const TemplateInfo& one : *templates) {
      text +=
          fmt::format("    template {}: {} {} {} {} {} {} {}\n", one.id, one.model == TestModel(),
                      one.detector, one.detection_score, one.create_time_us, one.source_digest,
                      static_cast<int>(one.source), one.quality.value_or(-1.0f));
      text += fmt::format("      {}\n",
                          ToHex(BytesOf(*gallery.GetEmbedding(collection, identity.id, one.id))));
    }
  }
  return text;
}

// All that the gallery tells, also to those who ask again.
inline std::string DescribeGallery(GalleryBackend& gallery) {
  std::string text;
  const auto collections = gallery.ListCollections("", SIZE_MAX);
  for (const CollectionInfo& one : collections->items) {
    text += fmt::format("collection {}: {} {} {} {} {}; {}\n", one.id, one.model == TestModel(),
                        one.embedding_size, one.create_time_us, one.update_time_us, one.etag,
                        DescribeSettings(one.settings));
    text += DescribeIdentities(gallery, one.id);
  }
  for (uint64_t id = 1; id <= 5; ++id) {
    const auto ticket = gallery.BeginRequest(NumberedRequest(id), FingerprintOf('f'));
    text += fmt::format(
        "request {}: {}\n", id,
        ticket.ok() ? ticket->answer.value_or("(new)") : std::string(MessageOf(ticket.status())));
  }
  return text;
}

}  // namespace facegate
