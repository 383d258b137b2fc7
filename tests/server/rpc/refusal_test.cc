// Every refusal of FaceService and GalleryService that a single request can bring about, with its
// reason and the field that it names. One row for each.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Row {
  std::string what;
  std::function<Status()> run;
  Reason reason;
  std::string field;
};

class RefusalTest : public ServiceTest {
 protected:
  RefusalTest() {
    Enroll("7", 1);
    CreateCollection("other-model", OtherModel(), std::nullopt);
    CreateCollection("no-threshold", engine_.model(), std::nullopt);
    for (const char* name : {"renamed", "source", "deleted"}) Enroll(name, 2);
  }

  // Runs a request that is right except for what `spoil` does to it.
  template <typename Request, typename Response>
  std::function<Status()> Spoilt(Request request, std::function<void(Request&)> spoil,
                                 Status (FaceService::*method)(const CallContext&, const Request&,
                                                               Response*)) {
    spoil(request);
    return [this, request, method] {
      Response response;
      return (faces_.get()->*method)(call_, request, &response);
    };
  }
  std::function<Status()> EnrollWith(std::function<void(v1::EnrollRequest&)> spoil) {
    v1::EnrollRequest request;
    request.set_collection_id("people");
    request.set_identity_id("8");
    *request.add_samples() = Crop(1);
    return Spoilt(request, std::move(spoil), &FaceService::Enroll);
  }
  std::function<Status()> VerifyWith(std::function<void(v1::VerifyRequest&)> spoil) {
    v1::VerifyRequest request;
    request.set_collection_id("people");
    request.set_identity_id("7");
    *request.mutable_probe() = Crop(1);
    return Spoilt(request, std::move(spoil), &FaceService::Verify);
  }
  std::function<Status()> IdentifyWith(std::function<void(v1::IdentifyRequest&)> spoil) {
    v1::IdentifyRequest request;
    request.set_collection_id("people");
    *request.mutable_probe() = Crop(1);
    return Spoilt(request, std::move(spoil), &FaceService::Identify);
  }
  std::function<Status()> EmbedWith(std::function<void(v1::EmbedRequest&)> spoil) {
    v1::EmbedRequest request;
    *request.mutable_probe() = Photo(1);
    return Spoilt(request, std::move(spoil), &FaceService::Embed);
  }
  std::function<Status()> DetectWith(std::function<void(v1::DetectRequest&)> spoil) {
    v1::DetectRequest request;
    request.set_image(PatternPng(1));
    return Spoilt(request, std::move(spoil), &FaceService::Detect);
  }
  std::function<Status()> CompareWith(std::function<void(v1::CompareRequest&)> spoil) {
    v1::CompareRequest request;
    *request.mutable_first() = Crop(1);
    *request.mutable_second() = Crop(2);
    request.mutable_operating_point()->set_min_cosine(0.5f);
    return Spoilt(request, std::move(spoil), &FaceService::Compare);
  }

  template <typename Request, typename Response>
  std::function<Status()> Spoilt(Request request, std::function<void(Request&)> spoil,
                                 Status (GalleryService::*method)(const CallContext&,
                                                                  const Request&, Response*)) {
    spoil(request);
    return [this, request, method] {
      Response response;
      return (galleries_.get()->*method)(call_, request, &response);
    };
  }
  std::function<Status()> UpdateWith(std::function<void(v1::UpdateIdentityRequest&)> spoil) {
    v1::UpdateIdentityRequest request;
    request.set_collection_id("people");
    request.set_identity_id("7");
    request.mutable_update_mask()->add_paths("labels");
    return Spoilt(request, std::move(spoil), &GalleryService::UpdateIdentity);
  }
  std::function<Status()> RenameWith(std::function<void(v1::RenameIdentityRequest&)> spoil) {
    v1::RenameIdentityRequest request;
    request.set_collection_id("people");
    request.set_identity_id("renamed");
    request.set_new_identity_id("renamed-2");
    return Spoilt(request, std::move(spoil), &GalleryService::RenameIdentity);
  }
  std::function<Status()> MergeWith(std::function<void(v1::MergeIdentitiesRequest&)> spoil) {
    v1::MergeIdentitiesRequest request;
    request.set_collection_id("people");
    request.set_source_identity_id("source");
    request.set_target_identity_id("7");
    return Spoilt(request, std::move(spoil), &GalleryService::MergeIdentities);
  }
  std::function<Status()> DeleteWith(std::function<void(v1::DeleteIdentityRequest&)> spoil) {
    v1::DeleteIdentityRequest request;
    request.set_collection_id("people");
    request.set_identity_id("deleted");
    return Spoilt(request, std::move(spoil), &GalleryService::DeleteIdentity);
  }
  std::function<Status()> DeleteTemplateWith(
      std::function<void(v1::DeleteTemplateRequest&)> spoil) {
    v1::DeleteTemplateRequest request;
    request.set_collection_id("people");
    request.set_identity_id("7");
    request.set_template_id(1);
    return Spoilt(request, std::move(spoil), &GalleryService::DeleteTemplate);
  }
  std::function<Status()> CreateWith(std::function<void(v1::CreateCollectionRequest&)> spoil) {
    v1::CreateCollectionRequest request;
    request.set_collection_id("new");
    return Spoilt(request, std::move(spoil), &GalleryService::CreateCollection);
  }
  std::function<Status()> UpdateCollectionWith(
      std::function<void(v1::UpdateCollectionRequest&)> spoil) {
    v1::UpdateCollectionRequest request;
    request.set_collection_id("people");
    request.mutable_update_mask()->add_paths("min_cosine");
    request.mutable_collection()->set_min_cosine(0.5f);
    return Spoilt(request, std::move(spoil), &GalleryService::UpdateCollection);
  }
  std::function<Status()> DropWith(std::function<void(v1::DeleteCollectionRequest&)> spoil) {
    v1::DeleteCollectionRequest request;
    request.set_collection_id("no-threshold");
    return Spoilt(request, std::move(spoil), &GalleryService::DeleteCollection);
  }

  static void Check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      const Status status = row.run();
      EXPECT_THAT(status, RefusedWith(row.reason)) << row.what;
      EXPECT_EQ(FieldOf(status), row.field) << row.what;
      EXPECT_EQ(status.code(), CodeOf(row.reason)) << row.what;
    }
  }
};

TEST_F(RefusalTest, WhatTheRowsSpoilIsRightBefore) {
  EXPECT_THAT(EnrollWith([](auto&) {})(), IsOk());
  EXPECT_THAT(VerifyWith([](auto&) {})(), IsOk());
  EXPECT_THAT(IdentifyWith([](auto&) {})(), IsOk());
  EXPECT_THAT(EmbedWith([](auto&) {})(), IsOk());
  EXPECT_THAT(DetectWith([](auto&) {})(), IsOk());
  EXPECT_THAT(CompareWith([](auto&) {})(), IsOk());
  EXPECT_THAT(UpdateWith([](auto&) {})(), IsOk());
  EXPECT_THAT(RenameWith([](auto&) {})(), IsOk());
  EXPECT_THAT(MergeWith([](auto&) {})(), IsOk());
  EXPECT_THAT(DeleteWith([](auto&) {})(), IsOk());
  EXPECT_THAT(CreateWith([](auto&) {})(), IsOk());
  EXPECT_THAT(DropWith([](auto&) {})(), IsOk());
}

TEST_F(RefusalTest, OfRequestIdsThatAreNone) {
  for (const char* const bad :
       {"1", "01234567-89ab-cdef-8081-f2f3f4f5f6f", "01234567-89ab-cdef-8081-f2f3f4f5f6f70",
        "0123456789abcdef8081f2f3f4f5f6f7----", "{1234567-89ab-cdef-8081-f2f3f4f5f6f}",
        "00000000-0000-0000-0000-000000000000"}) {
    const auto spoil = [bad](auto& r) { r.set_request_id(bad); };
    Check({
        {"enroll", EnrollWith(spoil), Reason::kInvalidField, "request_id"},
        {"update", UpdateWith(spoil), Reason::kInvalidField, "request_id"},
        {"rename", RenameWith(spoil), Reason::kInvalidField, "request_id"},
        {"merge", MergeWith(spoil), Reason::kInvalidField, "request_id"},
        {"delete", DeleteWith(spoil), Reason::kInvalidField, "request_id"},
        {"delete template", DeleteTemplateWith(spoil), Reason::kInvalidField, "request_id"},
        {"create collection", CreateWith(spoil), Reason::kInvalidField, "request_id"},
        {"delete collection", DropWith(spoil), Reason::kInvalidField, "request_id"},
    });
  }
}

TEST_F(RefusalTest, OfRequestIdsThatWereUsed) {
  const auto spoil = [](auto& r) { r.set_request_id("01234567-89ab-cdef-8081-f2f3f4f5f6f7"); };
  ASSERT_THAT(UpdateWith(spoil)(), IsOk());
  Check({
      {"update", UpdateWith([&](auto& r) {
         spoil(r);
         r.mutable_identity()->set_etag("x");
       }),
       Reason::kRequestIdReused, ""},
      {"enroll", EnrollWith(spoil), Reason::kRequestIdReused, ""},
      {"rename", RenameWith(spoil), Reason::kRequestIdReused, ""},
      {"merge", MergeWith(spoil), Reason::kRequestIdReused, ""},
      {"delete", DeleteWith(spoil), Reason::kRequestIdReused, ""},
      {"delete template", DeleteTemplateWith(spoil), Reason::kRequestIdReused, ""},
      {"create collection", CreateWith(spoil), Reason::kRequestIdReused, ""},
      {"delete collection", DropWith(spoil), Reason::kRequestIdReused, ""},
  });
}

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
      {"not a number", cosine(std::numeric_limits<float>::quiet_NaN()), Reason::kInvalidField,
       "collection.min_cosine"},
      {"no such collection", UpdateCollectionWith([](auto& r) { r.set_collection_id("nobody-s"); }),
       Reason::kCollectionNotFound, ""},
      {"a malformed id", UpdateCollectionWith([](auto& r) { r.set_collection_id("a/b"); }),
       Reason::kInvalidField, "collection_id"},
      {"changed in between",
       UpdateCollectionWith([](auto& r) { r.mutable_collection()->set_etag("another"); }),
       Reason::kEtagMismatch, ""},
  });
}

TEST_F(RefusalTest, OfSourceDigests) {
  const auto digest = [this](const std::string& text) {
    return EnrollWith([text](auto& r) { r.mutable_samples(0)->set_source_digest(text); });
  };
  Check({
      {"no hexadecimal digits", digest("photo.jpg"), Reason::kInvalidField,
       "samples[0].source_digest"},
      {"upper case", digest("ABCD"), Reason::kInvalidField, "samples[0].source_digest"},
      {"65 digits", digest(std::string(65, 'a')), Reason::kInvalidField,
       "samples[0].source_digest"},
      {"not in Enroll", IdentifyWith([](auto& r) { r.mutable_probe()->set_source_digest("ab"); }),
       Reason::kInvalidField, "probe.source_digest"},
  });
}

// Two such requests once kept both threads of the service at work for minutes.
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
  std::vector<Row> rows{
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

TEST_F(RefusalTest, OfUniqueIdentitiesForOneFace) {
  const auto unique = [this](const v1::Probe& probe) {
    return IdentifyWith([probe](auto& r) {
      *r.mutable_probe() = probe;
      r.set_unique_identities(true);
    });
  };
  v1::Probe largest = Photo(1);
  largest.set_face_selection(v1::FACE_SELECTION_LARGEST);
  v1::Probe all = Photo(1);
  all.set_face_selection(v1::FACE_SELECTION_ALL);
  EXPECT_THAT(unique(all)(), IsOk());
  Check({
      {"no selection", unique(Photo(1)), Reason::kInvalidField, "unique_identities"},
      {"LARGEST", unique(largest), Reason::kInvalidField, "unique_identities"},
      {"a crop", unique(Crop(1)), Reason::kInvalidField, "unique_identities"},
      {"an embedding", unique(Vector(1)), Reason::kInvalidField, "unique_identities"},
  });
}

TEST_F(RefusalTest, OfIds) {
  Check({
      {"no collection", EnrollWith([](auto& r) { r.clear_collection_id(); }), Reason::kInvalidField,
       "collection_id"},
      {"bad collection", EnrollWith([](auto& r) { r.set_collection_id("a/b"); }),
       Reason::kInvalidField, "collection_id"},
      {"no identity", EnrollWith([](auto& r) { r.clear_identity_id(); }), Reason::kInvalidField,
       "identity_id"},
      {"long identity", EnrollWith([](auto& r) { r.set_identity_id(std::string(129, 'a')); }),
       Reason::kInvalidField, "identity_id"},
      {"verify: bad collection", VerifyWith([](auto& r) { r.set_collection_id(".."); }),
       Reason::kInvalidField, "collection_id"},
      {"verify: bad identity", VerifyWith([](auto& r) { r.set_identity_id("ä"); }),
       Reason::kInvalidField, "identity_id"},
      {"identify: bad collection", IdentifyWith([](auto& r) { r.set_collection_id(" "); }),
       Reason::kInvalidField, "collection_id"},
      {"enroll: unknown collection", EnrollWith([](auto& r) { r.set_collection_id("nowhere"); }),
       Reason::kCollectionNotFound, ""},
      {"verify: unknown collection", VerifyWith([](auto& r) { r.set_collection_id("nowhere"); }),
       Reason::kCollectionNotFound, ""},
      {"verify: unknown identity", VerifyWith([](auto& r) { r.set_identity_id("nobody"); }),
       Reason::kIdentityNotFound, ""},
      {"identify: unknown collection",
       IdentifyWith([](auto& r) { r.set_collection_id("nowhere"); }), Reason::kCollectionNotFound,
       ""},
      {"identity exists", EnrollWith([](auto& r) {
         r.set_identity_id("7");
         r.set_must_be_new(true);
       }),
       Reason::kIdentityExists, ""},
  });
}

TEST_F(RefusalTest, OfCounts) {
  Check({
      {"no samples", EnrollWith([](auto& r) { r.clear_samples(); }), Reason::kInvalidField,
       "samples"},
      {"too many samples", EnrollWith([](auto& r) {
         while (r.samples_size() < 5) *r.add_samples() = r.samples(0);
       }),
       Reason::kInvalidField, "samples"},
      {"too many candidates", IdentifyWith([](auto& r) { r.set_max_candidates(11); }),
       Reason::kInvalidField, "max_candidates"},
  });
}

TEST_F(RefusalTest, OfProbesThatAreNone) {
  Check({
      {"verify: no probe", VerifyWith([](auto& r) { r.clear_probe(); }), Reason::kInvalidField,
       "probe"},
      {"identify: no probe", IdentifyWith([](auto& r) { r.clear_probe(); }), Reason::kInvalidField,
       "probe"},
      {"embed: no probe", EmbedWith([](auto& r) { r.clear_probe(); }), Reason::kInvalidField,
       "probe"},
      {"compare: no second", CompareWith([](auto& r) { r.clear_second(); }), Reason::kInvalidField,
       "second"},
      {"no source", VerifyWith([](auto& r) { r.mutable_probe()->clear_source(); }),
       Reason::kInvalidField, "probe"},
      {"sample without source", EnrollWith([](auto& r) { r.mutable_samples(0)->clear_source(); }),
       Reason::kInvalidField, "samples[0]"},
      {"embed of an embedding", EmbedWith([this](auto& r) { *r.mutable_probe() = Vector(1); }),
       Reason::kInvalidField, "probe.embedding"},
      {"embed of a template", EmbedWith([](auto& r) {
         *r.mutable_probe() = Stored("collections/people/identities/7/templates/1");
       }),
       Reason::kInvalidField, "probe.template_name"},
      {"enroll of a template", EnrollWith([](auto& r) {
         *r.mutable_samples(0) = Stored("collections/people/identities/7/templates/1");
       }),
       Reason::kInvalidField, "samples[0].template_name"},
  });
}

TEST_F(RefusalTest, OfSelections) {
  const auto select = [](v1::FaceSelection selection) {
    return [selection](auto& r) {
      *r.mutable_probe() = Photo(1);
      r.mutable_probe()->set_face_selection(selection);
    };
  };
  const auto box = [](float width, float height, float x = 0) {
    return [=](v1::DetectRequest& r) {
      r.set_face_selection(v1::FACE_SELECTION_BOX);
      r.mutable_box()->set_x(x);
      r.mutable_box()->set_width(width);
      r.mutable_box()->set_height(height);
    };
  };
  Check({
      {"verify: ALL", VerifyWith(select(v1::FACE_SELECTION_ALL)), Reason::kInvalidField,
       "probe.face_selection"},
      {"embed: ALL", EmbedWith(select(v1::FACE_SELECTION_ALL)), Reason::kInvalidField,
       "probe.face_selection"},
      {"enroll: ALL", EnrollWith([](auto& r) {
         *r.mutable_samples(0) = Photo(1);
         r.mutable_samples(0)->set_face_selection(v1::FACE_SELECTION_ALL);
       }),
       Reason::kInvalidField, "samples[0].face_selection"},
      {"compare: ALL", CompareWith([](auto& r) {
         *r.mutable_first() = Photo(1);
         r.mutable_first()->set_face_selection(v1::FACE_SELECTION_ALL);
       }),
       Reason::kInvalidField, "first.face_selection"},
      {"unknown number", VerifyWith(select(static_cast<v1::FaceSelection>(77))),
       Reason::kInvalidField, "probe.face_selection"},
      {"negative number", IdentifyWith(select(static_cast<v1::FaceSelection>(-1))),
       Reason::kInvalidField, "probe.face_selection"},
      {"detect: unknown number",
       DetectWith([](auto& r) { r.set_face_selection(static_cast<v1::FaceSelection>(6)); }),
       Reason::kInvalidField, "face_selection"},
      {"BOX without a box", VerifyWith(select(v1::FACE_SELECTION_BOX)), Reason::kInvalidField,
       "probe.box"},
      {"box without BOX", DetectWith([](auto& r) { r.mutable_box()->set_width(3); }),
       Reason::kInvalidField, "box"},
      {"flat box", DetectWith(box(10, 0)), Reason::kInvalidField, "box"},
      {"negative box", DetectWith(box(-10, 10)), Reason::kInvalidField, "box"},
      {"box of NaN", DetectWith(box(10, 10, kNan)), Reason::kInvalidField, "box"},
      {"infinite box", DetectWith(box(std::numeric_limits<float>::infinity(), 10)),
       Reason::kInvalidField, "box"},
      {"box beside all faces", DetectWith(box(10, 10, 5000)), Reason::kNoFace, "image"},
      {"selection of a crop", VerifyWith([](auto& r) {
         r.mutable_probe()->set_face_selection(v1::FACE_SELECTION_LARGEST);
       }),
       Reason::kInvalidField, "probe.face_selection"},
      {"box of a crop", VerifyWith([](auto& r) { r.mutable_probe()->mutable_box(); }),
       Reason::kInvalidField, "probe.box"},
  });
}

TEST_F(RefusalTest, OfImages) {
  const std::string large(200'001, 'x');
  Check({
      {"broken image", VerifyWith([](auto& r) { r.mutable_probe()->set_image("x"); }),
       Reason::kImageUndecodable, "probe.image"},
      {"empty image", DetectWith([](auto& r) { r.clear_image(); }), Reason::kImageUndecodable,
       "image"},
      {"broken crop", VerifyWith([](auto& r) { r.mutable_probe()->set_aligned_crop("x"); }),
       Reason::kImageUndecodable, "probe.aligned_crop"},
      {"large image", VerifyWith([&](auto& r) { r.mutable_probe()->set_image(large); }),
       Reason::kImageTooLarge, "probe.image"},
      {"large crop", IdentifyWith([&](auto& r) { r.mutable_probe()->set_aligned_crop(large); }),
       Reason::kImageTooLarge, "probe.aligned_crop"},
      {"large image: detect", DetectWith([&](auto& r) { r.set_image(large); }),
       Reason::kImageTooLarge, "image"},
      {"large image: the second sample",
       EnrollWith([&](auto& r) { r.add_samples()->set_image(large); }), Reason::kImageTooLarge,
       "samples[1].image"},
      {"many pixels",
       DetectWith([](auto& r) { r.set_image(EncodePng(cv::Mat::zeros(1001, 1000, CV_8UC3))); }),
       Reason::kImageTooLarge, "image"},
      {"crop of another size", VerifyWith([](auto& r) {
         *r.mutable_probe() = CropOf(PatternImage(1, {100, 100}));
       }),
       Reason::kCropSize, "probe.aligned_crop"},
  });
}

TEST_F(RefusalTest, OfPicturesByTheirFaces) {
  detector_.set_faces({FaceAt(0, 0), FaceAt(3, 3)});
  const auto photo = [](auto& r) { *r.mutable_samples(0) = Photo(1); };
  Check({{"two faces to enroll", EnrollWith(photo), Reason::kMultipleFaces, "samples[0].image"}});
  detector_.set_faces({});
  Check({
      {"no face to enroll", EnrollWith(photo), Reason::kNoFace, "samples[0].image"},
      {"no face to verify", VerifyWith([](auto& r) { *r.mutable_probe() = Photo(1); }),
       Reason::kNoFace, "probe.image"},
      {"no face of a group", IdentifyWith([](auto& r) {
         *r.mutable_probe() = Photo(1);
         r.mutable_probe()->set_face_selection(v1::FACE_SELECTION_ALL);
       }),
       Reason::kNoFace, "probe.image"},
      {"no largest face",
       DetectWith([](auto& r) { r.set_face_selection(v1::FACE_SELECTION_LARGEST); }),
       Reason::kNoFace, "image"},
  });
}

TEST_F(RefusalTest, OfEmbeddings) {
  const auto spoilt = [this](std::function<void(v1::TaggedEmbedding&)> spoil) {
    return VerifyWith([this, spoil](auto& r) {
      *r.mutable_probe() = Vector(1);
      spoil(*r.mutable_probe()->mutable_embedding());
    });
  };
  Check({
      {"short", spoilt([](auto& e) { e.mutable_values()->RemoveLast(); }),
       Reason::kEmbeddingInvalid, "probe.embedding"},
      {"empty", spoilt([](auto& e) { e.clear_values(); }), Reason::kEmbeddingInvalid,
       "probe.embedding"},
      {"NaN", spoilt([](auto& e) { e.set_values(3, kNan); }), Reason::kEmbeddingInvalid,
       "probe.embedding"},
      {"all zero", spoilt([](auto& e) {
         for (float& value : *e.mutable_values()) value = 0;
       }),
       Reason::kEmbeddingInvalid, "probe.embedding"},
      {"no digest", spoilt([](auto& e) { e.clear_model_digest(); }), Reason::kInvalidField,
       "probe.embedding.model_digest"},
      {"upper-case digest", spoilt([](auto& e) { e.set_model_digest(std::string(64, 'A')); }),
       Reason::kInvalidField, "probe.embedding.model_digest"},
      {"short preprocessing digest", spoilt([](auto& e) { e.set_preprocessing_digest("00"); }),
       Reason::kInvalidField, "probe.embedding.preprocessing_digest"},
      {"another model", spoilt([](auto& e) { e.set_model_digest(std::string(64, '0')); }),
       Reason::kModelMismatch, "probe.embedding"},
      {"another preprocessing",
       spoilt([](auto& e) { e.set_preprocessing_digest(std::string(64, '0')); }),
       Reason::kModelMismatch, "probe.embedding"},
  });
}

TEST_F(RefusalTest, OfStoredTemplates) {
  const auto stored = [this](const std::string& name) {
    return VerifyWith([name](auto& r) { *r.mutable_probe() = Stored(name); });
  };
  Check({
      {"no name", stored("x"), Reason::kInvalidField, "probe.template_name"},
      {"id 0", stored("collections/people/identities/7/templates/0"), Reason::kInvalidField,
       "probe.template_name"},
      {"unknown collection", stored("collections/nowhere/identities/7/templates/1"),
       Reason::kCollectionNotFound, "probe.template_name"},
      {"unknown identity", stored("collections/people/identities/nobody/templates/1"),
       Reason::kIdentityNotFound, "probe.template_name"},
      {"unknown template", stored("collections/people/identities/7/templates/999"),
       Reason::kTemplateNotFound, "probe.template_name"},
      {"another model", stored("collections/other-model/identities/7/templates/1"),
       Reason::kModelMismatch, "probe.template_name"},
  });
}

TEST_F(RefusalTest, OfOperatingPoints) {
  const auto at = [](float min_cosine) {
    return [min_cosine](auto& r) { r.mutable_operating_point()->set_min_cosine(min_cosine); };
  };
  Check({
      {"above 1", VerifyWith(at(1.001f)), Reason::kInvalidField, "operating_point.min_cosine"},
      {"below -1", IdentifyWith(at(-1.001f)), Reason::kInvalidField, "operating_point.min_cosine"},
      {"NaN", CompareWith(at(kNan)), Reason::kInvalidField, "operating_point.min_cosine"},
      {"no point", VerifyWith([](auto& r) { r.mutable_operating_point(); }), Reason::kInvalidField,
       "operating_point"},
      {"probe_quality above 1", CompareWith([](auto& r) { r.set_probe_quality(1.01f); }),
       Reason::kInvalidField, "probe_quality"},
      {"probe_quality NaN", CompareWith([](auto& r) { r.set_probe_quality(kNan); }),
       Reason::kInvalidField, "probe_quality"},
      {"none for compare", CompareWith([](auto& r) { r.clear_operating_point(); }),
       Reason::kNoOperatingPoint, ""},
      {"none for identify", IdentifyWith([](auto& r) { r.set_collection_id("no-threshold"); }),
       Reason::kNoOperatingPoint, ""},
  });
}

TEST_F(RefusalTest, OfCollectionsOfAnotherModel) {
  Check({
      {"enroll", EnrollWith([](auto& r) { r.set_collection_id("other-model"); }),
       Reason::kModelMismatch, ""},
      {"verify", VerifyWith([](auto& r) { r.set_collection_id("other-model"); }),
       Reason::kModelMismatch, ""},
      {"identify", IdentifyWith([](auto& r) { r.set_collection_id("other-model"); }),
       Reason::kModelMismatch, ""},
  });
  const Status status = EnrollWith([](auto& r) { r.set_collection_id("other-model"); })();
  EXPECT_THAT(std::string(MessageOf(status)), ::testing::HasSubstr(OtherModel().model_digest));
  EXPECT_THAT(std::string(MessageOf(status)), ::testing::HasSubstr(engine_.model().model_digest));
}

TEST_F(RefusalTest, WhenTheModelFailsOrIsFullOrTheTimeIsOver) {
  embedder_.FailWith(Internal("broken"));
  EXPECT_THAT(VerifyWith([](auto&) {})(), StatusIs(StatusCode::kInternal));
  batcher_.Stop();
  EXPECT_THAT(VerifyWith([](auto&) {})(), RefusedWith(Reason::kShuttingDown));
  call_.caller.deadline = clock_.Now();
  EXPECT_THAT(VerifyWith([](auto&) {})(), RefusedWith(Reason::kDeadline));
}

TEST_F(RefusalTest, NamesNoIds) {
  for (const auto& run :
       {VerifyWith([](auto& r) { r.set_identity_id("Jane-Doe"); }),
        VerifyWith([](auto& r) { r.set_collection_id("Jane-Doe"); }),
        VerifyWith([](auto& r) { r.set_identity_id("Jane-Doe/"); }), VerifyWith([](auto& r) {
          *r.mutable_probe() = Stored("collections/people/identities/Jane-Doe/templates/1");
        })}) {
    const Status status = run();
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(MessageOf(status)), ::testing::Not(::testing::HasSubstr("Jane")));
  }
}

}  // namespace
}  // namespace facegate
