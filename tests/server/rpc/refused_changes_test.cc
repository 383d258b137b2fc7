// Every refusal of a change of a collection or an identity that a single request can bring about,
// with its reason and the field that it names.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/rpc/refusal_fixture.h"

namespace facegate {
namespace {

TEST_F(RefusalTest, OfUpdateMasks) {
  const auto mask = [this](std::vector<std::string> paths) {
    return UpdateWith([paths](auto& r) {
      r.clear_update_mask();
      for (const std::string& path : paths) r.mutable_update_mask()->add_paths(path);
    });
  };
  Check({
      {"no mask", UpdateWith([](auto& r) { r.clear_update_mask(); }), Reason::kInvalidField,
       "update_mask"},
      {"empty mask", mask({}), Reason::kInvalidField, "update_mask"},
      {"empty path", mask({""}), Reason::kInvalidField, "update_mask"},
      {"another field", mask({"id"}), Reason::kInvalidField, "update_mask"},
      {"everything", mask({"*"}), Reason::kInvalidField, "update_mask"},
      {"with its message", mask({"identity.labels"}), Reason::kInvalidField, "update_mask"},
      {"a good and a bad one", mask({"labels", "template_count"}), Reason::kInvalidField,
       "update_mask"},
      {"no key", mask({"labels."}), Reason::kInvalidField, "update_mask"},
      {"a bad key", mask({"labels.Key"}), Reason::kInvalidField, "update_mask"},
      {"longer than the field", mask({"labels2"}), Reason::kInvalidField, "update_mask"},
      {"upper case", mask({"Labels"}), Reason::kInvalidField, "update_mask"},
      {"more than 128 paths", mask(std::vector<std::string>(129, "labels")), Reason::kInvalidField,
       "update_mask"},
  });
}

TEST_F(RefusalTest, OfUpdatesOfCollections) {
  const auto mask = [this](std::vector<std::string> paths) {
    return UpdateCollectionWith([paths](auto& r) {
      r.clear_update_mask();
      for (const std::string& path : paths) r.mutable_update_mask()->add_paths(path);
    });
  };
  const auto cosine = [this](float value) {
    return UpdateCollectionWith(
        [value](auto& r) { r.mutable_collection()->set_min_cosine(value); });
  };
  const auto quality = [this](const std::string& path, float value) {
    return UpdateCollectionWith([path, value](auto& r) {
      r.mutable_update_mask()->add_paths(path);
      r.mutable_collection()->set_enrol_quality(value);
      r.mutable_collection()->set_probe_quality(value);
    });
  };
  Check({
      {"enrol_quality above 1", quality("enrol_quality", 1.01f), Reason::kInvalidField,
       "collection.enrol_quality"},
      {"enrol_quality NaN", quality("enrol_quality", kNan), Reason::kInvalidField,
       "collection.enrol_quality"},
      {"probe_quality below 0", quality("probe_quality", -0.01f), Reason::kInvalidField,
       "collection.probe_quality"},
      {"probe_quality NaN", quality("probe_quality", kNan), Reason::kInvalidField,
       "collection.probe_quality"},
      {"no mask", mask({}), Reason::kInvalidField, "update_mask"},
      {"another field", mask({"model_digest"}), Reason::kInvalidField, "update_mask"},
      {"a good and a bad one", mask({"min_cosine", "id"}), Reason::kInvalidField, "update_mask"},
      {"more than 128 paths", mask(std::vector<std::string>(129, "min_cosine")),
       Reason::kInvalidField, "update_mask"},
      {"above 1", cosine(1.5f), Reason::kInvalidField, "collection.min_cosine"},
      {"not a number", cosine(kNan), Reason::kInvalidField, "collection.min_cosine"},
      {"no such collection", UpdateCollectionWith([](auto& r) { r.set_collection_id("nobody-s"); }),
       Reason::kCollectionNotFound, ""},
      {"a malformed id", UpdateCollectionWith([](auto& r) { r.set_collection_id("a/b"); }),
       Reason::kInvalidField, "collection_id"},
      {"changed in between",
       UpdateCollectionWith([](auto& r) { r.mutable_collection()->set_etag("another"); }),
       Reason::kEtagMismatch, ""},
  });
}

// Else a few such requests could keep all threads of the service at work for minutes.
TEST_F(RefusalTest, OfAnUpdateWithMoreLabelsThanAnIdentityMayHave) {
  const auto labels = [this](const std::string& path, int count) {
    return UpdateWith([path, count](auto& r) {
      r.clear_update_mask();
      for (int i = 0; i < 128; ++i) r.mutable_update_mask()->add_paths(path);
      for (int i = 0; i < count; ++i) {
        (*r.mutable_identity()->mutable_labels())["k" + std::to_string(i)] = "v";
      }
    });
  };
  Check({
      {"all of them", labels("labels", 65), Reason::kInvalidField, "identity.labels"},
      {"one of them", labels("labels.k1", 65), Reason::kInvalidField, "identity.labels"},
  });
  EXPECT_THAT(labels("labels", 64)(), IsOk());
}

TEST_F(RefusalTest, OfLabels) {
  const auto label = [this](const std::string& key, const std::string& value) {
    return UpdateWith([=](auto& r) { (*r.mutable_identity()->mutable_labels())[key] = value; });
  };
  std::vector<Refusal> rows{
      {"upper-case key", label("Key", ""), Reason::kInvalidField, "identity.labels"},
      {"empty key", label("", ""), Reason::kInvalidField, "identity.labels"},
      {"long key", label(std::string(64, 'a'), ""), Reason::kInvalidField, "identity.labels"},
      {"long value", label("a", std::string(257, 'a')), Reason::kInvalidField, "identity.labels"},
      {"control character", label("a", "\t"), Reason::kInvalidField, "identity.labels"},
      {"no UTF-8", label("a", "\xff"), Reason::kInvalidField, "identity.labels"},
      {"too many", UpdateWith([](auto& r) {
         for (int i = 0; i < 65; ++i) {
           (*r.mutable_identity()->mutable_labels())["k" + std::to_string(i)] = "";
         }
       }),
       Reason::kInvalidField, "identity.labels"},
  };
  Check(rows);
  // Too many together with those that are there.
  ASSERT_THAT(UpdateWith([](auto& r) {
                for (int i = 0; i < 64; ++i) {
                  (*r.mutable_identity()->mutable_labels())["k" + std::to_string(i)] = "";
                }
              })(),
              IsOk());
  Check({{"one more", UpdateWith([](auto& r) {
            r.mutable_update_mask()->set_paths(0, "labels.more");
            (*r.mutable_identity()->mutable_labels())["more"] = "";
          }),
          Reason::kInvalidField, "identity.labels"},
         {"too many by a merge", MergeWith([this](auto& r) {
            const LabelChange own{.replace_all = true, .set = {{"own", ""}}, .remove = {}};
            FACEGATE_CHECK(gallery_->UpdateLabels("people", "source", own, "").ok());
            r.set_source_identity_id("source");
          }),
          Reason::kInvalidField, "source_identity_id"}});
}

TEST_F(RefusalTest, OfChangesOfIdentities) {
  const std::string long_id(129, 'a');
  const auto stale = [](auto& r) { r.set_etag("0123456789abcdef"); };
  Check({
      {"update: no collection", UpdateWith([](auto& r) { r.clear_collection_id(); }),
       Reason::kInvalidField, "collection_id"},
      {"update: no identity", UpdateWith([](auto& r) { r.clear_identity_id(); }),
       Reason::kInvalidField, "identity_id"},
      {"update: unknown collection", UpdateWith([](auto& r) { r.set_collection_id("nowhere"); }),
       Reason::kCollectionNotFound, ""},
      {"update: unknown identity", UpdateWith([](auto& r) { r.set_identity_id("nobody"); }),
       Reason::kIdentityNotFound, ""},
      {"update: stale etag",
       UpdateWith([](auto& r) { r.mutable_identity()->set_etag("0123456789abcdef"); }),
       Reason::kEtagMismatch, ""},
      {"rename: bad collection", RenameWith([](auto& r) { r.set_collection_id("a/b"); }),
       Reason::kInvalidField, "collection_id"},
      {"rename: bad identity", RenameWith([](auto& r) { r.set_identity_id("a b"); }),
       Reason::kInvalidField, "identity_id"},
      {"rename: no new id", RenameWith([](auto& r) { r.clear_new_identity_id(); }),
       Reason::kInvalidField, "new_identity_id"},
      {"rename: long new id", RenameWith([&](auto& r) { r.set_new_identity_id(long_id); }),
       Reason::kInvalidField, "new_identity_id"},
      {"rename: taken", RenameWith([](auto& r) { r.set_new_identity_id("7"); }),
       Reason::kIdentityExists, ""},
      {"rename: itself", RenameWith([](auto& r) { r.set_new_identity_id("renamed"); }),
       Reason::kIdentityExists, ""},
      {"rename: unknown", RenameWith([](auto& r) { r.set_identity_id("nobody"); }),
       Reason::kIdentityNotFound, ""},
      {"rename: stale etag", RenameWith(stale), Reason::kEtagMismatch, ""},
      {"merge: no source", MergeWith([](auto& r) { r.clear_source_identity_id(); }),
       Reason::kInvalidField, "source_identity_id"},
      {"merge: no target", MergeWith([](auto& r) { r.clear_target_identity_id(); }),
       Reason::kInvalidField, "target_identity_id"},
      {"merge: bad collection", MergeWith([](auto& r) { r.set_collection_id(""); }),
       Reason::kInvalidField, "collection_id"},
      {"merge: itself", MergeWith([](auto& r) { r.set_source_identity_id("7"); }),
       Reason::kInvalidField, "source_identity_id"},
      {"merge: unknown source", MergeWith([](auto& r) { r.set_source_identity_id("nobody"); }),
       Reason::kIdentityNotFound, ""},
      {"merge: unknown target", MergeWith([](auto& r) { r.set_target_identity_id("nobody"); }),
       Reason::kIdentityNotFound, ""},
      {"merge: unknown collection", MergeWith([](auto& r) { r.set_collection_id("nowhere"); }),
       Reason::kCollectionNotFound, ""},
      {"merge: stale source", MergeWith([](auto& r) { r.set_source_etag("x"); }),
       Reason::kEtagMismatch, ""},
      {"merge: stale target", MergeWith([](auto& r) { r.set_target_etag("x"); }),
       Reason::kEtagMismatch, ""},
      {"delete: stale etag", DeleteWith(stale), Reason::kEtagMismatch, ""},
  });
}

}  // namespace
}  // namespace facegate
