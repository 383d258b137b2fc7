#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {

// A request that must be refused, and how.
struct Refusal {
  std::string what;
  std::function<Status()> run;
  Reason reason;
  std::string field;
};

// The calls of FaceService and GalleryService, each with a request that is right but for what a
// test spoils in it.
class RefusalTest : public ServiceTest {
 protected:
  static constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

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

  static void Check(const std::vector<Refusal>& rows) {
    for (const Refusal& row : rows) {
      const Status status = row.run();
      EXPECT_THAT(status, RefusedWith(row.reason)) << row.what;
      EXPECT_EQ(FieldOf(status), row.field) << row.what;
      EXPECT_EQ(status.code(), CodeOf(row.reason)) << row.what;
    }
  }
};

}  // namespace facegate
