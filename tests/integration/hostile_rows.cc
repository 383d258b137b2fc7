#include "tests/integration/hostile_rows.h"

#include <gtest/gtest.h>

#include "tests/integration/hostile_row_list.h"

namespace facegate {
namespace {

template <typename Request>
WireAnswer MustWork(const HostileWorld& world, const std::string& method, const Request& request) {
  WireAnswer answer = CallRaw(world.channel, method, request.SerializeAsString());
  EXPECT_EQ(answer.code, 0) << method << ": " << answer.message;
  return answer;
}

}  // namespace

void PrepareHostileWorld(HostileWorld& world) {
  v1::CreateCollectionRequest create;
  create.set_collection_id("people");
  create.set_min_cosine(0.5F);
  create.set_request_id(kUsedRequestId);
  MustWork(world, GalleryMethod("CreateCollection"), create);
  create.clear_min_cosine();
  create.clear_request_id();
  create.set_collection_id("bare");
  MustWork(world, GalleryMethod("CreateCollection"), create);
  create.set_collection_id("strict");
  create.set_enrol_quality(1.0F);
  MustWork(world, GalleryMethod("CreateCollection"), create);
  for (const size_t direction : {0U, 1U}) {
    v1::EnrollRequest enroll;
    enroll.set_collection_id("people");
    enroll.set_identity_id(direction == 0 ? "a" : "b");
    *enroll.add_samples() = EmbeddingProbe(world, direction);
    MustWork(world, FaceMethod("Enroll"), enroll);
  }
}

std::vector<HostileRow> HostileRows(const HostileWorld& world) {
  HostileRowList rows(world);
  AddPictures(rows);
  AddValues(rows);
  AddStates(rows);
  AddTransport(rows);
  return rows.Take();
}

WireAnswer IdentifyA(const HostileWorld& world) {
  v1::IdentifyRequest request;
  request.set_collection_id("people");
  *request.mutable_probe() = EmbeddingProbe(world, 0);
  return CallRaw(world.channel, FaceMethod("Identify"), request.SerializeAsString());
}

}  // namespace facegate
