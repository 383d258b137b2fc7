#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/index/local/gallery_fixture.h"

namespace facegate {

// Gives what Search() must: every template compared, by what the gallery lists.
inline std::vector<Candidate> FullScan(const Gallery& gallery, const Embedding& query) {
  std::vector<Candidate> best;
  for (const auto& identity : IdentitiesOf(gallery, "people")) {
    std::optional<Candidate> of_identity;
    for (const auto& one : identity.templates) {
      const float cosine = CosineScore(query.values(), std::get<4>(one));
      if (!of_identity.has_value() || cosine > of_identity->cosine) {
        of_identity = {.identity = identity.id, .template_id = std::get<0>(one), .cosine = cosine};
      }
    }
    if (of_identity.has_value()) best.push_back(*of_identity);
  }
  std::sort(best.begin(), best.end(), [](const Candidate& a, const Candidate& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.template_id < b.template_id;
  });
  return best;
}

inline LabelChange Setting(const Labels& labels, const std::vector<std::string>& remove = {}) {
  return {.replace_all = false, .set = labels, .remove = remove};
}
inline LabelChange ReplacingBy(const Labels& labels) {
  return {.replace_all = true, .set = labels, .remove = {}};
}

class IdentityChangesTest : public GalleryTest {
 protected:
  // Search() and Score() agree with a full scan for some random queries and `query`.
  void ExpectExact(const Embedding& query) {
    for (const Embedding& probe : {query, Random(), Random()}) {
      const std::vector<Candidate> expected = FullScan(*gallery_, probe);
      FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, Search(probe, SIZE_MAX));
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].identity, expected[i].identity);
        EXPECT_EQ(found[i].template_id, expected[i].template_id);
        EXPECT_EQ(found[i].cosine, expected[i].cosine);
        const auto score = gallery_->Score("people", found[i].identity, TestModel(), probe);
        ASSERT_THAT(score, IsOk());
        EXPECT_EQ(score->template_id, found[i].template_id);
        EXPECT_EQ(score->cosine, found[i].cosine);
      }
    }
  }
  // ... and nothing of it changes when the gallery is opened again.
  void ExpectExactAndLasting(const Embedding& query) {
    ExpectExact(query);
    const GallerySnapshot before = SnapshotOf(*gallery_);
    Reopen();
    EXPECT_EQ(SnapshotOf(*gallery_), before);
    ExpectExact(query);
  }

  IdentityInfo Get(const std::string& identity) {
    const auto info = gallery_->GetIdentity("people", identity);
    FACEGATE_CHECK(info.ok());
    return *info;
  }
  StatusOr<IdentityInfo> Label(const std::string& identity, const Labels& set,
                               const std::string& etag = "") {
    return gallery_->UpdateLabels("people", identity, Setting(set), etag);
  }
  StatusOr<IdentityInfo> Rename(const std::string& identity, const std::string& new_id,
                                const std::string& etag = "") {
    return gallery_->RenameIdentity("people", identity, new_id, etag);
  }
  StatusOr<MergeResult> Merge(const std::string& source, const std::string& target,
                              const std::string& source_etag = "",
                              const std::string& target_etag = "") {
    return gallery_->MergeIdentities("people", {.id = source, .etag = source_etag},
                                     {.id = target, .etag = target_etag});
  }
  std::vector<uint64_t> TemplatesOf(const std::string& identity) {
    std::vector<uint64_t> ids;
    const auto listed = gallery_->ListTemplates("people", identity, 0, SIZE_MAX);
    FACEGATE_CHECK(listed.ok());
    for (const TemplateInfo& one : *listed) ids.push_back(one.id);
    return ids;
  }
};

}  // namespace facegate
